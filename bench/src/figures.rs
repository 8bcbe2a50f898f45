//! What was measured: for each figure and plugin the values of all repetitions.

use std::collections::BTreeMap;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Check,
    DiffUnchanged,
    DiffChanged,
}

/// A figure. For requests it says, too, how many are under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Port,
    PortCpu,
    Ready,
    Configure,
    FirstCheck,
    End,
    Size,
    Idle,
    Configured,
    Loaded,
    Peak,
    PerSecond(Kind, usize),
    Median(Kind, usize),
    Slowest(Kind, usize),
    Cpu(Kind, usize),
    Large,
    LargePeak,
}

/// The values, by figure and by the plugin's place.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<(Row, usize), Vec<f64>>);

/// The middle of some values, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Figures {
    pub(crate) fn note(&mut self, row: Row, plugin: usize, value: f64) {
        self.0.entry((row, plugin)).or_default().push(value);
    }

    /// None where it was not measured.
    pub(crate) fn spread(&self, row: Row, plugin: usize) -> Option<Spread> {
        let mut values = self.0.get(&(row, plugin))?.clone();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Spread { least, median, most })
    }

    /// The median of ours as a multiple of another's.
    pub(crate) fn ratio(&self, row: Row, other: usize) -> Option<f64> {
        Some(self.spread(row, 0)?.median / self.spread(row, other)?.median)
    }
}

#[allow(clippy::cast_precision_loss, reason = "nothing here is counted up to 2^53")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let mut figures = Figures::default();
        assert_eq!(figures.spread(Row::Port, 0), None);
        for value in [9.0, 1.0, 3.0] {
            figures.note(Row::Port, 0, value);
        }
        assert_eq!(figures.spread(Row::Port, 0), Some(Spread { least: 1.0, median: 3.0, most: 9.0 }));
        figures.note(Row::Port, 0, 5.0);
        figures.note(Row::Port, 1, 8.0);
        assert_eq!(figures.ratio(Row::Port, 1), Some(0.5));
    }
}
