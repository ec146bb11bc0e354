//! The lists: candidates, what speaks for each, a linear score.
//!
//! The features and their weights are the ones measured offline as a fixed blend: directional, time-decayed co-visitation of the
//! context, repeats by their own features, content, popularity for the rest. An item that was in this very visit gets no
//! co-visitation evidence: what the visit has just taught the edges would leak into it.

use std::collections::HashMap;

use crate::ItemId;
use crate::catalogue::Catalogue;
use crate::engine::Engine;
use crate::event::EventKind;
use crate::history::{History, Repeat};
use crate::item::Item;
use crate::person::Person;
use crate::popularity::Popularity;
use crate::reason::{Because, Reason};
use crate::strategy::Strategy;

/// Popular items that are candidates for everybody.
const POPULAR_CANDIDATES: usize = 60;
/// Popular items of each category of the context that are candidates.
const CATEGORY_CANDIDATES: usize = 20;
/// Products like the last ones that are candidates.
const SIMILAR_CANDIDATES: usize = 20;
/// Context items that likeness is looked up for.
const SIMILAR_CONTEXT: usize = 3;

/// What a list is made from, beside the person.
pub struct Inputs<'a> {
    /// The models of [`Engine::context`]'s items.
    pub items: &'a dyn Fn(&str) -> Option<&'a Item>,
    /// What most want.
    pub popularity: &'a Popularity,
    /// What products are.
    pub catalogue: &'a Catalogue,
    /// How the list is made.
    pub strategy: Strategy,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Items at the most.
    pub limit: usize,
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

/// What speaks for a candidate.
#[derive(Debug, Default)]
struct Evidence {
    /// From the last item: share of what came directly after, weight of all that came after, freshness.
    adjacent: f32,
    forward_weight: f32,
    freshness: f32,
    /// From the item before the last.
    adjacent_second: f32,
    /// Over the context.
    forward: f32,
    backward: f32,
    any: f32,
    agreeing: u16,
    /// The context item that speaks loudest, and how loud.
    cause: Option<(usize, f32)>,
    /// Likeness to the last item, and over the context.
    like_last: f32,
    like_context: f32,
    like_cause: Option<usize>,
}

impl Engine {
    /// The person's list, best first.
    pub fn recommend(&self, person: &Person, inputs: &Inputs<'_>) -> Vec<Recommendation> {
        let context = self.context(person);
        let mut pool = Pool::default();
        if inputs.strategy != Strategy::ContentBased {
            self.co_visited(&context, inputs, &mut pool);
        }
        if inputs.strategy != Strategy::Collaborative {
            alike(&context, inputs, &mut pool);
        }
        let history = History::new(person, inputs.now_ms);
        pool.admit(history.items());
        pool.admit(inputs.popularity.top(POPULAR_CANDIDATES));
        let tastes = Tastes::new(&history, inputs.catalogue);
        for (category, _) in &tastes.weights {
            pool.admit(inputs.popularity.top_in_category(category, CATEGORY_CANDIDATES));
            pool.admit(inputs.catalogue.in_category(category).take(CATEGORY_CANDIDATES));
        }
        if context.is_empty() {
            pool.admit(inputs.catalogue.ids().take(inputs.limit));
        }
        let mut scored: Vec<(f32, &ItemId, Reason)> = pool
            .candidates
            .iter()
            .filter(|(item, _)| inputs.catalogue.available(item) && !history.is_done_with(item))
            .map(|(item, evidence)| score(item, evidence, &context, &history, &tastes, inputs))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.truncate(inputs.limit);
        let shown = |(score, item, reason): (f32, &ItemId, Reason)| Recommendation {
            item: item.clone(),
            score: squash(score),
            reason,
        };
        scored.into_iter().map(shown).collect()
    }

    /// The neighbours of the context's items.
    fn co_visited(&self, context: &[ItemId], inputs: &Inputs<'_>, pool: &mut Pool) {
        for (position, id) in context.iter().enumerate() {
            let near = 0.5_f32.powi(position as i32);
            let wide = 0.9_f32.powi(position as i32);
            let Some(item) = (inputs.items)(id) else { continue };
            // Sums stand at the item's landmark: weights are seen from now.
            let scale = item.interest().unit_at(inputs.now_ms, self.config.half_life_ms) as f32;
            let half = 0.5 / scale.max(f32::MIN_POSITIVE);
            let totals = (
                item.totals.adjacent as f32 + half,
                item.totals.forward as f32 + half,
                item.totals.backward as f32 + half,
            );
            for neighbour in &item.neighbours {
                let sums = neighbour.sums;
                let forward = sums.forward as f32 / totals.1;
                let backward = sums.backward as f32 / totals.2;
                let any = (sums.forward + sums.backward) as f32 / (totals.1 + totals.2 - half);
                let evidence = pool.evidence(&neighbour.item);
                evidence.forward += near * forward;
                evidence.backward += near * backward;
                evidence.any += wide * any;
                evidence.agreeing += 1;
                let loudness = near * forward + 0.5 * near * backward;
                if evidence.cause.is_none_or(|(_, loudest)| loudness > loudest) {
                    evidence.cause = Some((position, loudness));
                }
                match position {
                    0 => {
                        evidence.adjacent = sums.adjacent as f32 / totals.0;
                        evidence.forward_weight = sums.forward as f32 * scale;
                        let age_s = (inputs.now_ms / 1_000).saturating_sub(neighbour.last_s).max(0) as f32;
                        evidence.freshness = (1.0 - 0.3 * (1.0 + age_s / FRESH_S).ln()).max(0.0);
                    }
                    1 => evidence.adjacent_second = sums.adjacent as f32 / totals.0,
                    _ => {}
                }
            }
        }
    }
}

/// Co-visitation beside repeats. At 1 it buries repeats (RetailRocket MRR@20 .16 against .30); at .35 it falls behind where people
/// rarely go back (e-shop 2008 .13 against .20).
const CO_VISITATION_WEIGHT: f32 = 0.5;
/// Freshness of an edge fades from this age on, seconds.
const FRESH_S: f32 = 900.0;

/// The candidates in the order they were found, with what speaks for them.
#[derive(Default)]
struct Pool {
    candidates: Vec<(ItemId, Evidence)>,
    places: HashMap<ItemId, usize>,
}

impl Pool {
    /// Makes candidates of `items`.
    fn admit<'i>(&mut self, items: impl Iterator<Item = &'i ItemId>) {
        for item in items {
            self.evidence(item);
        }
    }

    fn evidence(&mut self, item: &ItemId) -> &mut Evidence {
        let at = match self.places.get(item) {
            Some(at) => *at,
            None => {
                self.places.insert(item.clone(), self.candidates.len());
                self.candidates.push((item.clone(), Evidence::default()));
                self.candidates.len() - 1
            }
        };
        &mut self.candidates[at].1
    }
}

/// Products like the newest of the context.
fn alike(context: &[ItemId], inputs: &Inputs<'_>, pool: &mut Pool) {
    for (position, id) in context.iter().take(SIMILAR_CONTEXT).enumerate() {
        for (item, likeness) in inputs.catalogue.similar(id, SIMILAR_CANDIDATES) {
            let evidence = pool.evidence(&item);
            if position == 0 {
                evidence.like_last = likeness;
            }
            evidence.like_context += 0.7_f32.powi(position as i32) * likeness / 2.0;
            evidence.like_cause.get_or_insert(position);
        }
    }
}

/// The categories of the history, by recency-weighted interest.
struct Tastes<'a> {
    weights: Vec<(&'a str, f32)>,
    last: Option<&'a str>,
}

impl<'a> Tastes<'a> {
    fn new(history: &History<'_>, catalogue: &'a Catalogue) -> Self {
        let mut weights: Vec<(&str, f32)> = Vec::new();
        let mut last = None;
        for (position, (item, weight)) in history.newest_first().enumerate() {
            let Some(category) = catalogue.category(item) else { continue };
            last = last.or((position == 0).then_some(category));
            let weight = weight * 0.9_f32.powi(position as i32);
            match weights.iter_mut().find(|(known, _)| *known == category) {
                Some((_, sum)) => *sum += weight,
                None => weights.push((category, weight)),
            }
        }
        weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        weights.truncate(8);
        Self { weights, last }
    }

    fn of(&self, category: Option<&str>) -> f32 {
        let found = category.and_then(|category| self.weights.iter().find(|(known, _)| *known == category));
        found.map_or(0.0, |(_, weight)| *weight)
    }
}

/// ln(1 + x/e): a share with its small values spread out.
fn ln1(x: f32, e: f32) -> f32 {
    (1.0 + x / e).ln()
}

fn score<'a>(
    item: &'a ItemId,
    evidence: &Evidence,
    context: &[ItemId],
    history: &History<'_>,
    tastes: &Tastes<'_>,
    inputs: &Inputs<'_>,
) -> (f32, &'a ItemId, Reason) {
    let repeat = history.repeat(item);
    let in_visit = repeat.is_some_and(|repeat| repeat.in_visit);
    let collaborative = inputs.strategy != Strategy::ContentBased;
    let by_content = inputs.strategy != Strategy::Collaborative;
    let followed = if collaborative && !in_visit {
        CO_VISITATION_WEIGHT * co_visitation_score(evidence, context.len())
    } else {
        0.0
    };
    let again = repeat.map_or(0.0, repeat_score);
    let category = inputs.catalogue.category(item);
    let taste = tastes.of(category);
    let same = f32::from(u8::from(category.is_some() && category == tastes.last));
    let (alike, in_category) = if by_content {
        // Alone, content must carry the list; beside co-visitation it only tips the scales.
        let weight = if collaborative { 1.0 } else { 6.0 };
        (weight * (0.15 * evidence.like_last + 0.05 * evidence.like_context), 0.28 * same + 0.025 * ln1(taste, 0.1))
    } else {
        (0.0, 0.0)
    };
    let popular = 0.02 * ln1(inputs.popularity.share(item) as f32, 0.01);
    let parts = [
        (Part::Followed, followed),
        (Part::Again, again),
        (Part::Alike, alike),
        (Part::InCategory, in_category),
        (Part::Popular, popular),
    ];
    let reason = reason(context, evidence, parts, history);
    (followed + again + alike + in_category + popular, item, reason)
}

fn co_visitation_score(evidence: &Evidence, context: usize) -> f32 {
    let norm: f32 = (0..context).map(|position| 0.9_f32.powi(position as i32)).sum();
    let any = evidence.any / norm.max(1.0);
    let agreeing = f32::from(evidence.agreeing) / (context.max(1) as f32);
    0.23 * ln1(evidence.adjacent, 0.002)
        + 0.13 * 3.0 * evidence.adjacent
        + 0.05 * ln1(evidence.adjacent_second, 0.002)
        + 0.05 * (1.0 + evidence.forward_weight).ln()
        + 0.20 * evidence.freshness
        + 0.41 * ln1(evidence.forward, 0.002)
        - 0.14 * 3.0 * evidence.forward
        + 0.17 * ln1(evidence.backward, 0.002)
        + 0.36 * ln1(any, 0.001)
        - 0.17 * 3.0 * any
        + 0.38 * agreeing
}

fn repeat_score(repeat: &Repeat) -> f32 {
    const BY_RANK: [f32; 6] = [0.80, 0.93, 0.80, 0.71, 0.46, 0.20];
    let bucket = match repeat.rank {
        0..=2 => repeat.rank,
        3..=4 => 3,
        5..=9 => 4,
        _ => 5,
    };
    let strongest = match repeat.strongest {
        EventKind::Purchase => -0.05,
        EventKind::AddToCart => 0.02,
        _ => 0.0,
    };
    BY_RANK[bucket]
        + if repeat.in_visit { 0.25 } else { 0.0 }
        + 0.26 * (-(repeat.rank as f32) / 4.0).exp()
        + if repeat.follows_last { 0.33 } else { 0.0 }
        + 0.16 * repeat.follows_last_share
        + 0.24 * repeat.precedes_last_share
        + if repeat.rank == 0 && repeat.twice_running { 0.12 } else { 0.0 }
        + if repeat.rank > 0 { 0.26 * 2.0 * repeat.person_ratio } else { 0.0 }
        + 0.5 * (0.20 * ln1(repeat.hours6, 0.1) + 0.25 * ln1(repeat.day, 0.1) + 0.31 * ln1(repeat.week, 0.1))
        + 0.07 * 0.3 * (1.0 + repeat.age_hours).ln()
        + strongest
        - if repeat.removed { 0.9 } else { 0.0 }
}

/// The parts of a score.
#[derive(Clone, Copy)]
enum Part {
    Followed,
    Again,
    Alike,
    InCategory,
    Popular,
}

/// The strongest part of the score says why; of equals the first.
fn reason(context: &[ItemId], evidence: &Evidence, parts: [(Part, f32); 5], history: &History<'_>) -> Reason {
    let stronger = |best: (Part, f32), part: (Part, f32)| if part.1 > best.1 { part } else { best };
    let (strongest, _) = parts.into_iter().fold((Part::Popular, 0.0), stronger);
    let cause = |position: usize| context.get(position).cloned();
    match strongest {
        Part::Followed => {
            let item = evidence.cause.and_then(|(position, _)| cause(position));
            let wanted = item.as_ref().is_some_and(|item| history.was_wanted(item));
            Reason { because: if wanted { Because::BoughtTogether } else { Because::Viewed }, item }
        }
        Part::Again => Reason { because: Because::Repeat, item: None },
        Part::Alike => Reason { because: Because::Similar, item: evidence.like_cause.and_then(cause) },
        Part::InCategory => Reason { because: Because::PopularInCategory, item: None },
        Part::Popular => Reason { because: Because::Trending, item: None },
    }
}

/// Scores of about 0 to 8 onto 0 to 1, so that the order stays.
fn squash(score: f32) -> f32 {
    let score = score.max(0.0);
    score / (score + 2.0)
}
