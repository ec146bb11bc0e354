//! The blend: how much each feature counts, learned on the stream.
//!
//! A list is a prediction that the person's next event refutes or confirms: the step is one of softmax cross-entropy over
//! all candidates, with AdaGrad (Duchi, Hazan, Singer, JMLR 2011).
//!
//! Every source partition learns a copy of its own and keeps how far it went, as the difference from the start; the blend is the
//! start and the mean of all differences by lessons, and each copy goes on from there now and then (local SGD: Stich, ICLR 2019).
//! A copy sees its own steps in full until then, so that copies which learn the same thing at the same time don't overshoot.

use std::collections::BTreeMap;

use crate::codec::{DecodeError, Reader, Writer};
use crate::features::{FEATURES, Feature, Row, START};
use crate::history::Steps;
use crate::kinds::{KindWeights, Kinship};
use crate::strategy::Strategy;

/// The version of the bytes.
const VERSION: u8 = 2;
/// Rows by the events of the visit so far: 1, 2, 3, 4-5, 6-9, 10 and more.
const BY_LENGTH: usize = 6;
/// Rows by the weight of what is known of the last item: nothing, under 3, under 15, under 80, more.
const BY_KNOWN: usize = 5;
/// Rows by how the last two steps went, see [`Steps`].
const BY_STEPS: usize = Steps::COUNT;
/// The base row and all groups: one row of each group adds to the base row.
const ROWS: usize = 1 + BY_LENGTH + BY_KNOWN + BY_STEPS;
/// Rows of groups see fewer lessons each and learn slower: at the full rate they cost a new shop its first days (e-shop 2008, the
/// first 5,000: HR@20 .598 against .615).
const GROUP_RATE: f32 = 0.3;
/// Added to AdaGrad's sum of squares. Features of one candidate are many, large and alike: at 1 the first lessons of a shop move a
/// score by 8 each and turn its lists over. From 1 to 300 nothing is lost on long streams (HR@20 within .001).
const DAMPING: f32 = 300.0;
/// A gradient this long is cut: no single surprise turns the blend over.
const LONGEST: f32 = 1e3;

/// Which rows of the blend speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gates {
    rows: [usize; 4],
}

impl Gates {
    /// By the number of events of the visit so far (1 or more), by the weight of what is known of the last item, and by how
    /// the last steps went.
    pub(crate) fn new(visit_events: usize, known: f32, steps: Steps) -> Self {
        let by_length = match visit_events {
            0..=1 => 0,
            2 => 1,
            3 => 2,
            4..=5 => 3,
            6..=9 => 4,
            _ => 5,
        };
        let by_known = match known {
            known if known <= 0.0 => 0,
            known if known < 3.0 => 1,
            known if known < 15.0 => 2,
            known if known < 80.0 => 3,
            _ => 4,
        };
        Self { rows: [0, 1 + by_length, 1 + BY_LENGTH + by_known, 1 + BY_LENGTH + BY_KNOWN + steps.number()] }
    }
}

/// What a list was made of, as the blend sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foretold<'a> {
    pub(crate) gates: Gates,
    /// By candidate.
    pub(crate) rows: &'a [Row],
    /// By candidate; empty where the catalogue has no facets.
    pub(crate) kinships: &'a [Kinship],
    /// By candidate.
    pub(crate) scores: &'a [f32],
}

/// The weights, or how far a partition has moved them.
#[derive(Debug, Clone, PartialEq)]
pub struct Blend {
    weights: Vec<Row>,
    squares: Vec<Row>,
    pub(crate) kinds: KindWeights,
    /// Steps taken.
    steps: u64,
}

impl Default for Blend {
    fn default() -> Self {
        let mut blend = Self::blank(0);
        blend.weights[0].0[..FEATURES].copy_from_slice(START);
        blend
    }
}

impl Blend {
    /// Nothing learned, as a difference.
    fn blank(steps: u64) -> Self {
        let rows = vec![Row::default(); ROWS];
        Self { weights: rows.clone(), squares: rows, kinds: KindWeights::default(), steps }
    }

    /// Steps of learning that are in it.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The weights for these gates.
    pub(crate) fn at(&self, gates: Gates) -> Row {
        let mut sum = Row::default();
        gates.rows.into_iter().for_each(|row| sum.add_scaled(&self.weights[row], 1.0));
        sum
    }

    /// The weights for somebody of whom nothing is known: what most want. Nothing foretells a first event but this, and nothing
    /// is learned from it.
    pub(crate) fn for_strangers() -> Row {
        let mut row = Row::default();
        row.set(Feature::Popularity, 1.0);
        row.set(Feature::Trend, 0.5);
        row
    }

    /// Adds a share of what another copy has learned.
    fn add(&mut self, other: &Self, share: f32) {
        for (ours, theirs) in self.weights.iter_mut().zip(&other.weights) {
            ours.add_scaled(theirs, share);
        }
        self.kinds.add(&other.kinds, share);
        self.steps += other.steps;
    }

    /// Its bytes: about 10 KB, and 10 bytes for every step between kinds that was learned.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        writer.unsigned(self.steps);
        writer.unsigned(ROWS as u64);
        writer.unsigned(FEATURES as u64);
        for row in self.weights.iter().chain(&self.squares) {
            row.0[..FEATURES].iter().for_each(|value| writer.u32(value.to_bits()));
        }
        self.kinds.write(&mut writer);
        writer.into_bytes()
    }

    /// Reads its bytes. A blend of other features than these is no longer known: the shop starts anew.
    ///
    /// # Errors
    /// They are no blend of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION)?;
        let mut blend = Self::blank(reader.unsigned()?);
        if (reader.unsigned()?, reader.unsigned()?) != (ROWS as u64, FEATURES as u64) {
            return Err(DecodeError::OutOfRange);
        }
        for row in blend.weights.iter_mut().chain(&mut blend.squares) {
            for value in &mut row.0[..FEATURES] {
                *value = f32::from_bits(reader.u32()?);
                if !value.is_finite() {
                    return Err(DecodeError::OutOfRange);
                }
            }
        }
        blend.kinds = KindWeights::read(&mut reader)?;
        reader.end()?;
        Ok(blend)
    }
}

/// A copy that learns: the blend as it sees it, and how far it went itself.
#[derive(Debug, Clone)]
pub struct Learner {
    blend: Blend,
    /// With the squares of its own gradients.
    own: Blend,
}

impl Default for Learner {
    fn default() -> Self {
        Self { blend: Blend::default(), own: Blend::blank(0) }
    }
}

impl Learner {
    /// What lists are made with by this copy.
    pub fn blend(&self) -> &Blend {
        &self.blend
    }

    /// What it has learned itself: what others take their share of.
    pub fn own(&self) -> &Blend {
        &self.own
    }

    /// One step towards the candidate `target`.
    pub(crate) fn step(&mut self, foretold: Foretold<'_>, target: usize, rate: f32) {
        let Foretold { gates, rows, kinships, scores } = foretold;
        let Some(best) = scores.iter().copied().reduce(f32::max) else { return };
        let Some(chosen) = rows.get(target) else { return };
        let mut gradient = Row::default();
        let odds: Vec<f32> = scores.iter().map(|score| (score - best).exp()).collect();
        let total: f32 = odds.iter().sum();
        for (row, odds) in rows.iter().zip(&odds).filter(|(_, odds)| **odds > 1e-7) {
            gradient.add_scaled(row, -odds / total);
        }
        gradient.add_scaled(chosen, 1.0);
        if !gradient.0.iter().all(|value| value.abs() < LONGEST) {
            return;
        }
        for (group, at) in gates.rows.into_iter().enumerate() {
            let rate = if group == 0 { rate } else { rate * GROUP_RATE };
            for (feature, slope) in gradient.0.iter().enumerate() {
                self.own.squares[at].0[feature] += slope * slope;
                let step = rate * slope / (self.own.squares[at].0[feature] + DAMPING).sqrt();
                self.blend.weights[at].0[feature] += step;
                self.own.weights[at].0[feature] += step;
            }
        }
        if !kinships.is_empty() {
            let slope = |(at, odds): (usize, &f32)| f32::from(u8::from(at == target)) - odds / total;
            self.blend.kinds.step(&mut self.own.kinds, kinships, odds.iter().enumerate().map(slope));
        }
        self.blend.steps += 1;
        self.own.steps += 1;
    }
}

/// The blends of all strategies: what each source partition has learned, and the means that lists are made with.
#[derive(Debug, Clone, Default)]
pub struct Blends {
    learned: BTreeMap<(Strategy, u32), Blend>,
    means: BTreeMap<Strategy, Blend>,
    start: Blend,
}

impl Blends {
    /// Of what strategies' partitions have learned, see [`Learner::own`].
    pub fn new(learned: impl IntoIterator<Item = ((Strategy, u32), Blend)>) -> Self {
        let learned: BTreeMap<(Strategy, u32), Blend> = learned.into_iter().collect();
        let mut blends = Self { learned, ..Self::default() };
        blends.means = Strategy::ALL.into_iter().map(|strategy| (strategy, mean(blends.copies(strategy)))).collect();
        blends
    }

    fn copies(&self, strategy: Strategy) -> impl Iterator<Item = &Blend> + Clone {
        self.learned.range((strategy, 0)..=(strategy, u32::MAX)).map(|(_, learned)| learned)
    }

    /// What a strategy has learned in all.
    pub fn of(&self, strategy: Strategy) -> &Blend {
        self.means.get(&strategy).unwrap_or(&self.start)
    }

    /// Lets a partition's copy go on from the mean of all, and from what the partition itself had learned elsewhere where that is
    /// more.
    pub fn renew(&self, learner: &mut Learner, strategy: Strategy, partition: u32) {
        if let Some(known) = self.learned.get(&(strategy, partition)).filter(|known| known.steps > learner.own.steps) {
            learner.own.clone_from(known);
        }
        let known = self.learned.range((strategy, 0)..=(strategy, u32::MAX));
        let others = known.filter(|((_, other), _)| *other != partition).map(|(_, learned)| learned);
        learner.blend = mean(others.chain([&learner.own]));
    }
}

/// The start and the mean of how far copies went from there, by their steps.
fn mean<'b>(copies: impl Iterator<Item = &'b Blend> + Clone) -> Blend {
    let mut mean = Blend::default();
    let total: u64 = copies.clone().map(|copy| copy.steps).sum();
    for copy in copies.filter(|copy| copy.steps > 0) {
        mean.add(copy, copy.steps as f32 / total as f32);
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates() -> Gates {
        Gates::new(2, 5.0, Steps::default())
    }

    fn rows() -> Vec<Row> {
        let mut rows = vec![Row::default(); 4];
        rows[1].set(Feature::Popularity, 1.0);
        rows[2].set(Feature::Rank2, 1.0);
        rows
    }

    fn learned(target: usize, steps: usize) -> Learner {
        let mut learner = Learner::default();
        for _ in 0..steps {
            let weights = learner.blend.at(gates());
            let scores: Vec<f32> = rows().iter().map(|row| row.dot(&weights)).collect();
            let foretold = Foretold { gates: gates(), rows: &rows(), kinships: &[], scores: &scores };
            learner.step(foretold, target, 0.1);
        }
        learner
    }

    fn weight(blend: &Blend, feature: Feature) -> f32 {
        blend.at(gates()).0[feature as usize]
    }

    #[test]
    fn what_comes_true_counts_more_and_what_does_not_counts_less() {
        let (start, learner) = (Blend::default(), learned(1, 50));
        let change = |feature: Feature| weight(learner.blend(), feature) - weight(&start, feature);
        assert!(change(Feature::Popularity) > 0.1 && change(Feature::Rank2) < -0.1);
        assert!(change(Feature::Rank3).abs() < f32::EPSILON);
    }

    #[test]
    fn the_blend_is_the_start_and_the_mean_of_what_all_partitions_have_learned() {
        let (one, two) = (learned(1, 30), learned(1, 10));
        assert_eq!(&Blend::decode(&one.own().encode()).unwrap(), one.own());
        let blends =
            Blends::new([((Strategy::Hybrid, 0), one.own().clone()), ((Strategy::Hybrid, 3), two.own().clone())]);
        let mean = blends.of(Strategy::Hybrid);
        assert_eq!((mean.steps(), blends.of(Strategy::Collaborative).steps()), (40, 0));
        let popularity = |blend: &Blend| weight(blend, Feature::Popularity);
        let expected = 0.75 * popularity(one.blend()) + 0.25 * popularity(two.blend());
        assert!((popularity(mean) - expected).abs() < 1e-5);
        // A new process goes on where the partition was; one that knows more keeps it.
        let (mut fresh, mut ahead) = (Learner::default(), learned(1, 60));
        let own = ahead.own().clone();
        blends.renew(&mut fresh, Strategy::Hybrid, 3);
        blends.renew(&mut ahead, Strategy::Hybrid, 3);
        assert_eq!((fresh.own(), fresh.blend().steps()), (two.own(), 40));
        assert_eq!((ahead.own(), ahead.blend().steps()), (&own, 90));
        // What it had been shown already is not learned again.
        let before = popularity(ahead.blend());
        blends.renew(&mut ahead, Strategy::Hybrid, 3);
        assert!((popularity(ahead.blend()) - before).abs() < 1e-6);
    }

    #[test]
    fn broken_bytes_are_no_blend() {
        let bytes = Blend::default().encode();
        for end in [0, 1, 5, bytes.len() - 1] {
            assert!(Blend::decode(&bytes[..end]).is_err());
        }
        let mut nan = bytes;
        let end = nan.len();
        nan[end - 5..end - 1].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(Blend::decode(&nan), Err(DecodeError::OutOfRange));
    }
}
