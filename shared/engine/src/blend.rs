//! The blend: how much each feature counts, learned on the stream.
//!
//! A list is a prediction that the person's next event refutes or confirms: the step is one of softmax cross-entropy over
//! all candidates, with AdaGrad (Duchi, Hazan, Singer, JMLR 2011). Every source partition learns a copy of its own; readers
//! take the mean, and writers go on from it.

use crate::codec::{DecodeError, Reader, Writer};
use crate::features::{FEATURES, Row, START};

/// The version of the bytes.
const VERSION: u8 = 1;
/// Sizes of the groups of rows: one row of each group adds to the base row.
const GROUPS: [usize; 2] = [6, 5];
/// The base row and all groups.
const ROWS: usize = 1 + GROUPS[0] + GROUPS[1];
/// A gradient this long is cut: no single surprise turns the blend over.
const LONGEST: f32 = 1e3;

/// Which rows of the blend speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gates {
    rows: [usize; GROUPS.len()],
}

impl Gates {
    /// By the number of events of the visit so far (1 or more), and by the weight of what is known of the last item.
    pub(crate) fn new(visit_events: usize, known: f32) -> Self {
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
        Self { rows: [1 + by_length, 1 + GROUPS[0] + by_known] }
    }

    fn all(self) -> [usize; 1 + GROUPS.len()] {
        [0, self.rows[0], self.rows[1]]
    }
}

/// The weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Blend {
    weights: Vec<Row>,
    squares: Vec<Row>,
    /// Steps taken.
    steps: u64,
}

impl Default for Blend {
    fn default() -> Self {
        let mut weights = vec![Row::default(); ROWS];
        weights[0].0[..FEATURES].copy_from_slice(START);
        Self { weights, squares: vec![Row::default(); ROWS], steps: 0 }
    }
}

impl Blend {
    /// Steps of learning that are in it.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The weights for these gates.
    pub(crate) fn at(&self, gates: Gates) -> Row {
        let mut sum = Row::default();
        gates.all().into_iter().for_each(|row| sum.add_scaled(&self.weights[row], 1.0));
        sum
    }

    /// One step towards `target`, one of `rows` that had these `scores`.
    pub(crate) fn step(&mut self, gates: Gates, rows: &[Row], scores: &[f32], target: usize, rate: f32) {
        let Some(best) = scores.iter().copied().reduce(f32::max) else { return };
        let Some(chosen) = rows.get(target) else { return };
        let mut gradient = Row::default();
        let mut total = 0.0;
        for (row, score) in rows.iter().zip(scores) {
            let odds = (score - best).exp();
            total += odds;
            if odds > 1e-7 {
                gradient.add_scaled(row, -odds);
            }
        }
        gradient.0.iter_mut().for_each(|value| *value /= total);
        gradient.add_scaled(chosen, 1.0);
        if !gradient.0.iter().all(|value| value.abs() < LONGEST) {
            return;
        }
        for at in gates.all() {
            let (weights, squares) = (&mut self.weights[at].0, &mut self.squares[at].0);
            for ((weight, square), slope) in weights.iter_mut().zip(squares).zip(&gradient.0) {
                *square += slope * slope;
                *weight += rate * slope / (*square + 1.0).sqrt();
            }
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
        let mut mean = Self { weights: vec![Row::default(); ROWS], squares: vec![Row::default(); ROWS], steps };
        for blend in blends {
            let share = blend.steps as f32 / steps as f32;
            for at in 0..ROWS {
                mean.weights[at].add_scaled(&blend.weights[at], share);
                mean.squares[at].add_scaled(&blend.squares[at], share);
            }
        }
        mean
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        writer.unsigned(self.steps);
        writer.unsigned(ROWS as u64);
        writer.unsigned(FEATURES as u64);
        for row in self.weights.iter().chain(&self.squares) {
            row.0[..FEATURES].iter().for_each(|value| writer.u32(value.to_bits()));
        }
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
        let steps = reader.unsigned()?;
        if (reader.unsigned()?, reader.unsigned()?) != (ROWS as u64, FEATURES as u64) {
            return Err(DecodeError::OutOfRange);
        }
        let mut rows = || -> Result<Vec<Row>, DecodeError> {
            let mut rows = vec![Row::default(); ROWS];
            for row in &mut rows {
                for value in &mut row.0[..FEATURES] {
                    *value = f32::from_bits(reader.u32()?);
                    if !value.is_finite() {
                        return Err(DecodeError::OutOfRange);
                    }
                }
            }
            Ok(rows)
        };
        let (weights, squares) = (rows()?, rows()?);
        reader.end()?;
        Ok(Self { weights, squares, steps })
    }
}
