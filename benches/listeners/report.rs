//! What a crowd measured, as a line of the table.

use std::fmt;

/// Times are in seconds, CPU in cores.
pub(crate) struct Report {
    /// Listeners that still hear something.
    pub(crate) alive: usize,
    /// 1: as fast as it is spoken.
    pub(crate) pace: Spread,
    pub(crate) first_byte: Spread,
    pub(crate) longest_gap: f64,
    /// For each listener.
    pub(crate) server_cpu: f64,
    /// Growth for each listener, in KB.
    pub(crate) memory: f64,
    /// A second, for each listener.
    pub(crate) reads: f64,
    /// All of the listeners' own.
    pub(crate) own_cpu: f64,
    /// Why a listener ended, if one did.
    pub(crate) ended: Option<String>,
}

/// Of all listeners.
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { least: values[0], median: values[values.len() / 2], most: values[values.len() - 1] }
    }
}

/// What stands above the lines.
pub(crate) const HEADER: &str =
    "alive   pace              first byte         longest  each listener:                   the crowd's
                           min .. max        median / max       gap      CPU        memory     reads/s    own CPU";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alive, pace, first_byte: first, memory, reads, .. } = self;
        write!(f, "{alive:>5}   {:.4} .. {:.4}", pace.least, pace.most)?;
        write!(f, "  {:>4.0} / {:>4.0} ms", first.median * 1e3, first.most * 1e3)?;
        write!(f, "  {:>6.0} ms  {:.5} %", self.longest_gap * 1e3, self.server_cpu * 1e2)?;
        write!(f, "  {memory:>5.2} KB  {reads:>8.2}  {:>7.1} %", self.own_cpu * 1e2)
    }
}
