//! The lists: candidates, features, the blend's score.
//!
//! A list is made of candidates that are neighbours of the context, neighbours of the strongest of those ("bridges"), the
//! person's own history, what is wanted, in all and in the person's categories, and products like the last ones. Each gets a
//! [`Row`] of features and a linear score by the [`Blend`]. An item of this very visit gets no co-visitation evidence: what
//! the visit has just taught the edges would leak into it.

use crate::blend::{Blend, Gates};
use crate::catalogue::{Catalogue, Profile};
use crate::engine::Engine;
use crate::features::{FEATURES, Feature, PART, PARTS, Part, Row, ln, ln1};
use crate::history::History;
use crate::item::Item;
use crate::item_id::{ItemId, Key};
use crate::person::Person;
use crate::pool::{Evidence, Pool, Table};
use crate::popularity::Popularity;
use crate::reason::{Because, Reason};
use crate::strategy::Strategy;

/// Popular items that are candidates for everybody, of each speed.
const POPULAR_CANDIDATES: usize = 60;
/// Popular items of each category of the person that are candidates.
const CATEGORY_CANDIDATES: usize = 50;
/// Products of each category of the person that are candidates whether they are wanted or not.
const CATALOGUE_CANDIDATES: usize = 20;
/// Categories of the person that are looked at.
const MAX_TASTES: usize = 8;
/// Products like the last ones that are candidates.
const SIMILAR_CANDIDATES: usize = 20;
/// Context items that likeness is looked up for.
const SIMILAR_CONTEXT: usize = 3;
/// How strong a bridge must be.
const LEAST_BRIDGE: f32 = 1e-6;
/// Freshness of the last item's edge fades from this age on, seconds.
const EDGE_FRESH_S: f32 = 1_800.0;
/// Freshness of any edge, seconds.
const FRESH_S: f32 = 5_400.0;

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
    scores: Vec<f32>,
    gates: Gates,
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
    pub fn teach(&self, blend: &mut Blend, next: &ItemId, rate: f32) -> bool {
        let Some(target) = self.keys.iter().position(|key| *key == next.key()) else { return false };
        blend.step(self.gates, &self.rows, &self.scores, target, rate);
        true
    }
}

/// A list in the making.
struct Making<'a, 'i, 't> {
    strategy: Strategy,
    items: &'i dyn Fn(&ItemId) -> Option<&'a Item>,
    now_ms: i64,
    half_life_ms: i64,
    pool: Pool<'a, 't>,
    history: History<'a>,
    /// How many of the first candidates are the context.
    context: usize,
    /// Weight of what is known of the last item.
    known: f32,
}

impl Engine {
    /// The person's list, best first. `prediction` is what [`Prediction::teach`] takes once the next event is known.
    pub fn recommend<'a>(
        &self,
        person: &'a Person,
        inputs: &Inputs<'a>,
        prediction: &mut Prediction,
    ) -> Vec<Recommendation> {
        let Prediction { keys, rows, scores, gates, table, last, context } = prediction;
        let mut making = self.making(person, inputs.strategy, inputs.items, inputs.now_ms, table);
        for bridge in making.strongest(self.config.bridges) {
            making.cross(bridge);
        }
        let tastes = making.admit_the_wanted(inputs);
        making.admit_the_alike(inputs.catalogue);
        making.describe(inputs.catalogue, last, context);
        rows.clear();
        keys.clear();
        let mut slots = Vec::with_capacity(making.pool.items.len());
        for slot in 0..making.pool.items.len() {
            let item = making.pool.items[slot];
            let place = inputs.catalogue.place(item);
            let excluded = inputs.new_only && slot < making.history.distinct();
            if excluded || place.is_some_and(|place| !inputs.catalogue.available_at(place)) {
                continue;
            }
            keys.push(item.key());
            rows.push(making.row(inputs, slot, place, &tastes, (last, context)));
            slots.push(slot);
        }
        last.clear();
        context.clear();
        *gates = Gates::new(making.history.visit_events, making.known);
        let weights = inputs.blend.at(*gates);
        scores.clear();
        scores.extend(rows.iter().map(|row| row.dot(&weights)));
        let best = best(scores, keys, inputs.limit);
        let odds = Odds::new(scores);
        let listed = |at: usize| Recommendation {
            item: making.pool.items[slots[at]].clone(),
            score: odds.of(scores[at]),
            reason: making.reason(slots[at], &rows[at], &weights),
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
        let making = self.making(person, strategy, items, now_ms, &mut scratch.table);
        making.strongest(self.config.bridges).into_iter().map(|(slot, _)| making.pool.items[slot].clone()).collect()
    }

    fn making<'a, 'i, 't>(
        &self,
        person: &'a Person,
        strategy: Strategy,
        items: &'i dyn Fn(&ItemId) -> Option<&'a Item>,
        now_ms: i64,
        table: &'t mut Table,
    ) -> Making<'a, 'i, 't> {
        let mut pool = Pool::new(table);
        let history = History::new(person, now_ms, &mut pool);
        let context = history.distinct().min(self.config.context_items);
        let half_life_ms = self.config.half_life_ms;
        let mut making = Making { strategy, items, now_ms, half_life_ms, pool, history, context, known: 0.0 };
        if strategy != Strategy::ContentBased {
            making.co_visited();
        }
        making
    }
}

impl<'a> Making<'a, '_, '_> {
    /// The neighbours of the context's items.
    fn co_visited(&mut self) {
        let (mut near, mut wide) = (1.0_f32, 1.0_f32);
        for position in 0..self.context {
            let Some(item) = (self.items)(self.pool.items[position]) else {
                near *= 0.5;
                wide *= 0.9;
                continue;
            };
            // Sums stand at the item's landmark: weights are seen from now.
            let scale = item.interest().unit_at(self.now_ms, self.half_life_ms) as f32;
            let half = 0.5 / scale.max(f32::MIN_POSITIVE);
            let adjacent = 1.0 / (item.totals.adjacent as f32 + half);
            let forward = near / (item.totals.forward as f32 + half);
            let backward = near / (item.totals.backward as f32 + half);
            let any = wide / ((item.totals.forward + item.totals.backward) as f32 + half);
            if position == 0 {
                self.known = (item.totals.forward + item.totals.backward) as f32 * scale;
            }
            for neighbour in &item.neighbours {
                let sums = neighbour.sums;
                let evidence = self.pool.evidence(&neighbour.item);
                let (ahead, behind) = (sums.forward as f32 * forward, sums.backward as f32 * backward);
                evidence.forward += ahead;
                evidence.backward += behind;
                evidence.any += sums.any() as f32 * any;
                evidence.agreeing += 1;
                evidence.edge_s = evidence.edge_s.max(neighbour.last_s);
                let loudness = ahead + 0.5 * behind;
                if loudness > evidence.loudness {
                    (evidence.cause, evidence.loudness) = (position as u16, loudness);
                }
                if position == 0 {
                    evidence.adjacent = sums.adjacent as f32 * adjacent;
                    evidence.forward_weight = sums.forward as f32 * scale;
                    evidence.last_edge_s = neighbour.last_s;
                } else if position == 1 {
                    evidence.adjacent_second = sums.adjacent as f32 * adjacent;
                }
            }
            near *= 0.5;
            wide *= 0.9;
        }
    }

    /// The strongest neighbours beside the context, with their strength.
    fn strongest(&self, count: usize) -> Vec<(usize, f32)> {
        let evidence = self.pool.evidence.iter().enumerate().skip(self.context);
        let mut strongest: Vec<(usize, f32)> = evidence
            .map(|(slot, evidence)| (slot, evidence.any))
            .filter(|(_, strength)| *strength > LEAST_BRIDGE)
            .collect();
        let key = |slot: usize| self.pool.items[slot].key();
        let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then_with(|| key(a.0).cmp(&key(b.0)));
        if strongest.len() > count && count > 0 {
            strongest.select_nth_unstable_by(count - 1, order);
        }
        strongest.truncate(count);
        strongest.sort_unstable_by(order);
        strongest
    }

    /// The neighbours of a bridge.
    fn cross(&mut self, (slot, strength): (usize, f32)) {
        let Some(item) = (self.items)(self.pool.items[slot]) else { return };
        let scale = item.interest().unit_at(self.now_ms, self.half_life_ms) as f32;
        let half = 0.5 / scale.max(f32::MIN_POSITIVE);
        let any = strength / ((item.totals.forward + item.totals.backward) as f32 + half);
        for neighbour in &item.neighbours {
            let evidence = self.pool.evidence(&neighbour.item);
            evidence.bridged += neighbour.sums.any() as f32 * any;
            evidence.bridges += 1;
        }
    }

    /// What is wanted, in all and in the person's categories.
    fn admit_the_wanted(&mut self, inputs: &Inputs<'a>) -> Tastes {
        let Inputs { popularity, catalogue, .. } = *inputs;
        self.pool.admit(popularity.top(POPULAR_CANDIDATES));
        self.pool.admit(popularity.trending(POPULAR_CANDIDATES));
        let tastes = Tastes::new(&self.history, catalogue);
        if self.strategy != Strategy::Collaborative {
            for (category, _) in &tastes.weights {
                if let Some(name) = catalogue.category_name(*category) {
                    self.pool.admit(popularity.top_in_category(name, CATEGORY_CANDIDATES));
                }
                self.pool.admit(catalogue.in_category(*category).take(CATALOGUE_CANDIDATES));
            }
        }
        if self.context == 0 {
            self.pool.admit(catalogue.ids().take(inputs.limit));
        }
        tastes
    }

    /// Products like the newest of the context.
    fn admit_the_alike(&mut self, catalogue: &'a Catalogue) {
        if self.strategy == Strategy::Collaborative {
            return;
        }
        for position in 0..self.context.min(SIMILAR_CONTEXT) {
            for (item, _) in catalogue.similar(self.pool.items[position], SIMILAR_CANDIDATES) {
                self.pool.evidence(item).like_cause.get_or_insert(position as u16);
            }
        }
    }

    /// What the last item and what the context is.
    fn describe(&self, catalogue: &Catalogue, last: &mut Profile, context: &mut Profile) {
        if self.strategy == Strategy::Collaborative {
            return;
        }
        let mut weight = 0.5;
        for position in 0..self.context {
            if let Some(place) = catalogue.place(self.pool.items[position]) {
                if position == 0 {
                    catalogue.add_to(last, place, 1.0);
                }
                catalogue.add_to(context, place, weight);
            }
            weight *= 0.7;
        }
    }

    fn row(
        &self,
        inputs: &Inputs<'a>,
        slot: usize,
        place: Option<usize>,
        tastes: &Tastes,
        (last, context): (&Profile, &Profile),
    ) -> Row {
        let mut row = Row::default();
        let evidence = &self.pool.evidence[slot];
        let is_in_visit = self.history.is_in_visit(slot);
        self.history.fill(slot, &mut row);
        if !is_in_visit && evidence.agreeing > 0 {
            self.fill_co_visited(evidence, &mut row);
        }
        if evidence.bridges > 0 {
            row.set(Feature::BridgedLn, ln1(evidence.bridged, 5e-4));
            row.set(Feature::Bridges, f32::from(evidence.bridges) / 8.0);
        }
        if let Some(shares) = inputs.popularity.shares(self.pool.items[slot]) {
            row.set(Feature::Popularity, ln1(shares.slow, 1e-4));
            row.set(Feature::CategoryPopularity, ln1(shares.in_category, 0.01));
            if slot < self.history.distinct() {
                row.set(Feature::PopularityAgain, ln1(shares.slow, 1e-4));
            }
            if !is_in_visit && shares.is_trending {
                row.set(Feature::Trend, ln1(shares.fast, 1e-3));
                row.set(Feature::Trending, 1.0);
            }
        }
        if let Some(place) = place.filter(|_| self.strategy != Strategy::Collaborative) {
            if !last.is_empty() {
                row.set(Feature::LikeLast, inputs.catalogue.likeness(last, place));
            }
            row.set(Feature::LikeContext, inputs.catalogue.likeness(context, place));
            tastes.fill(inputs.catalogue.category_at(place), &mut row);
        }
        row
    }

    fn fill_co_visited(&self, evidence: &Evidence, row: &mut Row) {
        let wide: f32 = (1.0 - 0.9_f32.powi(self.context as i32)) / 0.1;
        let any = evidence.any / wide;
        let now_s = self.now_ms / 1_000;
        let age = |at_s: u32| now_s.saturating_sub(i64::from(at_s)).max(0) as f32;
        row.set(Feature::LastAdjacentLn, ln1(evidence.adjacent, 0.002));
        row.set(Feature::LastAdjacent, 3.0 * evidence.adjacent);
        row.set(Feature::SecondAdjacentLn, ln1(evidence.adjacent_second, 0.002));
        row.set(Feature::LastWeight, ln(1.0 + evidence.forward_weight));
        if evidence.last_edge_s > 0 {
            let fading = 0.3 * ln(1.0 + age(evidence.last_edge_s) / EDGE_FRESH_S);
            row.set(Feature::LastFreshness, (1.0 - fading).max(0.0));
        }
        row.set(Feature::ForwardLn, ln1(evidence.forward, 0.002));
        row.set(Feature::Forward, 3.0 * evidence.forward);
        row.set(Feature::BackwardLn, ln1(evidence.backward, 0.002));
        row.set(Feature::Backward, 3.0 * evidence.backward);
        row.set(Feature::AnyLn, ln1(any, 0.001));
        row.set(Feature::Any, 3.0 * any);
        row.set(Feature::Agreeing, f32::from(evidence.agreeing) / self.context.max(1) as f32);
        row.set(Feature::Freshness, (-age(evidence.edge_s) / FRESH_S).exp());
    }

    /// The strongest part of the score says why; of equals the first.
    fn reason(&self, slot: usize, row: &Row, weights: &Row) -> Reason {
        let mut parts = [0.0_f32; PARTS];
        for at in 0..FEATURES {
            parts[PART[at] as usize] += row.0[at] * weights.0[at];
        }
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

/// The best candidates, best first; of equals the lesser key.
fn best(scores: &[f32], keys: &[Key], limit: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let better = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then_with(|| keys[*a].cmp(&keys[*b]));
    if order.len() > limit && limit > 0 {
        order.select_nth_unstable_by(limit - 1, better);
    }
    order.truncate(limit);
    order.sort_unstable_by(better);
    order
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

/// The categories of the history, by recency-weighted interest.
struct Tastes {
    weights: Vec<(u32, f32)>,
    total: f32,
    last: Option<u32>,
}

impl Tastes {
    fn new(history: &History<'_>, catalogue: &Catalogue) -> Self {
        let mut tastes = Self { weights: Vec::new(), total: 0.0, last: None };
        if catalogue.is_empty() {
            return tastes;
        }
        let mut fading = 1.0;
        for (position, (item, weight)) in history.newest_first().enumerate() {
            let category = catalogue.place(item).and_then(|place| catalogue.category_at(place));
            if let Some(category) = category {
                tastes.last = tastes.last.or((position == 0).then_some(category));
                match tastes.weights.iter_mut().find(|(known, _)| *known == category) {
                    Some((_, sum)) => *sum += weight * fading,
                    None => tastes.weights.push((category, weight * fading)),
                }
                tastes.total += weight * fading;
            }
            fading *= 0.9;
        }
        tastes.weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        tastes.weights.truncate(MAX_TASTES);
        tastes
    }

    fn fill(&self, category: Option<u32>, row: &mut Row) {
        let Some(category) = category else { return };
        row.set(Feature::SameCategory, f32::from(u8::from(self.last == Some(category))));
        if let Some((_, weight)) = self.weights.iter().find(|(known, _)| *known == category) {
            row.set(Feature::Taste, 0.5 * ln1(*weight, 0.1));
            row.set(Feature::ContextCategory, weight / self.total.max(f32::MIN_POSITIVE));
        }
    }
}
