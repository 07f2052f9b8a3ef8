//! [`ProcessCollector`]: memory, CPU time, threads and open files of this process, read from `/proc` at each scrape, under
//! the metric names of the official Prometheus clients.
//!
//! The `process` feature of the prometheus crate exports the same metrics, but needs procfs and a second rustix.

use std::fs;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, IntGauge};

/// Ticks per second in `/proc/self/stat`: `USER_HZ`, which is 100 on every platform that vigie runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// See the module.
pub(super) struct ProcessCollector {
    cpu_seconds: Counter,
    open_fds: IntGauge,
    max_fds: IntGauge,
    virtual_memory: IntGauge,
    resident_memory: IntGauge,
    start_time: IntGauge,
    threads: IntGauge,
}

impl ProcessCollector {
    pub(super) fn new() -> prometheus::Result<Self> {
        let collector = Self {
            cpu_seconds: Counter::new("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")?,
            open_fds: IntGauge::new("process_open_fds", "Number of open file descriptors.")?,
            max_fds: IntGauge::new("process_max_fds", "Maximum number of open file descriptors.")?,
            virtual_memory: IntGauge::new("process_virtual_memory_bytes", "Virtual memory size in bytes.")?,
            resident_memory: IntGauge::new("process_resident_memory_bytes", "Resident memory size in bytes.")?,
            start_time: IntGauge::new(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
            )?,
            threads: IntGauge::new("process_threads", "Number of OS threads in the process.")?,
        };
        // It never changes: read it once.
        if let Some(seconds) = start_time() {
            collector.start_time.set(seconds);
        }
        Ok(collector)
    }

    fn collectors(&self) -> [&dyn Collector; 7] {
        [
            &self.cpu_seconds,
            &self.open_fds,
            &self.max_fds,
            &self.virtual_memory,
            &self.resident_memory,
            &self.start_time,
            &self.threads,
        ]
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.collectors().into_iter().flat_map(Collector::desc).collect()
    }

    /// A value that cannot be read keeps the last one.
    fn collect(&self) -> Vec<MetricFamily> {
        if let Some(seconds) = cpu_seconds() {
            // Of two concurrent scrapes, the later reading may be added first; a counter must not decrease.
            self.cpu_seconds.inc_by((seconds - self.cpu_seconds.get()).max(0.0));
        }
        let memory_and_threads = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let read = [
            (&self.open_fds, open_fds()),
            (&self.max_fds, max_fds()),
            (&self.virtual_memory, kibibytes(&memory_and_threads, "VmSize:")),
            (&self.resident_memory, kibibytes(&memory_and_threads, "VmRSS:")),
            (&self.threads, number_after(&memory_and_threads, "Threads:")),
        ];
        for (gauge, value) in read {
            if let Some(value) = value {
                gauge.set(value);
            }
        }
        self.collectors().into_iter().flat_map(Collector::collect).collect()
    }
}

fn cpu_seconds() -> Option<f64> {
    let (user, system) = (stat(14)?, stat(15)?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn start_time() -> Option<i64> {
    let boot = number_after(&fs::read_to_string("/proc/stat").ok()?, "btime")?;
    Some(boot + (stat(22)? as f64 / TICKS_PER_SECOND) as i64)
}

/// A field of `/proc/self/stat`, numbered as in proc(5): the third is the first after the command name.
fn stat(field: usize) -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name is in brackets and may contain spaces and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(field.checked_sub(3)?)?.parse().ok()
}

fn open_fds() -> Option<i64> {
    // One of them is the directory being read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    i64::try_from(open).ok()
}

/// The soft limit; `None` if unlimited.
fn max_fds() -> Option<i64> {
    number_after(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files")
}

/// The first number on the line that starts with `name`.
fn number_after(text: &str, name: &str) -> Option<i64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn kibibytes(status: &str, name: &str) -> Option<i64> {
    number_after(status, name).map(|number| number * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_this_process_are_plausible() {
        let file = fs::File::open("/proc/self/status").unwrap();
        let collector = ProcessCollector::new().unwrap();
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 60 {
            std::hint::spin_loop();
        }
        let text = prometheus::TextEncoder::new().encode_to_string(&collector.collect()).unwrap();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap().parse::<f64>().unwrap()
        };
        assert!(value("process_cpu_seconds_total") > 0.02);
        let (open, max) = (value("process_open_fds"), value("process_max_fds"));
        assert!(open >= 4.0 && open <= max, "standard streams and {file:?}: {open} of {max}");
        let (resident, all) = (value("process_resident_memory_bytes"), value("process_virtual_memory_bytes"));
        assert!(resident > 1e6 && resident < all, "{resident} of {all}");
        assert!(value("process_threads") >= 1.0);
        let now = jiff::Timestamp::now().as_second() as f64;
        let age = now - value("process_start_time_seconds");
        assert!((-2.0..3600.0).contains(&age), "{age}");
    }

    #[test]
    fn numbers_are_read_from_their_line() {
        let status = "Name:\tVmRSS: 7\nVmSize:\t  120 kB\nVmRSS:\t    80 kB\nThreads:\t3\n";
        assert_eq!((kibibytes(status, "VmRSS:"), number_after(status, "Threads:")), (Some(80 * 1024), Some(3)));
        assert_eq!(number_after("Max open files            unlimited            unlimited\n", "Max open files"), None);
        assert_eq!(number_after("Max open files            1024   4096  files\n", "Max open files"), Some(1024));
    }
}
