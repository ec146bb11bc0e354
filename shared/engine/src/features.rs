//! The features of a candidate, by name: what each is, where its weight starts, and to which part of a reason it belongs.

/// What a feature speaks of, for the reason that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What people did after and before the same items.
    Followed,
    /// What this person did before.
    Again,
    /// What the product is.
    Alike,
    /// What is wanted in the categories of the person.
    InCategory,
    /// What is wanted.
    Popular,
}

/// Parts of a reason.
pub(crate) const PARTS: usize = 5;

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $name:ident $part:ident $start:literal;)+) => {
        /// A feature of a candidate; its number is its place in a [`Row`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub(crate) enum Feature { $($(#[doc = $doc])+ $name),+ }

        /// The weights that a shop starts with.
        pub(crate) const START: &[f32] = &[$($start),+];
        /// The part of each.
        pub(crate) const PART: &[Part] = &[$(Part::$part),+];
    };
}

// Shares are of the sums that an item document holds; `ln(x, e)` is ln(1 + x/e). Context items are the last distinct ones,
// position 0 the newest. "Again" features are of items that the person has touched before.
features! {
    /// Share of what came directly after the last item: ln(x, .002).
    LastAdjacentLn Followed 0.11;
    /// The same, 3x.
    LastAdjacent Followed 0.31;
    /// Share of what came directly after the item before the last: ln(x, .002).
    SecondAdjacentLn Followed 0.01;
    /// How often it came after the last item: ln(1 + weight).
    LastWeight Followed 0.17;
    /// How fresh the last item's edge is: 1 when it was just seen, 0 after days.
    LastFreshness Followed 0.25;
    /// What came after the context, by .5^position: ln(x, .002).
    ForwardLn Followed 0.22;
    /// The same, 3x.
    Forward Followed -0.16;
    /// What came before the context, by .5^position: ln(x, .002).
    BackwardLn Followed 0.09;
    /// The same, 3x.
    Backward Followed -0.08;
    /// In either direction, by .9^position: ln(x, .001).
    AnyLn Followed 0.33;
    /// The same, 3x.
    Any Followed -0.09;
    /// Of the last item alone, after: ln(x, .002).
    Forward1 Followed 0.08;
    /// Of the one before.
    Forward2 Followed 0.13;
    /// Of the one before that.
    Forward3 Followed 0.07;
    /// Of the rest, each by itself, by .8^position.
    Forward4 Followed 0.04;
    /// Before the last item.
    Backward1 Followed 0.07;
    /// Before the one before.
    Backward2 Followed -0.01;
    /// Before that one.
    Backward3 Followed -0.01;
    /// And so on.
    Backward4 Followed -0.01;
    /// Edges with the context in either direction, by .7^position and halved every 2 days of age: ln(x, .001).
    RecentDay Followed 0.07;
    /// The same, halved every 6 hours.
    RecentHours Followed 0.05;
    /// The strongest single share of the context: ln(x, .001).
    Strongest Followed -0.01;
    /// The context's items that know it, by .7^position.
    AgreeingNear Followed 0.18;
    /// Share of the context's items that know it.
    Agreeing Followed 0.26;
    /// Over the strongest candidates ("bridges"): ln(sum of any(bridge) any(candidate), .0005).
    BridgedLn Followed 0.17;
    /// Bridges that know it, of 8.
    Bridges Followed 0.39;
    /// Over the documents of context and bridges in either direction, each by how like the context it is: ln(x, .001).
    AttendedLn Followed 0.0;
    /// The same, as it is.
    Attended Followed 0.0;
    /// Each by how like the last item it is: ln(x, .001).
    AttendedLastLn Followed 0.0;
    /// The same, as it is.
    AttendedLast Followed 0.0;
    /// Share of all demand, over weeks: ln(x, 1e-4).
    Popularity Popular -0.07;
    /// Share of all demand, of late: ln(x, 1e-3).
    Trend Popular 0.0;
    /// It is among the most wanted of late.
    Trending Popular 0.0;
    /// How lately anybody went between it and the context: e^(-age/90 min).
    Freshness Popular 0.21;
    /// Popularity of an item that was touched before.
    PopularityAgain Again 0.10;
    /// It is the last item.
    Rank1 Again 0.93;
    /// It is the distinct item before.
    Rank2 Again 0.70;
    /// And so on.
    Rank3 Again 0.69;
    /// Ranks 4 and 5.
    Rank4 Again 0.73;
    /// Ranks 6 to 10.
    Rank6 Again 0.59;
    /// Ranks from 11.
    Rank11 Again 0.29;
    /// What others did, for an item of this visit (whose own edges are taken off): directly after the last item, ln(x, .002).
    AgainAdjacentLn Again 0.06;
    /// The same: after the context.
    AgainForwardLn Again 0.10;
    /// The same: before it.
    AgainBackwardLn Again 0.05;
    /// Directly after the last item, 3x.
    AgainAdjacent Again 0.37;
    /// For another item of this visit than the last: how far it keeps the last one's company: cosine.
    AgainLikeLast Again 0.0;
    /// How often in this visit: ln(n).
    VisitTouches Again -0.02;
    /// Share of this visit's steps that went back.
    VisitRepeats Again 0.18;
    /// The same, for the last item itself.
    VisitRepeatsLast Again 0.98;
    /// Touched in this visit.
    InVisit Again 0.42;
    /// e^(-distance/4), in events.
    Near Again 0.32;
    /// It once followed the item that is the last one now.
    FollowsLast Again 0.29;
    /// In what share of the last item's occurrences.
    FollowsLastShare Again 0.13;
    /// In what share it came before.
    PrecedesLastShare Again 0.39;
    /// It is the last item, and was twice running.
    TwiceRunning Again 0.00;
    /// Share of the person's steps that went back, twice, for other items than the last.
    PersonRepeats Again 0.33;
    /// Touches, halved every 6 hours: ln(x, .1) / 2.
    Touches6h Again 0.28;
    /// Touches by type, halved every day.
    Touches1d Again 0.33;
    /// Touches by type, halved every week.
    Touches7d Again 0.39;
    /// Age of the last touch: .3 ln(1 + hours).
    Age Again -0.16;
    /// It was bought.
    Bought Again -4.0;
    /// It was put into the cart.
    InCart Again 0.02;
    /// It was taken out of the cart, and not touched since.
    Removed Again -1.5;
    /// Likeness to the last item: cosine.
    LikeLast Alike 0.29;
    /// Likeness to the context, by .7^position, halved.
    LikeContext Alike 0.41;
    /// The category of the last item.
    SameCategory InCategory 0.67;
    /// Share of the context in its category.
    ContextCategory InCategory -0.35;
    /// The person's taste for its category: ln(x, .1) / 2.
    Taste InCategory -0.01;
    /// Share of its category's demand: ln(x, .01).
    CategoryPopularity InCategory 0.05;
}

/// Features in use.
pub(crate) const FEATURES: usize = START.len();
/// Floats of a row: a multiple of what a vector unit takes at once.
pub(crate) const WIDTH: usize = FEATURES.div_ceil(8) * 8;

/// The features of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row(pub(crate) [f32; WIDTH]);

impl Default for Row {
    fn default() -> Self {
        Self([0.0; WIDTH])
    }
}

impl Row {
    pub(crate) fn set(&mut self, feature: Feature, value: f32) {
        self.0[feature as usize] = value;
    }

    pub(crate) fn dot(&self, weights: &Self) -> f32 {
        let mut lanes = [0.0_f32; 8];
        for (ours, theirs) in self.0.chunks_exact(8).zip(weights.0.chunks_exact(8)) {
            for at in 0..8 {
                lanes[at] += ours[at] * theirs[at];
            }
        }
        (lanes[0] + lanes[4]) + (lanes[1] + lanes[5]) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
    }

    pub(crate) fn add_scaled(&mut self, other: &Self, scale: f32) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours += scale * theirs;
        }
    }
}

/// ln(1 + x/e), to 1e-4: a share with its small values spread out.
pub(crate) fn ln1(x: f32, e: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { ln(1.0 + x / e) }
}

/// The natural logarithm of a positive number, to 1e-4.
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    // ln m = 2 atanh((m - 1) / (m + 1)), whose series is short on [1, 2).
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let atanh = s * (1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0))));
    exponent as f32 * std::f32::consts::LN_2 + 2.0 * atanh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_near_enough() {
        for x in [1e-6_f32, 0.5, 1.0, 1.001, 1.5, 2.0, 77.0, 1e9] {
            assert!((ln(x) - x.ln()).abs() < 2e-4, "{x}: {} for {}", ln(x), x.ln());
        }
        assert!(ln1(0.0, 0.1).abs() < f32::EPSILON);
    }
}
