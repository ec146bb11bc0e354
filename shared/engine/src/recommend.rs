//! The lists: candidates, features, the blend's score.
//!
//! Each candidate gets a [`Row`] of features and a linear score by the [`Blend`]. An item of this very visit gets no
//! co-visitation evidence but that of others: what the visit has just taught the edges would leak into it.

use crate::blend::{Blend, Foretold, Gates, Learner};
use crate::candidates::Candidates;
use crate::catalogue::{Catalogue, Profile};
use crate::engine::Engine;
use crate::features::{PART, PARTS, Part, Row};
use crate::item::Item;
use crate::item_id::{ItemId, Key};
use crate::kinds::Kinship;
use crate::person::Person;
use crate::pool::Table;
use crate::popularity::Popularity;
use crate::reason::{Because, Reason};
use crate::rerank;
use crate::strategy::Strategy;

/// What a list is made from, beside the person.
pub struct Inputs<'a> {
    /// The models of [`Engine::context`]'s items and of [`Engine::bridges`].
    pub items: &'a dyn Fn(&ItemId) -> Option<&'a Item>,
    /// What most want.
    pub popularity: &'a Popularity,
    /// What products are.
    pub catalogue: &'a Catalogue,
    /// How much each feature counts.
    pub blend: &'a Blend,
    /// How the list is made.
    pub strategy: Strategy,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Items at the most.
    pub limit: usize,
    /// Leave out what the person has touched before.
    pub new_only: bool,
}

/// One recommended item.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The product.
    pub item: ItemId,
    /// How well it fits, 0 to 1; never rises along a list.
    pub score: f32,
    /// Why.
    pub reason: Reason,
}

/// The candidates of a list with their features: what the blend learns from once the person's next event is known.
/// Reusable: what it holds is replaced by the next list.
#[derive(Debug, Default)]
pub struct Prediction {
    keys: Vec<Key>,
    rows: Vec<Row>,
    kinships: Vec<Kinship>,
    scores: Vec<f32>,
    gates: Gates,
    /// Scratch: the candidates by key, and what the last item and the context are.
    table: Table,
    last: Profile,
    context: Profile,
}

impl Prediction {
    /// Candidates of the list.
    pub fn candidates(&self) -> usize {
        self.keys.len()
    }

    /// Takes one step of learning; false: what came was no candidate and teaches nothing.
    pub fn teach(&self, learner: &mut Learner, next: &ItemId, rate: f32) -> bool {
        let Some(target) = self.keys.iter().position(|key| *key == next.key()) else { return false };
        let foretold = Foretold { gates: self.gates, rows: &self.rows, kinships: &self.kinships, scores: &self.scores };
        learner.step(foretold, target, rate);
        true
    }
}

impl Engine {
    /// The person's list, best first. `prediction` is what [`Prediction::teach`] takes once the next event is known.
    pub fn recommend<'a>(
        &self,
        person: &'a Person,
        inputs: &Inputs<'a>,
        prediction: &mut Prediction,
    ) -> Vec<Recommendation> {
        let Prediction { keys, rows, kinships, scores, gates, table, last, context } = prediction;
        let mut candidates = Candidates::new(&self.config, person, inputs.strategy, inputs.items, inputs.now_ms, table);
        // Bridges last: they are the most, and what is over the bound is not looked at.
        let tastes = candidates.admit_the_wanted(inputs);
        candidates.admit_the_alike(inputs.catalogue);
        candidates.cross_bridges();
        candidates.describe(inputs.catalogue, last, context);
        let kinds = candidates.kinds(inputs.catalogue);

        keys.clear();
        rows.clear();
        kinships.clear();
        let looked_at = candidates.looked_at();
        rows.resize(looked_at.len(), Row::default());
        let mut slots = Vec::with_capacity(looked_at.len());
        for slot in looked_at {
            let item = candidates.pool.items[slot];
            let place = inputs.catalogue.place(item);
            let is_excluded = inputs.new_only && slot < candidates.history.distinct();
            if is_excluded || place.is_some_and(|place| !inputs.catalogue.available_at(place)) {
                continue;
            }
            candidates.fill(&mut rows[slots.len()], inputs, (slot, place), &tastes, (last, context));
            slots.push((slot, place));
            keys.push(item.key());
            if let Some(kinds) = &kinds {
                let to = place.map(|place| inputs.catalogue.kinds_at(place));
                kinships.push(to.map_or_else(Kinship::default, |to| kinds.kinship(to)));
            }
        }

        rows.truncate(slots.len());

        *gates = Gates::new(candidates.history.visit_events, candidates.known, candidates.history.steps());
        let weights = if candidates.context == 0 { Blend::for_strangers() } else { inputs.blend.at(*gates) };
        scores.clear();
        scores.extend(rows.iter().map(|row| row.dot(&weights)));
        for (score, kinship) in scores.iter_mut().zip(&*kinships) {
            *score += inputs.blend.kinds.score(kinship);
        }
        let ranked = rerank::Ranked {
            scores,
            keys,
            categories: &|at| slots[at].1.and_then(|place| inputs.catalogue.category_at(place)),
        };
        let mut best = ranked.best(inputs.limit, self.config.diversity);
        let is_unknown = |at: usize| {
            let (slot, place) = slots[at];
            let evidence = &candidates.pool.evidence[slot];
            let is_seen = evidence.agreeing + evidence.bridges > 0 || slot < candidates.history.distinct();
            place.is_some() && !is_seen && inputs.popularity.shares(candidates.pool.items[slot]).is_none()
        };
        ranked.explore(&mut best, inputs.limit, self.config.explore, is_unknown);

        let odds = Odds::new(scores);
        let by_part = by_part(&weights);
        let mut shown = 1.0_f32;
        let listed = |at: usize| {
            // A place that another order than the score's gave shows no more than the one before.
            shown = shown.min(odds.of(scores[at]));
            let slot = slots[at].0;
            let reason = candidates.reason(slot, &rows[at], &by_part);
            Recommendation { item: candidates.pool.items[slot].clone(), score: shown, reason }
        };
        best.into_iter().map(listed).collect()
    }

    /// Items whose models a list wants beside those of the context (`items`): the strongest neighbours, whose own neighbours
    /// become candidates.
    pub fn bridges<'a>(
        &self,
        person: &'a Person,
        strategy: Strategy,
        items: &dyn Fn(&ItemId) -> Option<&'a Item>,
        now_ms: i64,
        scratch: &mut Prediction,
    ) -> Vec<ItemId> {
        let candidates = Candidates::new(&self.config, person, strategy, items, now_ms, &mut scratch.table);
        candidates.bridges().into_iter().map(|(slot, _)| candidates.pool.items[slot].clone()).collect()
    }
}

impl Candidates<'_, '_, '_> {
    /// The strongest part of the score says why; of equals the first.
    fn reason(&self, slot: usize, row: &Row, by_part: &[Row; PARTS]) -> Reason {
        let parts = by_part.each_ref().map(|weights| row.dot(weights));
        let all = [Part::Followed, Part::Again, Part::Alike, Part::InCategory, Part::Popular];
        let stronger = |best: Part, part: Part| if parts[part as usize] > parts[best as usize] { part } else { best };
        let evidence = &self.pool.evidence[slot];
        let cause = |position: u16| self.pool.items.get(usize::from(position)).map(|item| (*item).clone());
        match all.into_iter().fold(Part::Followed, stronger) {
            Part::Followed if evidence.agreeing + evidence.bridges > 0 => {
                let wanted = self.history.was_wanted(usize::from(evidence.cause));
                let because = if wanted { Because::BoughtTogether } else { Because::Viewed };
                Reason { because, item: cause(evidence.cause) }
            }
            Part::Again => Reason { because: Because::Repeat, item: None },
            Part::Alike => Reason { because: Because::Similar, item: cause(evidence.like_cause.unwrap_or_default()) },
            Part::InCategory => Reason { because: Because::PopularInCategory, item: None },
            Part::Followed | Part::Popular => Reason { because: Because::Trending, item: None },
        }
    }
}

/// The weights of each part of a score.
fn by_part(weights: &Row) -> [Row; PARTS] {
    let mut parts = [Row::default(); PARTS];
    for (at, part) in PART.iter().enumerate() {
        parts[*part as usize].0[at] = weights.0[at];
    }
    parts
}

/// Scores as a share that grows with the odds against a candidate drawn blindly.
struct Odds {
    best: f32,
    mean: f32,
}

impl Odds {
    fn new(scores: &[f32]) -> Self {
        let best = scores.iter().copied().reduce(f32::max).unwrap_or_default();
        let total: f32 = scores.iter().map(|score| (score - best).exp()).sum();
        Self { best, mean: total / scores.len().max(1) as f32 }
    }

    /// 0.5: as likely as one drawn blindly.
    fn of(&self, score: f32) -> f32 {
        let odds = (score - self.best).exp();
        odds / (odds + self.mean).max(f32::MIN_POSITIVE)
    }
}
