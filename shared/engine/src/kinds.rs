//! How much it counts that a candidate is of some kind: learned beside the features, by facet of the catalogue.
//!
//! Going on from one kind of product to another has a weight of its own, and so has being of a kind that the context is of.
//! The weights live in a table of fixed size by hash (Weinberger et al., ICML 2009), so that they outlive every change of the
//! catalogue and no catalogue makes them many.

use crate::codec::{DecodeError, Reader, Writer};
use crate::facets::{Kinds, MAX_FACETS};

/// Weights of the table; number 0 is nobody's.
const CELLS: usize = 4_096;
/// How fast they learn (AdaGrad's rate).
const RATE: f32 = 0.03;
/// Odds under this teach nothing.
const LEAST_ODDS: f32 = 1e-4;

/// What a candidate is, beside the person's context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kinship {
    /// By facet: the cell of going on from the last item's kind to the candidate's.
    steps: [u16; MAX_FACETS],
    /// By facet: the share of the context that is of the candidate's kind.
    shares: [f32; MAX_FACETS],
    /// By facet: the cell of those shares.
    facets: [u16; MAX_FACETS],
}

impl Default for Kinship {
    fn default() -> Self {
        Self { steps: [0; MAX_FACETS], shares: [0.0; MAX_FACETS], facets: [0; MAX_FACETS] }
    }
}

impl Kinship {
    /// Of a candidate of the kinds `to`: `last` is the last item's, `shares` the context's shares of each of them.
    pub(crate) fn new(last: &Kinds, to: &Kinds, shares: [f32; MAX_FACETS], facets: &Kinds) -> Self {
        Self {
            steps: std::array::from_fn(|facet| cell(last[facet], to[facet])),
            shares,
            facets: std::array::from_fn(|facet| cell(1, facets[facet])),
        }
    }

    /// The cells with what each is multiplied by.
    fn terms(&self) -> impl Iterator<Item = (usize, f32)> {
        let steps = self.steps.iter().map(|cell| (usize::from(*cell), 1.0));
        let shares = self.facets.iter().zip(&self.shares).map(|(cell, share)| (usize::from(*cell), *share));
        steps.chain(shares).filter(|(cell, _)| *cell > 0)
    }
}

/// The cell of two numbers; 0 where one of them is nothing.
fn cell(from: u32, to: u32) -> u16 {
    if from == 0 || to == 0 {
        return 0;
    }
    let mixed = ((u64::from(from) << 32) | u64::from(to)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (1 + (mixed >> 40) as usize % (CELLS - 1)) as u16
}

/// The weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KindWeights {
    weights: Vec<f32>,
    squares: Vec<f32>,
}

impl Default for KindWeights {
    fn default() -> Self {
        Self { weights: vec![0.0; CELLS], squares: vec![0.0; CELLS] }
    }
}

impl KindWeights {
    /// What it counts.
    pub(crate) fn score(&self, kinship: &Kinship) -> f32 {
        kinship.terms().map(|(cell, share)| share * self.weights[cell]).sum()
    }

    /// One step of learning, noted in `own` as well, which holds the squares: `slopes` are by candidate, how much more (or less)
    /// likely it should have been.
    pub(crate) fn step(&mut self, own: &mut Self, candidates: &[Kinship], slopes: impl Iterator<Item = f32>) {
        let mut gradient = vec![0.0_f32; CELLS];
        let mut touched = Vec::new();
        for (kinship, slope) in candidates.iter().zip(slopes).filter(|(_, slope)| slope.abs() > LEAST_ODDS) {
            for (cell, share) in kinship.terms() {
                if gradient[cell] == 0.0 {
                    touched.push(cell);
                }
                gradient[cell] += slope * share;
            }
        }
        for cell in touched {
            // A cell that came back to 0 was noted twice: its step is taken once.
            let slope = std::mem::take(&mut gradient[cell]);
            own.squares[cell] += slope * slope;
            let step = RATE * slope / (own.squares[cell] + 1.0).sqrt();
            self.weights[cell] += step;
            own.weights[cell] += step;
        }
    }

    /// Adds a share of what others have learned.
    pub(crate) fn add(&mut self, other: &Self, share: f32) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(ours, theirs)| *ours += share * theirs);
    }

    /// Writes those that have learned anything.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let known: Vec<usize> = (1..CELLS).filter(|cell| self.squares[*cell] > 0.0).collect();
        writer.unsigned(known.len() as u64);
        for cell in known {
            writer.u16(cell as u16);
            writer.u32(self.weights[cell].to_bits());
            writer.u32(self.squares[cell].to_bits());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut read = Self::default();
        for _ in 0..reader.count(CELLS as u64)? {
            let cell = usize::from(reader.u16()?);
            let (weight, square) = (f32::from_bits(reader.u32()?), f32::from_bits(reader.u32()?));
            if cell >= CELLS || !weight.is_finite() || !square.is_finite() {
                return Err(DecodeError::OutOfRange);
            }
            (read.weights[cell], read.squares[cell]) = (weight, square);
        }
        Ok(read)
    }
}
