//! Page of `/metrics` in Prometheus' text format, while it is written: each surface adds what it counts.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::core::Histogram;

/// Page of metrics while it is written.
pub(super) struct Exposition<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Exposition<'a> {
    /// An empty one.
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self { encoder }
    }

    /// What only grows.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        metric.encode(self.encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    /// What is so many just now.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        metric.encode(self.encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    /// Several that only grow, told apart by a label.
    pub(super) fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, total) in values {
            ConstCounter::new(*total).encode(family.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }

    /// How long things took.
    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        let classes: Vec<_> = histogram.classes().collect();
        metric.encode_histogram::<NoLabelSet>(histogram.sum().as_secs_f64(), histogram.count(), &classes, None)
    }
}

/// Value of a counter.
pub(super) fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Value of a gauge that is lowered by whoever raised it.
pub(super) fn level(gauge: &AtomicI64) -> u64 {
    // Raised before it is lowered, so never below zero.
    gauge.load(Ordering::Relaxed).max(0) as u64
}
