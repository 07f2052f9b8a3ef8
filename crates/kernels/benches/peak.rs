//! The most that this machine can do in each number format: independent multiply-adds on registers, on all cores.
//!
//!     cargo bench -p vigie-kernels --bench peak
//!
//! Prints one JSON line for each format: billions of operations a second, where a multiply-add is two.
#![allow(clippy::print_stdout)] // its output is its purpose

use std::time::Instant;

use vigie_kernels::Isa;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for (precision, instructions, operations, run) in loops() {
        let measure = || {
            let start = Instant::now();
            std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(|| run(ROUNDS)))));
            (threads as u64 * ROUNDS * CHAINS as u64 * operations) as f64 / start.elapsed().as_secs_f64() / 1e9
        };
        let best = (0..7).map(|_| measure()).fold(0.0, f64::max);
        println!(
            r#"{{"precision":"{precision}","instructions":"{instructions}","threads":{threads},"gops":{best:.1}}}"#
        );
    }
}

/// Multiply-adds that do not wait for each other.
const CHAINS: usize = 12;
const ROUNDS: u64 = 20_000_000;

type Loop = (&'static str, &'static str, u64, fn(u64));

#[cfg(not(target_arch = "x86_64"))]
fn loops() -> Vec<Loop> {
    Vec::new()
}

#[cfg(target_arch = "x86_64")]
fn loops() -> Vec<Loop> {
    // SAFETY of each: `Isa::is_available` found the instructions.
    let all: [(Isa, Loop); 6] = [
        (Isa::Avx2, ("f32", "AVX2", 16, |rounds| unsafe { x86::f32_avx2(rounds) })),
        (Isa::Avx512, ("f32", "AVX-512", 32, |rounds| unsafe { x86::f32_avx512(rounds) })),
        (Isa::Avx512Bf16, ("bf16", "AVX-512", 64, |rounds| unsafe { x86::bf16_avx512(rounds) })),
        (Isa::Avx2, ("int8", "AVX2", 32, |rounds| unsafe { x86::int8_avx2(rounds) })),
        (Isa::Avx2Vnni, ("int8", "AVX2 with VNNI", 64, |rounds| unsafe { x86::int8_avx2_vnni(rounds) })),
        (Isa::Avx512Vnni, ("int8", "AVX-512 with VNNI", 128, |rounds| unsafe { x86::int8_avx512(rounds) })),
    ];
    all.into_iter().filter(|(isa, _)| isa.is_available() && *isa <= Isa::best()).map(|(_, run)| run).collect()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::CHAINS;

    macro_rules! register_loop {
        ($name:ident, $features:literal, $zero:ident, |$sum:ident, $a:ident, $b:ident| $step:expr, $a_value:expr, $b_value:expr) => {
            /// # Safety
            /// The processor has these features.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name(rounds: u64) {
                let ($a, $b) = (black_box($a_value), black_box($b_value));
                let mut sums = [$zero(); CHAINS];
                for _ in 0..rounds {
                    for $sum in &mut sums {
                        *$sum = $step;
                    }
                }
                black_box(sums);
            }
        };
    }

    register_loop!(
        f32_avx2,
        "avx2,fma",
        _mm256_setzero_ps,
        |sum, a, b| _mm256_fmadd_ps(a, b, *sum),
        _mm256_set1_ps(0.5),
        _mm256_set1_ps(0.25)
    );
    register_loop!(
        f32_avx512,
        "avx512f",
        _mm512_setzero_ps,
        |sum, a, b| _mm512_fmadd_ps(a, b, *sum),
        _mm512_set1_ps(0.5),
        _mm512_set1_ps(0.25)
    );
    register_loop!(
        bf16_avx512,
        "avx512f,avx512bf16",
        _mm512_setzero_ps,
        |sum, a, b| _mm512_dpbf16_ps(*sum, a, b),
        _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5), _mm512_set1_ps(0.5)),
        _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5), _mm512_set1_ps(0.5))
    );
    /// In assembly: the compiler would take the product, which is always the same, out of the loop.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn int8_avx2(rounds: u64) {
        let (a, b) = (black_box(_mm256_set1_epi16(3)), black_box(_mm256_set1_epi16(1)));
        let mut sums = [_mm256_setzero_si256(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                // SAFETY: arithmetic on registers.
                unsafe {
                    std::arch::asm!(
                        "vpmaddwd {product}, {a}, {b}",
                        "vpaddd {sum}, {sum}, {product}",
                        product = out(ymm_reg) _, a = in(ymm_reg) a, b = in(ymm_reg) b, sum = inout(ymm_reg) *sum,
                        options(nomem, nostack, preserves_flags),
                    );
                }
            }
        }
        black_box(sums);
    }

    register_loop!(
        int8_avx2_vnni,
        "avx2,avxvnni",
        _mm256_setzero_si256,
        |sum, a, b| _mm256_dpbusd_avx_epi32(*sum, a, b),
        _mm256_set1_epi8(3),
        _mm256_set1_epi8(1)
    );
    register_loop!(
        int8_avx512,
        "avx512f,avx512vnni",
        _mm512_setzero_si512,
        |sum, a, b| _mm512_dpbusd_epi32(*sum, a, b),
        _mm512_set1_epi8(3),
        _mm512_set1_epi8(1)
    );
}
