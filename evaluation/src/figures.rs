//! What came out of a run.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{Bytes, TOP};

/// So many predictions are a recommender's first steps.
const FIRST: usize = 5_000;
/// Longer answers are counted as of this many nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// How good lists were.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Accuracy {
    /// Hit rate: the share of predictions, 0 to 1, whose list held what came next.
    pub hr20: f64,
    /// Mean reciprocal rank, 0 to 1: 1 where what came next headed the list, 1/2 in the second place, 0 where it was missing.
    pub mrr20: f64,
}

/// How long an answer took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Microseconds {
    /// Half took no longer.
    pub p50: f64,
    /// Nine tenths took no longer.
    pub p90: f64,
    /// All but one in a hundred took no longer.
    pub p99: f64,
}

/// What came out of a run, all lists being of at most [`TOP`] items. Serialized it is the result line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Over all predictions.
    #[serde(flatten)]
    pub all: Accuracy,
    /// Over the first 5,000 predictions (all, if they are fewer).
    pub first5000: Accuracy,
    /// Over each quarter of the predictions.
    pub quarters: [Accuracy; 4],
    /// The share, 0 to 1, of the items that came in events so far which were in any list.
    pub coverage20: f64,
    /// The share, 0 to 1, of a list's places that were filled with what is popular for want of better: the mean over lists.
    pub filled: f64,
    /// Lists that were asked for.
    pub predictions: u64,
    /// The whole run, in seconds.
    pub seconds: f64,
    /// How long a list took.
    pub recommend_us: Microseconds,
    /// Events learned in a second of nothing else.
    pub learn_per_s: f64,
    /// Events predicted, reflected on and learned in a second.
    pub events_per_s: f64,
    /// Documents of items written per event, each once in a batch of 100 events in this order, by a recommender that keeps any.
    pub item_writes: Option<f64>,
    /// Sizes of stored documents, of a recommender that keeps any.
    pub bytes: Option<Bytes>,
}

impl Figures {
    /// These figures apart from those of the clock, which no two runs share.
    #[must_use]
    pub fn without_times(self) -> Self {
        Self { seconds: 0.0, recommend_us: Microseconds::default(), learn_per_s: 0.0, events_per_s: 0.0, ..self }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accuracy = |a: &Accuracy| format!("{:.4} / {:.4}", a.hr20, a.mrr20);
        let us = &self.recommend_us;
        writeln!(f, "HR@{TOP} / MRR@{TOP}    {}", accuracy(&self.all))?;
        writeln!(f, "  first {FIRST}       {}", accuracy(&self.first5000))?;
        for (n, quarter) in self.quarters.iter().enumerate() {
            writeln!(f, "  quarter {}        {}", n + 1, accuracy(quarter))?;
        }
        writeln!(f, "coverage@{TOP}        {:.4} of the items seen", self.coverage20)?;
        writeln!(f, "filled             {:.4} of a list", self.filled)?;
        writeln!(f, "predictions        {} in {:.1} s", self.predictions, self.seconds)?;
        writeln!(f, "a list takes       p50 {:.1}, p90 {:.1}, p99 {:.1} µs", us.p50, us.p90, us.p99)?;
        writeln!(f, "learns             {:.0} events a second", self.learn_per_s)?;
        write!(f, "  and predicts     {:.0} events a second", self.events_per_s)?;
        if let Some(writes) = self.item_writes {
            write!(f, "\nitems written      {writes:.2} an event, in batches of 100")?;
        }
        if let Some(Bytes { item, person }) = self.bytes {
            write!(f, "\nbytes of an item   p50 {}, p90 {}", item.p50, item.p90)?;
            write!(f, "\nbytes of a person  p50 {}, p90 {}", person.p50, person.p90)?;
        }
        Ok(())
    }
}

/// What a run has seen so far.
pub(crate) struct Tally {
    /// The rank of what came next, from 1; 0 where it was missing.
    ranks: Vec<u8>,
    /// Came in an event, by item.
    seen: Vec<bool>,
    /// Was in a list, by item.
    listed: Vec<bool>,
    filled: f64,
    /// Nanoseconds of answers.
    took: Option<Histogram<u64>>,
    learned: u64,
    learning: Duration,
}

impl Tally {
    pub(crate) fn new(items: usize) -> Self {
        Self {
            ranks: Vec::new(),
            seen: vec![false; items],
            listed: vec![false; items],
            filled: 0.0,
            // Valid bounds: the histogram is always there
            took: Histogram::new_with_max(LONGEST_NS, 3).ok(),
            learned: 0,
            learning: Duration::ZERO,
        }
    }

    pub(crate) fn prediction(&mut self, list: &[u32], next: u32, fallback: usize, took: Duration) {
        self.ranks.push(list.iter().position(|item| *item == next).map_or(0, |place| place as u8 + 1));
        for item in list {
            if let Some(listed) = self.listed.get_mut(*item as usize) {
                *listed = true;
            }
        }
        if !list.is_empty() {
            self.filled += fallback.min(list.len()) as f64 / list.len() as f64;
        }
        if let Some(histogram) = &mut self.took {
            histogram.saturating_record(took.as_nanos() as u64);
        }
    }

    pub(crate) fn learned(&mut self, took: Duration) {
        self.learned += 1;
        self.learning += took;
    }

    pub(crate) fn seen(&mut self, item: u32) {
        self.seen[item as usize] = true;
    }

    pub(crate) fn figures(self, took: Duration, item_writes: Option<f64>, bytes: Option<Bytes>) -> Figures {
        let count = self.ranks.len();
        let seen = self.seen.iter().filter(|seen| **seen).count();
        let covered = self.seen.iter().zip(&self.listed).filter(|(seen, listed)| **seen && **listed).count();
        let us = |quantile: f64| self.took.as_ref().map_or(0.0, |h| h.value_at_quantile(quantile) as f64 / 1_000.0);
        Figures {
            all: accuracy(&self.ranks),
            first5000: accuracy(&self.ranks[..count.min(FIRST)]),
            quarters: [0, 1, 2, 3].map(|n| accuracy(&self.ranks[count * n / 4..count * (n + 1) / 4])),
            coverage20: ratio(covered as f64, seen as f64),
            filled: ratio(self.filled, count as f64),
            predictions: count as u64,
            seconds: took.as_secs_f64(),
            recommend_us: Microseconds { p50: us(0.5), p90: us(0.9), p99: us(0.99) },
            learn_per_s: ratio(self.learned as f64, self.learning.as_secs_f64()),
            events_per_s: ratio(self.learned as f64, took.as_secs_f64()),
            item_writes,
            bytes,
        }
    }
}

fn accuracy(ranks: &[u8]) -> Accuracy {
    let count = ranks.len() as f64;
    let hits = ranks.iter().filter(|rank| **rank > 0);
    let reciprocal = hits.clone().map(|rank| 1.0 / f64::from(*rank)).sum();
    Accuracy { hr20: ratio(hits.count() as f64, count), mrr20: ratio(reciprocal, count) }
}

/// A share; 0 of nothing, so that no figure is ever not a number.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
