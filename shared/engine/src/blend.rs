//! The blend: how much each feature counts, learned on the stream.
//!
//! A list is a prediction that the person's next event refutes or confirms: the step is one of softmax cross-entropy over
//! all candidates, with AdaGrad (Duchi, Hazan, Singer, JMLR 2011). Every source partition learns a copy of its own; readers
//! take the mean, and writers go on from it.

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

/// The weights.
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
            let (weights, squares) = (&mut self.weights[at].0, &mut self.squares[at].0);
            for ((weight, square), slope) in weights.iter_mut().zip(squares).zip(&gradient.0) {
                *square += slope * slope;
                *weight += rate * slope / (*square + 1.0).sqrt();
            }
        }
        if !kinships.is_empty() {
            let slope = |(at, odds): (usize, &f32)| f32::from(u8::from(at == target)) - odds / total;
            self.kinds.step(kinships, odds.iter().enumerate().map(slope));
        }
        self.steps += 1;
    }

    /// The mean of what partitions have learned, each by its steps; the start where none has learned.
    pub fn mean<'a>(blends: impl IntoIterator<Item = &'a Self>) -> Self {
        let blends: Vec<&Self> = blends.into_iter().filter(|blend| blend.steps > 0).collect();
        let steps: u64 = blends.iter().map(|blend| blend.steps).sum();
        if blends.is_empty() {
            return Self::default();
        }
        let mut mean = Self::blank(steps);
        for blend in blends {
            let share = blend.steps as f32 / steps as f32;
            for at in 0..ROWS {
                mean.weights[at].add_scaled(&blend.weights[at], share);
                mean.squares[at].add_scaled(&blend.squares[at], share);
            }
            mean.kinds.add_scaled(&blend.kinds, share);
        }
        mean
    }

    /// Goes on from what all partitions know together; the steps stay those of this copy.
    pub fn follow(&mut self, mean: &Self) {
        if mean.steps > 0 {
            *self = Self { steps: self.steps, ..mean.clone() };
        }
    }

    /// Its bytes: about 12 KB, and 10 bytes for every step between kinds that was learned.
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
        match reader.byte()? {
            VERSION => {}
            other => return Err(DecodeError::Version(other)),
        }
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

/// The blends of all strategies: what each source partition learned, and the means that lists are made with.
#[derive(Debug, Clone, Default)]
pub struct Blends {
    copies: BTreeMap<(Strategy, u32), Blend>,
    means: BTreeMap<Strategy, Blend>,
    start: Blend,
}

impl Blends {
    /// Of the copies that strategies' partitions have learned.
    pub fn new(copies: impl IntoIterator<Item = ((Strategy, u32), Blend)>) -> Self {
        let copies: BTreeMap<(Strategy, u32), Blend> = copies.into_iter().collect();
        let mean = |strategy: Strategy| {
            Blend::mean(copies.iter().filter(|((of, _), _)| *of == strategy).map(|(_, blend)| blend))
        };
        let means = Strategy::ALL.into_iter().map(|strategy| (strategy, mean(strategy))).collect();
        Self { copies, means, start: Blend::default() }
    }

    /// What a strategy has learned in all.
    pub fn of(&self, strategy: Strategy) -> &Blend {
        self.means.get(&strategy).unwrap_or(&self.start)
    }

    /// What a partition goes on learning from: all that is known, with its own steps.
    pub fn copy_for(&self, strategy: Strategy, partition: u32) -> Blend {
        let mut copy = self.copies.get(&(strategy, partition)).cloned().unwrap_or_default();
        copy.follow(self.of(strategy));
        copy
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

    fn learned(target: usize, steps: usize) -> Blend {
        let mut blend = Blend::default();
        for _ in 0..steps {
            let weights = blend.at(gates());
            let scores: Vec<f32> = rows().iter().map(|row| row.dot(&weights)).collect();
            let foretold = Foretold { gates: gates(), rows: &rows(), kinships: &[], scores: &scores };
            blend.step(foretold, target, 0.1);
        }
        blend
    }

    #[test]
    fn what_comes_true_counts_more_and_what_does_not_counts_less() {
        let (start, now) = (Blend::default().at(gates()), learned(1, 50).at(gates()));
        let change = |feature: Feature| now.0[feature as usize] - start.0[feature as usize];
        assert!(change(Feature::Popularity) > 0.1 && change(Feature::Rank2) < -0.1);
        assert!(change(Feature::Rank3).abs() < f32::EPSILON);
    }

    #[test]
    fn bytes_keep_a_blend_and_the_mean_is_of_those_that_learned() {
        let (one, two) = (learned(1, 30), learned(2, 10));
        assert_eq!(Blend::decode(&one.encode()).unwrap(), one);
        let blends = Blends::new([((Strategy::Hybrid, 0), one.clone()), ((Strategy::Hybrid, 3), two)]);
        let mean = blends.of(Strategy::Hybrid);
        assert_eq!((mean.steps(), blends.of(Strategy::Collaborative).steps()), (40, 0));
        let weight = |blend: &Blend| blend.at(gates()).0[Feature::Popularity as usize];
        assert!(weight(mean) < weight(&one) && weight(mean) > weight(&Blend::default()));
        let copy = blends.copy_for(Strategy::Hybrid, 3);
        assert_eq!((copy.steps(), weight(&copy)), (10, weight(mean)));
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
