//! How metrics are declared: [`stage!`] makes a struct, its registration and its description from one table.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// Creates a metric from its options, so that [`stage!`] declares every type of metric in the same way.
pub(super) trait Series: Sized + Clone + prometheus::core::Collector + 'static {
    fn create(opts: Opts, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self>;
}

macro_rules! series {
    ($($plain:ty),*; $($labelled:ty),*) => {
        $(impl Series for $plain {
            fn create(opts: Opts, _: &[&str], _: &[f64]) -> prometheus::Result<Self> {
                Self::with_opts(opts)
            }
        })*
        $(impl Series for $labelled {
            fn create(opts: Opts, labels: &[&str], _: &[f64]) -> prometheus::Result<Self> {
                Self::new(opts, labels)
            }
        })*
    };
}

series!(IntCounter, IntGauge, Gauge; IntCounterVec, IntGaugeVec, GaugeVec);

impl Series for Histogram {
    fn create(opts: Opts, _: &[&str], buckets: &[f64]) -> prometheus::Result<Self> {
        Self::with_opts(HistogramOpts::from(opts).buckets(buckets.to_vec()))
    }
}

impl Series for HistogramVec {
    fn create(opts: Opts, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self> {
        Self::new(HistogramOpts::from(opts).buckets(buckets.to_vec()), labels)
    }
}

pub(super) fn register<S: Series>(registry: &Registry, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> S {
    let created = S::create(Opts::new(name, help.trim()), labels, buckets)
        .and_then(|series| registry.register(Box::new(series.clone())).map(|()| series));
    created.expect("names and labels are constants of this program, and a test creates them all")
}

/// Declaration of a metric, whether or not it has a value yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesDefinition {
    pub name: &'static str,
    /// Rust type, such as `IntCounterVec`.
    pub kind: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

macro_rules! buckets {
    () => {
        &[]
    };
    ($buckets:expr) => {
        &$buckets
    };
}

/// Declares the metrics of a stage: the doc comment of each is its help text.
macro_rules! stage {
    ($(#[$about:meta])* $stage:ident { $($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal $([$($label:literal),*])? $(in $buckets:expr)?;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $stage { $($(#[doc = $help])+ pub $field: $kind,)* }

        impl $stage {
            const DECLARED: &[SeriesDefinition] = &[$(SeriesDefinition {
                name: $name,
                kind: stringify!($kind),
                labels: &[$($($label),*)?],
                help: concat!($($help),+),
            },)*];

            fn new(registry: &Registry) -> Self {
                Self { $($field: series::register(registry, $name, concat!($($help),+), &[$($($label),*)?], buckets!($($buckets)?)),)* }
            }
        }
    };
}
