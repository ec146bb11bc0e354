//! The features of a candidate, from what speaks for it.

use crate::candidates::Candidates;
use crate::catalogue::Profile;
use crate::features::{Feature, Row, ln, ln1};
use crate::pool::Evidence;
use crate::recommend::Inputs;
use crate::strategy::Strategy;
use crate::tastes::Tastes;

/// Freshness of the last item's edge fades from this age on, seconds.
const EDGE_FRESH_S: f32 = 1_800.0;
/// Freshness of any edge, seconds.
const FRESH_S: f32 = 5_400.0;
/// Of shares of the last item's and the context's sums.
const SHARE: f32 = 2e-3;
/// Of shares in either direction.
const ANY: f32 = 1e-3;
/// Of shares over bridges.
const BRIDGED: f32 = 5e-4;
/// What came after the context's items, each by itself, and what came before.
const AHEAD: [Feature; 4] = [Feature::Forward1, Feature::Forward2, Feature::Forward3, Feature::Forward4];
const BEHIND: [Feature; 4] = [Feature::Backward1, Feature::Backward2, Feature::Backward3, Feature::Backward4];

impl<'a> Candidates<'a, '_, '_> {
    /// Fills the blank `row` with the features of the candidate in `slot`, whose place in the catalogue is `place`.
    pub(crate) fn fill(
        &self,
        row: &mut Row,
        inputs: &Inputs<'a>,
        (slot, place): (usize, Option<usize>),
        tastes: &Tastes,
        (last, context): (&Profile, &Profile),
    ) {
        let evidence = &self.pool.evidence[slot];
        self.history.fill(slot, row);
        if self.history.is_in_visit(slot) {
            row.set(Feature::AgainAdjacentLn, ln1(evidence.others_adjacent, SHARE));
            row.set(Feature::AgainAdjacent, 3.0 * evidence.others_adjacent);
            row.set(Feature::AgainForwardLn, ln1(evidence.others_forward, SHARE));
            row.set(Feature::AgainBackwardLn, ln1(evidence.others_backward, SHARE));
            if slot > 0 {
                row.set(Feature::AgainLikeLast, self.attention.like_last(slot));
            }
        } else {
            if evidence.agreeing > 0 {
                self.fill_co_visited(evidence, row);
            }
            let company = &self.pool.company[slot];
            row.set(Feature::AttendedLn, ln1(company.attended, ANY));
            row.set(Feature::Attended, company.attended);
            row.set(Feature::AttendedLastLn, ln1(company.attended_last, ANY));
            row.set(Feature::AttendedLast, company.attended_last);
        }
        if evidence.bridges > 0 {
            row.set(Feature::BridgedLn, ln1(evidence.bridged, BRIDGED));
            row.set(Feature::Bridges, f32::from(evidence.bridges) / 8.0);
        }
        self.fill_popularity(inputs, slot, row);
        if let Some(place) = place.filter(|_| self.strategy != Strategy::Collaborative) {
            if !last.is_empty() {
                row.set(Feature::LikeLast, inputs.catalogue.likeness(last, place));
            }
            row.set(Feature::LikeContext, inputs.catalogue.likeness(context, place));
            tastes.fill(inputs.catalogue.category_at(place), row);
        }
    }

    fn fill_popularity(&self, inputs: &Inputs<'a>, slot: usize, row: &mut Row) {
        let Some(shares) = inputs.popularity.shares(self.pool.items[slot]) else { return };
        let slow = ln1(shares.slow, 1e-4);
        row.set(Feature::Popularity, slow);
        row.set(Feature::CategoryPopularity, ln1(shares.in_category, 0.01));
        if slot < self.history.distinct() {
            row.set(Feature::PopularityAgain, slow);
        }
        if shares.is_trending && !self.history.is_in_visit(slot) {
            row.set(Feature::Trend, ln1(shares.fast, 1e-3));
            row.set(Feature::Trending, 1.0);
        }
    }

    fn fill_co_visited(&self, evidence: &Evidence, row: &mut Row) {
        // The sum of .9^position over the context.
        let wide: f32 = (1.0 - 0.9_f32.powi(self.context as i32)) / 0.1;
        let any = evidence.any / wide;
        let now_s = self.now_ms / 1_000;
        let age_s = |at_s: u32| now_s.saturating_sub(i64::from(at_s)).max(0) as f32;
        row.set(Feature::LastAdjacentLn, ln1(evidence.adjacent, SHARE));
        row.set(Feature::LastAdjacent, 3.0 * evidence.adjacent);
        row.set(Feature::SecondAdjacentLn, ln1(evidence.adjacent_second, SHARE));
        row.set(Feature::LastWeight, ln(1.0 + evidence.forward_weight));
        if evidence.last_edge_s > 0 {
            let fading = 0.3 * ln(1.0 + age_s(evidence.last_edge_s) / EDGE_FRESH_S);
            row.set(Feature::LastFreshness, (1.0 - fading).max(0.0));
        }
        row.set(Feature::ForwardLn, ln1(evidence.forward, SHARE));
        row.set(Feature::Forward, 3.0 * evidence.forward);
        row.set(Feature::BackwardLn, ln1(evidence.backward, SHARE));
        row.set(Feature::Backward, 3.0 * evidence.backward);
        row.set(Feature::AnyLn, ln1(any, ANY));
        row.set(Feature::Any, 3.0 * any);
        for at in 0..AHEAD.len() {
            row.set(AHEAD[at], evidence.ahead[at]);
            row.set(BEHIND[at], evidence.behind[at]);
        }
        row.set(Feature::RecentDay, ln1(evidence.recent_days, ANY));
        row.set(Feature::RecentHours, ln1(evidence.recent_hours, ANY));
        row.set(Feature::Strongest, ln1(evidence.strongest, ANY));
        row.set(Feature::AgreeingNear, evidence.agreeing_near);
        row.set(Feature::Agreeing, f32::from(evidence.agreeing) / self.context.max(1) as f32);
        row.set(Feature::Freshness, (-age_s(evidence.edge_s) / FRESH_S).exp());
    }
}
