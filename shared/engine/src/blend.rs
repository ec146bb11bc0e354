//! The blend: how much each feature counts, learned on the stream.
//!
//! A list is a prediction that the person's next event refutes or confirms: the step is one of softmax cross-entropy over
//! all candidates, with AdaGrad (Duchi, Hazan, Singer, JMLR 2011). Every source partition keeps what it has learned itself, as
//! the difference from the start; the blend is the start and the sum of all, so that learning apart is learning together with
//! some delay.

use std::collections::BTreeMap;

use crate::codec::{DecodeError, Reader, Writer};
use crate::features::{FEATURES, Feature, Row, START};
use crate::history::Steps;
use crate::kinds::{KindWeights, Kinship};
use crate::strategy::Strategy;

/// The version of the bytes.
const VERSION: u8 = 1;
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

/// The weights, or what a partition has added to them.
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

    /// Adds what another copy has learned.
    fn add(&mut self, other: &Self) {
        for at in 0..ROWS {
            self.weights[at].add_scaled(&other.weights[at], 1.0);
            self.squares[at].add_scaled(&other.squares[at], 1.0);
        }
        self.kinds.add(&other.kinds);
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

/// A copy that learns: the blend as it sees it, and what it has added itself.
#[derive(Debug, Clone)]
pub struct Learner {
    blend: Blend,
    own: Blend,
    /// Copies that learn at the same time, this one included: each takes its share of the rate, since none sees the others'
    /// steps at once (at the full rate 8 of them lose .03 HR@20 on RetailRocket, at their share .001).
    copies: u32,
}

impl Default for Learner {
    fn default() -> Self {
        Self { blend: Blend::default(), own: Blend::blank(0), copies: 1 }
    }
}

impl Learner {
    /// What lists are made with by this copy.
    pub fn blend(&self) -> &Blend {
        &self.blend
    }

    /// What it has learned itself: what others are to add.
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
        let share = 1.0 / self.copies.max(1) as f32;
        for (group, at) in gates.rows.into_iter().enumerate() {
            let rate = if group == 0 { rate * share } else { rate * share * GROUP_RATE };
            for (feature, slope) in gradient.0.iter().enumerate() {
                let square = slope * slope;
                self.blend.squares[at].0[feature] += square;
                self.own.squares[at].0[feature] += square;
                let step = rate * slope / (self.blend.squares[at].0[feature] + DAMPING).sqrt();
                self.blend.weights[at].0[feature] += step;
                self.own.weights[at].0[feature] += step;
            }
        }
        if !kinships.is_empty() {
            let slope = |(at, odds): (usize, &f32)| f32::from(u8::from(at == target)) - odds / total;
            self.blend.kinds.step(&mut self.own.kinds, kinships, odds.iter().enumerate().map(slope), share);
        }
        self.blend.steps += 1;
        self.own.steps += 1;
    }
}

/// The blends of all strategies: what each source partition has learned, and the sums that lists are made with.
#[derive(Debug, Clone, Default)]
pub struct Blends {
    learned: BTreeMap<(Strategy, u32), Blend>,
    sums: BTreeMap<Strategy, Blend>,
    start: Blend,
}

impl Blends {
    /// Of what strategies' partitions have learned, see [`Learner::own`].
    pub fn new(learned: impl IntoIterator<Item = ((Strategy, u32), Blend)>) -> Self {
        let learned: BTreeMap<(Strategy, u32), Blend> = learned.into_iter().collect();
        let mut blends = Self { learned, ..Self::default() };
        blends.sums = Strategy::ALL.into_iter().map(|strategy| (strategy, blends.sum(strategy, None))).collect();
        blends
    }

    /// The start and what all partitions (but one) have learned.
    fn sum(&self, strategy: Strategy, without: Option<u32>) -> Blend {
        let mut sum = Blend::default();
        for ((_, partition), learned) in self.learned.range((strategy, 0)..=(strategy, u32::MAX)) {
            if without != Some(*partition) {
                sum.add(learned);
            }
        }
        sum
    }

    /// What a strategy has learned in all.
    pub fn of(&self, strategy: Strategy) -> &Blend {
        self.sums.get(&strategy).unwrap_or(&self.start)
    }

    /// Brings a partition's copy up to what the others have learned, and to what the partition itself had learned elsewhere
    /// where that is more.
    pub fn renew(&self, learner: &mut Learner, strategy: Strategy, partition: u32) {
        if let Some(known) = self.learned.get(&(strategy, partition)).filter(|known| known.steps > learner.own.steps) {
            learner.own.clone_from(known);
        }
        let known = self.learned.range((strategy, 0)..=(strategy, u32::MAX));
        let others = known.filter(|((_, other), learned)| *other != partition && learned.steps > 0).count();
        learner.copies = u32::try_from(others).unwrap_or(u32::MAX - 1) + 1;
        learner.blend = self.sum(strategy, Some(partition));
        learner.blend.add(&learner.own);
    }
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
    fn the_blend_is_the_start_and_what_all_partitions_have_learned() {
        let (one, two) = (learned(1, 30), learned(1, 10));
        assert_eq!(&Blend::decode(&one.own().encode()).unwrap(), one.own());
        let blends =
            Blends::new([((Strategy::Hybrid, 0), one.own().clone()), ((Strategy::Hybrid, 3), two.own().clone())]);
        let sum = blends.of(Strategy::Hybrid);
        assert_eq!((sum.steps(), blends.of(Strategy::Collaborative).steps()), (40, 0));
        let popularity = |blend: &Blend| weight(blend, Feature::Popularity);
        let (start, first, second) = (popularity(&Blend::default()), popularity(one.blend()), popularity(two.blend()));
        assert!((popularity(sum) - (first + second - start)).abs() < 1e-5);
        // A new process goes on where the partition was; one that knows more keeps it.
        let (mut fresh, mut ahead) = (Learner::default(), learned(1, 60));
        let own = ahead.own().clone();
        blends.renew(&mut fresh, Strategy::Hybrid, 3);
        blends.renew(&mut ahead, Strategy::Hybrid, 3);
        assert_eq!((fresh.own(), fresh.blend().steps()), (two.own(), 40));
        assert_eq!((ahead.own(), ahead.blend().steps()), (&own, 90));
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
