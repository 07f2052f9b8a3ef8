//! The metrics of the Prometheus registry as OTLP metrics, under the same names: one definition serves both.

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};
use prometheus::proto::{Histogram as PrometheusHistogram, Metric as Series, MetricFamily, MetricType};

use super::attribute::{nanoseconds, text_attribute};

/// When the counters were 0, and when they were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
}

/// `families` as they are at the end of `period`.
pub(super) fn metrics(families: &[MetricFamily], period: Period) -> Vec<Metric> {
    families.iter().filter_map(|family| metric(family, period)).collect()
}

/// None for types that vigie does not use.
fn metric(family: &MetricFamily, period: Period) -> Option<Metric> {
    let series = family.get_metric();
    let data = match family.get_field_type() {
        MetricType::COUNTER => Data::Sum(Sum {
            data_points: series.iter().map(|it| number(it, it.get_counter().get_value(), period)).collect(),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }),
        MetricType::GAUGE => Data::Gauge(Gauge {
            data_points: series.iter().map(|it| number(it, it.get_gauge().get_value(), period)).collect(),
        }),
        MetricType::HISTOGRAM => Data::Histogram(Histogram {
            data_points: series.iter().map(|it| histogram(it, period)).collect(),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
        }),
        MetricType::SUMMARY | MetricType::UNTYPED => return None,
    };
    Some(Metric {
        name: family.name().to_owned(),
        description: family.help().to_owned(),
        unit: unit(family.name()).to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

/// The UCUM unit of a metric, which Prometheus has in its name.
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total") {
        name if name.ends_with("_seconds") => "s",
        name if name.ends_with("_bytes") => "By",
        _ => "",
    }
}

fn labels(series: &Series) -> Vec<KeyValue> {
    series.get_label().iter().map(|label| text_attribute(label.name(), label.value())).collect()
}

fn number(series: &Series, value: f64, period: Period) -> NumberDataPoint {
    NumberDataPoint {
        attributes: labels(series),
        start_time_unix_nano: nanoseconds(period.start),
        time_unix_nano: nanoseconds(period.now),
        value: Some(Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn histogram(series: &Series, period: Period) -> HistogramDataPoint {
    let read = series.get_histogram();
    let (explicit_bounds, bucket_counts) = buckets(read);
    HistogramDataPoint {
        attributes: labels(series),
        start_time_unix_nano: nanoseconds(period.start),
        time_unix_nano: nanoseconds(period.now),
        count: bucket_counts.iter().sum(),
        sum: Some(read.get_sample_sum()),
        bucket_counts,
        explicit_bounds,
        ..HistogramDataPoint::default()
    }
}

/// The upper bounds, and how many samples lie in each bucket: Prometheus counts those of all buckets before too, and leaves out
/// the last bound, which is infinite.
fn buckets(read: &PrometheusHistogram) -> (Vec<f64>, Vec<u64>) {
    let (mut bounds, mut counts, mut before) = (Vec::new(), Vec::new(), 0);
    for bucket in read.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite()) {
        bounds.push(bucket.upper_bound());
        // A sample that arrives between two reads must not make a count negative.
        counts.push(bucket.cumulative_count().saturating_sub(before));
        before = before.max(bucket.cumulative_count());
    }
    counts.push(read.get_sample_count().saturating_sub(before));
    (bounds, counts)
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::value;
    use super::*;
    use crate::metrics::Metrics;

    fn period() -> Period {
        Period { start: Timestamp::from_second(1).unwrap(), now: Timestamp::from_second(2).unwrap() }
    }

    fn find<'a>(metrics: &'a [Metric], name: &str) -> &'a Metric {
        metrics.iter().find(|metric| metric.name == name).unwrap()
    }

    #[test]
    fn counters_are_cumulative_sums_and_gauges_are_gauges() {
        let registry = Metrics::new();
        registry.classify.posts.with_label_values(&["negative"]).inc_by(7);
        registry.monitor.store_bytes.set(2_048);
        let all = metrics(&registry.gather(), period());
        let posts = find(&all, "vigie_classify_posts_total");
        let Some(Data::Sum(sum)) = &posts.data else { panic!("{posts:?}") };
        assert!(sum.is_monotonic && sum.aggregation_temporality == i32::from(AggregationTemporality::Cumulative));
        let point =
            sum.data_points.iter().find(|it| value(&it.attributes, "label").as_deref() == Some("negative")).unwrap();
        assert_eq!(point.value, Some(Value::AsDouble(7.0)));
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1_000_000_000, 2_000_000_000));
        let bytes = find(&all, "vigie_store_size_bytes");
        let Some(Data::Gauge(gauge)) = &bytes.data else { panic!("{bytes:?}") };
        assert_eq!((gauge.data_points[0].value, bytes.unit.as_str()), (Some(Value::AsDouble(2_048.0)), "By"));
    }

    #[test]
    fn each_bucket_of_a_histogram_has_its_own_count() {
        let registry = Metrics::new();
        for seconds in [0.000_1, 0.02, 0.02, 99.0] {
            registry.classify.duration.observe(seconds);
        }
        let all = metrics(&registry.gather(), period());
        let duration = find(&all, "vigie_classify_duration_seconds");
        let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, duration.unit.as_str()), (4, "s"));
        assert!((point.sum.unwrap() - 99.040_1).abs() < 1e-9);
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!((point.bucket_counts[0], point.bucket_counts.last()), (1, Some(&1)));
        let place = point.explicit_bounds.iter().position(|bound| *bound >= 0.02).unwrap();
        assert_eq!(point.bucket_counts[place], 2);
    }

    #[test]
    fn every_metric_with_a_value_is_sent_under_its_own_name() {
        let registry = Metrics::new();
        let families = registry.gather();
        let sent: Vec<String> = metrics(&families, period()).into_iter().map(|metric| metric.name).collect();
        assert_eq!(sent, families.iter().map(|family| family.name().to_owned()).collect::<Vec<_>>());
    }
}
