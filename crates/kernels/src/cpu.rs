//! [`Isa`] and [`Precision`]: which instructions this processor has, and which path each precision then takes.

use std::fmt;
use std::sync::OnceLock;

/// Number format of the matrix products. Sums are kept in 32 bits, and all else is computed in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// 8-bit integers: one scale for each output of a layer, one scale and zero point for each row of activations.
    Int8,
    /// The upper half of an f32.
    Bf16,
    F32,
}

impl Precision {
    /// Every precision, the fastest first.
    pub const ALL: [Self; 3] = [Self::Int8, Self::Bf16, Self::F32];

    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An instruction set that has its own code here. Ordered: each processor also runs the ones before its best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Plain Rust, right on every processor.
    Portable,
    /// AVX2 and FMA: 256-bit vectors (Haswell, Zen).
    Avx2,
    /// The same with 8-bit dot products (AVX-VNNI: Alder Lake, Zen 5).
    Avx2Vnni,
    /// AVX-512 F, BW, DQ, VL: 512-bit vectors (Skylake server).
    Avx512,
    /// The same with 8-bit dot products (AVX512-VNNI: Ice Lake).
    Avx512Vnni,
    /// The same with bf16 dot products (AVX512-BF16: Sapphire Rapids, Zen 4).
    Avx512Bf16,
}

impl Isa {
    /// Every instruction set, the best last.
    pub const ALL: [Self; 6] =
        [Self::Portable, Self::Avx2, Self::Avx2Vnni, Self::Avx512, Self::Avx512Vnni, Self::Avx512Bf16];

    /// The best that this processor has, and no better than the one in the environment variable `VIGIE_INSTRUCTIONS`, such
    /// as `avx2`: with it a better processor shows what a lesser one does.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let limit = std::env::var("VIGIE_INSTRUCTIONS").ok();
            let limit = limit.and_then(|name| Self::ALL.into_iter().find(|isa| isa.id() == name));
            let allowed = |isa: &Self| isa.is_available() && limit.is_none_or(|limit| *isa <= limit);
            Self::ALL.into_iter().rev().find(allowed).unwrap_or(Self::Portable)
        })
    }

    fn id(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx2Vnni => "avx2-vnni",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512-vnni",
            Self::Avx512Bf16 => "avx512-bf16",
        }
    }

    /// Whether this processor has it. Every use of a kernel asks first: this is what makes its call sound.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = || {
            avx2()
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
        };
        match self {
            Self::Portable => true,
            Self::Avx2 => avx2(),
            Self::Avx2Vnni => avx2() && is_x86_feature_detected!("avxvnni"),
            Self::Avx512 => avx512(),
            Self::Avx512Vnni => avx512() && is_x86_feature_detected!("avx512vnni"),
            Self::Avx512Bf16 => Self::Avx512Vnni.is_available() && is_x86_feature_detected!("avx512bf16"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Self::Portable
    }

    /// Whether `precision` runs here on instructions made for it. Without them it is slower than f32.
    pub fn accelerates(self, precision: Precision) -> bool {
        match precision {
            Precision::F32 => true,
            Precision::Bf16 => self == Self::Avx512Bf16 && bf16_is_fast(),
            // AVX-512 without VNNI does as many products of 16 bits a cycle as of f32.
            Precision::Int8 => !matches!(self, Self::Portable | Self::Avx512),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "AVX2",
            Self::Avx2Vnni => "AVX2 with VNNI",
            Self::Avx512 => "AVX-512",
            Self::Avx512Vnni => "AVX-512 with VNNI",
            Self::Avx512Bf16 => "AVX-512 with VNNI and BF16",
        }
    }
}

/// Intel's processors have the instruction, but at half the rate of f32 (measured on Sapphire Rapids); AMD's double it.
#[cfg(target_arch = "x86_64")]
fn bf16_is_fast() -> bool {
    let vendor = std::arch::x86_64::__cpuid(0);
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD"
}

#[cfg(not(target_arch = "x86_64"))]
fn bf16_is_fast() -> bool {
    false
}

/// Defines a function that runs `$body::<V>`, where `V` is the vector of the instruction set in its first argument. `$body` is
/// `#[inline(always)]`, so that it is compiled for each.
macro_rules! for_each_isa {
    ($(#[$doc:meta])* $vis:vis fn $name:ident ($($arg:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$doc])*
        $vis fn $name(isa: $crate::cpu::Isa, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                unsafe fn avx2($($arg: $type),*) {
                    // SAFETY: this function has the instructions.
                    unsafe { $body::<$crate::vector::Avx2>($($arg),*) }
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn avx512($($arg: $type),*) {
                    // SAFETY: this function has the instructions.
                    unsafe { $body::<$crate::vector::Avx512>($($arg),*) }
                }
                debug_assert!(isa.is_available());
                // SAFETY: an `Isa` other than `Portable` is used only where `Isa::is_available` found it.
                match isa {
                    $crate::cpu::Isa::Portable => {}
                    $crate::cpu::Isa::Avx2 | $crate::cpu::Isa::Avx2Vnni => return unsafe { avx2($($arg),*) },
                    _ => return unsafe { avx512($($arg),*) },
                }
            }
            let _ = isa;
            // SAFETY: plain Rust runs everywhere.
            unsafe { $body::<$crate::vector::Portable>($($arg),*) }
        }
    };
}
pub(crate) use for_each_isa;
