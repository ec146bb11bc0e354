//! Where candidates come from, and what speaks for each.
//!
//! Candidates are neighbours of the context, neighbours of the strongest of those ("bridges"), the person's own history, what is
//! wanted, in all and in the person's categories, and products like the last ones.

use crate::attention::Attention;
use crate::catalogue::{Catalogue, Profile};
use crate::config::Config;
use crate::facets::{Kinds, MAX_FACETS};
use crate::features::ln1;
use crate::history::{History, OwnEdge};
use crate::item::{Item, Neighbour};
use crate::item_id::ItemId;
use crate::kinds::Kinship;
use crate::person::Person;
use crate::pool::{Evidence, Pool, Table};
use crate::recommend::Inputs;
use crate::strategy::Strategy;
use crate::tastes::Tastes;

/// Popular items that are candidates for everybody, of each speed: no fewer than the list is long. 60 find no more (HR@20 within
/// .0001).
const POPULAR_CANDIDATES: usize = 30;
/// Popular items of each category of the person that are candidates.
const CATEGORY_CANDIDATES: usize = 50;
/// Products of each category of the person that are candidates whether they are wanted or not.
const CATALOGUE_CANDIDATES: usize = 20;
/// Context items whose most alike products are candidates.
const SIMILAR_CONTEXT: usize = 3;
/// Candidates that only bridges lead to. All of them (some 200) find no more: HR@20 within .0003 from 32 on.
const BRIDGED_CANDIDATES: usize = 48;
/// How strong a bridge must be.
const LEAST_BRIDGE: f32 = 1e-6;

/// A list in the making.
pub(crate) struct Candidates<'a, 'i, 't> {
    config: &'i Config,
    pub(crate) strategy: Strategy,
    items: &'i dyn Fn(&ItemId) -> Option<&'a Item>,
    pub(crate) now_ms: i64,
    pub(crate) pool: Pool<'a, 't>,
    pub(crate) history: History<'a>,
    /// How many of the first candidates are the context: the last distinct items, newest first.
    pub(crate) context: usize,
    /// Weight of what is known of the last item.
    pub(crate) known: f32,
    /// How like the context its documents and the bridges' are.
    pub(crate) attention: Attention,
    /// The first candidate that only bridges lead to.
    over_bridges: usize,
}

/// What an item's sums are worth, seen from now.
struct Scale {
    /// Of one unit of a sum.
    unit: f32,
    adjacent: f32,
    forward: f32,
    backward: f32,
    any: f32,
}

impl Scale {
    /// Shares are of the total and half an event: one event alone proves little.
    fn new(item: &Item, now_ms: i64, half_life_ms: i64) -> Self {
        // Bounded: a document of a wrong clock must not make shares that are no numbers.
        let unit = (item.interest().unit_at(now_ms, half_life_ms) as f32).clamp(1e-12, 1e12);
        let half = 0.5 / unit;
        let share = |total: u64| 1.0 / (total as f32 + half);
        let totals = item.totals;
        Self {
            unit,
            adjacent: share(totals.adjacent),
            forward: share(totals.forward),
            backward: share(totals.backward),
            any: share(totals.forward.saturating_add(totals.backward)),
        }
    }
}

/// How much a context item counts by its position.
#[derive(Clone, Copy)]
struct Fading {
    near: f32,
    middle: f32,
    wide: f32,
}

impl Fading {
    fn at(position: usize) -> Self {
        let position = position as i32;
        Self { near: 0.5_f32.powi(position), middle: 0.7_f32.powi(position), wide: 0.9_f32.powi(position) }
    }
}

impl<'a, 'i, 't> Candidates<'a, 'i, 't> {
    /// The person's history, and the neighbours of the context's items.
    pub(crate) fn new(
        config: &'i Config,
        person: &'a Person,
        strategy: Strategy,
        items: &'i dyn Fn(&ItemId) -> Option<&'a Item>,
        now_ms: i64,
        table: &'t mut Table,
    ) -> Self {
        let mut pool = Pool::new(table);
        let history = History::new(person, now_ms, config, &mut pool);
        let context = history.distinct().min(config.context_items);
        let mut candidates = Self {
            config,
            strategy,
            items,
            now_ms,
            pool,
            history,
            context,
            known: 0.0,
            attention: Attention::new(),
            over_bridges: 0,
        };
        if strategy != Strategy::ContentBased {
            let own = candidates.history.own_edges(config, &mut candidates.pool);
            for position in 0..context {
                if let Some(item) = items(candidates.pool.items[position]) {
                    candidates.co_visited(position, item, &own);
                }
            }
        }
        candidates
    }

    /// The neighbours of the context's item at `position`.
    fn co_visited(&mut self, position: usize, item: &'a Item, own: &[OwnEdge]) {
        let scale = Scale::new(item, self.now_ms, self.config.half_life_ms);
        let fading = Fading::at(position);
        if position == 0 {
            self.known = item.totals.forward.saturating_add(item.totals.backward) as f32 * scale.unit;
        }
        self.attention.begin_context(position, item);
        for neighbour in &item.neighbours {
            let Some(slot) = self.pool.slot(&neighbour.item) else { continue };
            let any = neighbour.sums.any();
            self.attention.link(slot, any, any as f32 * scale.any);
            if self.history.is_in_visit(slot) {
                self.without_own(slot, position, neighbour, own, &scale);
            }
            let age_s = (self.now_ms / 1_000).saturating_sub(i64::from(neighbour.last_s)).max(0) as f32;
            self.pool.evidence[slot].add(position, neighbour, age_s, &scale, fading);
        }
        self.attention.end_context(&mut self.pool.company, fading.middle);
    }

    /// What others say of an item of this visit: what the visit itself has taught the edges is taken off.
    fn without_own(&mut self, slot: usize, position: usize, neighbour: &Neighbour, own: &[OwnEdge], scale: &Scale) {
        let (mut adjacent, mut ahead, mut behind) = (0.0, 0.0, 0.0);
        for edge in own {
            if (edge.from, edge.to) == (position, slot) {
                adjacent += edge.adjacent;
                ahead += edge.near;
            }
            if (edge.from, edge.to) == (slot, position) && slot != position {
                behind += edge.near;
            }
        }
        let others = |sum: u32, own: f32| (sum as f32 - own / scale.unit).max(0.0);
        let near = Fading::at(position).near;
        let evidence = &mut self.pool.evidence[slot];
        if position == 0 {
            evidence.others_adjacent = others(neighbour.sums.adjacent, adjacent) * scale.adjacent;
        }
        evidence.others_forward += near * others(neighbour.sums.forward, ahead) * scale.forward;
        evidence.others_backward += near * others(neighbour.sums.backward, behind) * scale.backward;
    }

    /// The strongest neighbours beside the context, with their strength.
    pub(crate) fn bridges(&self) -> Vec<(usize, f32)> {
        let count = self.config.bridges;
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

    /// The neighbours of the bridges.
    pub(crate) fn cross_bridges(&mut self) {
        self.over_bridges = self.pool.items.len();
        self.attention.settle(&mut self.pool.company);
        for (slot, strength) in self.bridges() {
            let Some(item) = (self.items)(self.pool.items[slot]) else { continue };
            let scale = Scale::new(item, self.now_ms, self.config.half_life_ms);
            self.attention.begin_bridge(item);
            for neighbour in &item.neighbours {
                let Some(beyond) = self.pool.slot(&neighbour.item) else { continue };
                let any = neighbour.sums.any();
                let share = any as f32 * scale.any;
                self.attention.link(beyond, any, share);
                let evidence = &mut self.pool.evidence[beyond];
                evidence.bridged += strength * share;
                evidence.bridges += 1;
            }
            self.attention.end_bridge(&mut self.pool.company);
        }
    }

    /// The candidates that are looked at: all but those that only bridges lead to, and of those the best [`BRIDGED_CANDIDATES`] by
    /// what is attended to.
    pub(crate) fn looked_at(&self) -> Vec<usize> {
        let least = self.least_attended();
        let is_attended = |slot: &usize| *slot < self.over_bridges || self.pool.company[*slot].attended >= least;
        (0..self.pool.items.len()).filter(is_attended).collect()
    }

    fn least_attended(&self) -> f32 {
        let mut attended: Vec<f32> =
            self.pool.company[self.over_bridges..].iter().map(|company| company.attended).collect();
        if attended.len() <= BRIDGED_CANDIDATES {
            return 0.0;
        }
        *attended.select_nth_unstable_by(BRIDGED_CANDIDATES - 1, |a, b| b.total_cmp(a)).1
    }

    /// What is wanted, in all and in the person's categories.
    pub(crate) fn admit_the_wanted(&mut self, inputs: &Inputs<'a>) -> Tastes {
        let Inputs { popularity, catalogue, .. } = *inputs;
        let popular = POPULAR_CANDIDATES.max(inputs.limit);
        self.pool.admit(popularity.top(popular));
        self.pool.admit(popularity.trending(popular));
        let tastes = Tastes::new(&self.history, catalogue, self.config);
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
    pub(crate) fn admit_the_alike(&mut self, catalogue: &'a Catalogue) {
        if self.strategy == Strategy::Collaborative {
            return;
        }
        for position in 0..self.context.min(SIMILAR_CONTEXT) {
            let Some(place) = catalogue.place(self.pool.items[position]) else { continue };
            for (alike, _) in &*catalogue.most_alike(place) {
                self.pool.evidence(catalogue.id_at(*alike)).like_cause.get_or_insert(position as u16);
            }
        }
    }

    /// What the last item and what the context is.
    pub(crate) fn describe(&self, catalogue: &Catalogue, last: &mut Profile, context: &mut Profile) {
        last.clear();
        context.clear();
        if self.strategy == Strategy::Collaborative {
            return;
        }
        for position in 0..self.context {
            if let Some(place) = catalogue.place(self.pool.items[position]) {
                if position == 0 {
                    catalogue.add_to(last, place, 1.0);
                }
                catalogue.add_to(context, place, 0.5 * Fading::at(position).middle);
            }
        }
    }

    /// The kinds of the context's items, where the catalogue has facets and knows the last item.
    pub(crate) fn kinds<'c>(&self, catalogue: &'c Catalogue) -> Option<ContextKinds<'c>> {
        if self.strategy == Strategy::Collaborative || !catalogue.has_facets() || self.context == 0 {
            return None;
        }
        let mut known: Vec<(f32, &Kinds)> = Vec::with_capacity(self.context);
        let mut total = 0.0;
        for position in 0..self.context {
            if let Some(place) = catalogue.place(self.pool.items[position]) {
                let weight = 0.8_f32.powi(position as i32);
                total += weight;
                known.push((weight, catalogue.kinds_at(place)));
            }
        }
        let last = catalogue.kinds_at(catalogue.place(self.pool.items[0])?);
        Some(ContextKinds { last, known, total: total.max(1.0), facets: catalogue.facets() })
    }
}

/// What the context's items are, by facet.
pub(crate) struct ContextKinds<'c> {
    last: &'c Kinds,
    /// With what each counts.
    known: Vec<(f32, &'c Kinds)>,
    total: f32,
    facets: &'c Kinds,
}

impl ContextKinds<'_> {
    /// Of a candidate of these kinds.
    pub(crate) fn kinship(&self, to: &Kinds) -> Kinship {
        let mut shares = [0.0_f32; MAX_FACETS];
        for (weight, kinds) in &self.known {
            for ((share, of), kind) in shares.iter_mut().zip(to).zip(kinds.iter()) {
                if *of != 0 && of == kind {
                    *share += weight / self.total;
                }
            }
        }
        Kinship::new(self.last, to, shares, self.facets)
    }
}

impl Evidence {
    /// Adds what the context's item at `position` says.
    fn add(&mut self, position: usize, neighbour: &Neighbour, age_s: f32, scale: &Scale, fading: Fading) {
        let sums = neighbour.sums;
        let ahead = sums.forward as f32 * scale.forward;
        let behind = sums.backward as f32 * scale.backward;
        let any = sums.any() as f32 * scale.any;
        // Halved every 2 days, and every 6 hours: 8 times as fast.
        let days = (age_s / -(48.0 * 3_600.0)).exp2();
        let hours = days.powi(8);
        self.forward += fading.near * ahead;
        self.backward += fading.near * behind;
        self.any += fading.wide * any;
        self.strongest = self.strongest.max(any);
        self.recent_days += fading.middle * any * days;
        self.recent_hours += fading.middle * any * hours;
        self.agreeing += 1;
        self.agreeing_near += fading.middle;
        self.edge_s = self.edge_s.max(neighbour.last_s);
        let each = if position > 3 { 0.8_f32.powi(position as i32 - 3) } else { 1.0 };
        self.ahead[position.min(3)] += each * ln1(ahead, 0.002);
        self.behind[position.min(3)] += each * ln1(behind, 0.002);
        let loudness = fading.near * (ahead + 0.5 * behind);
        if loudness > self.loudness {
            (self.cause, self.loudness) = (position as u16, loudness);
        }
        match position {
            0 => {
                self.adjacent = sums.adjacent as f32 * scale.adjacent;
                self.forward_weight = sums.forward as f32 * scale.unit;
                self.last_edge_s = neighbour.last_s;
            }
            1 => self.adjacent_second = sums.adjacent as f32 * scale.adjacent,
            _ => {}
        }
    }
}
