//! What most want: the plainest of recommenders.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::background::Background;
use crate::{Dataset, Event, Recommender, Request};

/// After so many events a count is worth half: of 2,000, 10,000 and 50,000 the best on four shops' streams, prequential with
/// repeats; a frozen split would rather have a longer one.
const HALF_LIFE: f64 = 2_000.0;
/// Weights beyond this are scaled down, so that they never overflow.
const LARGEST: f64 = 1e100;

/// The same list for all: items by their decayed count of events ("Most Popular"; the decay as in Ji et al., "A Re-visit of the
/// Popularity Baseline in Recommender Systems", SIGIR 2020).
pub struct Popularity(Background);

impl Popularity {
    /// Knows nothing yet.
    pub fn new(dataset: &Dataset) -> Self {
        Self(Background::new(dataset))
    }
}

impl Recommender for Popularity {
    fn name(&self) -> &'static str {
        "popularity"
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        self.0.fill_popular(request, list)
    }

    fn learn(&mut self, event: &Event) {
        self.0.learn(event);
    }

    fn follow(&mut self, event: &Event) {
        self.0.follow(event);
    }
}

/// Decayed counts in order. Instead of letting old counts fade, new events weigh more and more (forward decay, Cormode et al.,
/// ICDE 2009): only the item that an event is about changes its place.
pub(super) struct Ranking {
    weight: f64,
    counts: Vec<f64>,
    /// The counts' bits, whose order is that of positive numbers; of equal ones the lowest item comes last, which is first.
    order: BTreeSet<(u64, Reverse<u32>)>,
}

impl Ranking {
    pub(super) fn new() -> Self {
        Self { weight: 1.0, counts: Vec::new(), order: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, item: u32) {
        let at = item as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0.0);
        }
        self.order.remove(&(self.counts[at].to_bits(), Reverse(item)));
        self.counts[at] += self.weight;
        self.order.insert((self.counts[at].to_bits(), Reverse(item)));
        self.weight *= (1.0 / HALF_LIFE).exp2();
        if self.weight > LARGEST {
            self.rescale();
        }
    }

    /// Items, the most popular first.
    pub(super) fn best(&self) -> impl Iterator<Item = u32> {
        self.order.iter().rev().map(|(_, Reverse(item))| *item)
    }

    fn rescale(&mut self) {
        let known = std::mem::take(&mut self.order);
        self.counts.iter_mut().for_each(|count| *count /= self.weight);
        self.weight = 1.0;
        self.order = known.iter().map(|(_, item)| (self.counts[item.0 as usize].to_bits(), *item)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_and_later_events_rank_higher_and_ties_go_by_number() {
        let mut ranking = Ranking::new();
        [7, 3, 7, 5].into_iter().for_each(|item| ranking.add(item));
        assert_eq!(ranking.best().collect::<Vec<_>>(), [7, 5, 3]);
        ranking.counts = vec![0.0, 1.0, 1.0];
        ranking.order = [(1.0_f64.to_bits(), Reverse(1)), (1.0_f64.to_bits(), Reverse(2))].into();
        assert_eq!(ranking.best().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_count_halves_in_its_half_life_and_rescaling_changes_no_order() {
        let mut ranking = Ranking::new();
        (0..3).for_each(|_| ranking.add(0));
        (0..HALF_LIFE as u32).for_each(|n| ranking.add(10 + n));
        (0..2).for_each(|_| ranking.add(1));
        let before: Vec<u32> = ranking.best().collect();
        assert_eq!(before[..2], [1, 0], "two new events against three of a half-life ago");
        ranking.rescale();
        assert_eq!(ranking.best().collect::<Vec<_>>(), before);
    }
}
