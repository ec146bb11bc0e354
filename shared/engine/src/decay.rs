//! Sums that fade, in fixed point: forward decay.
//!
//! Instead of shrinking old contributions, new ones are written larger: at time t a contribution w counts as
//! w · 2^((t − L) / h), L being the document's landmark and h the half-life; today's value is the sum times 2^((L − now) / h).
//! As integers these sums are exact and commutative between two moves of the landmark, independent of how events were batched,
//! and short as variable-length integers. Source: Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay (ICDE 2009).

/// One unit of weight at the landmark.
const SCALE: f64 = 16.0;
/// The landmark moves when events are this many half-lives past it.
const MAX_HALF_LIVES: i64 = 4;
/// Contributions older than this many half-lives before the landmark are nothing.
const MIN_HALF_LIVES: i64 = 40;

/// The landmark of a document's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Landmark {
    /// Milliseconds since the epoch; 0: nothing was added yet.
    pub(crate) at_ms: i64,
}

impl Landmark {
    /// How many bits every sum must be shifted right before an event at `at_ms` is added; moves the landmark.
    pub(crate) fn advance(&mut self, at_ms: i64, half_life_ms: i64) -> u32 {
        if self.at_ms == 0 {
            self.at_ms = at_ms.max(1);
            return 0;
        }
        let past = at_ms.saturating_sub(self.at_ms) / half_life_ms.max(1);
        if past < MAX_HALF_LIVES {
            return 0;
        }
        self.at_ms = self.at_ms.saturating_add(past.saturating_mul(half_life_ms.max(1)));
        u32::try_from(past).unwrap_or(u32::MAX)
    }

    /// What a weight at `at_ms` adds to a sum.
    pub(crate) fn contribution(self, at_ms: i64, half_life_ms: i64) -> Contribution {
        let half_lives = (at_ms.saturating_sub(self.at_ms)) as f64 / half_life_ms.max(1) as f64;
        let half_lives = half_lives.clamp(-(MIN_HALF_LIVES as f64), MAX_HALF_LIVES as f64);
        Contribution(SCALE * half_lives.exp2())
    }

    /// A sum's value as of the landmark of `other`, so that sums of two documents compare.
    pub(crate) fn decayed(self, sum: u64) -> Decayed {
        Decayed { sum, at_ms: self.at_ms }
    }
}

/// What a weight of 1 adds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contribution(f64);

impl Contribution {
    /// What `weight` adds, in fixed point.
    pub(crate) fn of(self, weight: f32) -> u64 {
        (self.0 * f64::from(weight.max(0.0))).round() as u64
    }
}

/// `sum` shifted right by `bits`, rounded to the nearest.
pub(crate) fn fade(sum: u64, bits: u32) -> u64 {
    match bits {
        0 => sum,
        1..=63 => (sum >> bits) + ((sum >> (bits - 1)) & 1),
        _ => 0,
    }
}

/// A sum with the landmark it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decayed {
    /// Fixed point.
    pub(crate) sum: u64,
    /// The landmark, milliseconds since the epoch.
    pub(crate) at_ms: i64,
}

impl Decayed {
    /// What one unit of the sum is worth as seen from `now_ms`.
    pub(crate) fn unit_at(self, now_ms: i64, half_life_ms: i64) -> f64 {
        Self { sum: 1, at_ms: self.at_ms }.weight_at(now_ms, half_life_ms)
    }

    /// Its weight as seen from the landmark `now_ms`: comparable with every other sum seen from there.
    pub fn weight_at(self, now_ms: i64, half_life_ms: i64) -> f64 {
        let half_lives = (self.at_ms.saturating_sub(now_ms)) as f64 / half_life_ms.max(1) as f64;
        self.sum as f64 / SCALE * half_lives.clamp(-1_000.0, 1_000.0).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const H: i64 = 1_000;

    #[test]
    fn a_weight_halves_in_a_half_life() {
        let mut landmark = Landmark::default();
        landmark.advance(5_000, H);
        let sum = landmark.decayed(landmark.contribution(5_000, H).of(8.0));
        assert!((sum.weight_at(5_000, H) - 8.0).abs() < 1e-9);
        assert!((sum.weight_at(6_000, H) - 4.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn moving_the_landmark_changes_no_value_by_more_than_rounding(times in proptest::collection::vec(1_i64..60_000, 1..40)) {
            let (mut landmark, mut sum) = (Landmark::default(), 0);
            let mut sorted = times.clone();
            sorted.sort_unstable();
            for at in &sorted {
                sum = fade(sum, landmark.advance(*at, H)) + landmark.contribution(*at, H).of(1.0);
            }
            let now = sorted[sorted.len() - 1];
            let exact: f64 = sorted.iter().map(|at| ((*at - now) as f64 / H as f64).exp2()).sum();
            let ours = landmark.decayed(sum).weight_at(now, H);
            prop_assert!((ours - exact).abs() < 0.05 * exact + 0.2, "{ours} for {exact}");
        }

        #[test]
        fn between_two_moves_the_order_does_not_matter(mut times in proptest::collection::vec(1_000_i64..4_900, 2..30)) {
            let total = |times: &[i64]| {
                let landmark = Landmark { at_ms: 1_000 };
                times.iter().map(|at| landmark.contribution(*at, H).of(1.5)).sum::<u64>()
            };
            let before = total(&times);
            times.reverse();
            prop_assert_eq!(before, total(&times));
        }
    }
}
