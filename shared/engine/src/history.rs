//! What a person's own history says of items seen before.

use crate::config::Config;
use crate::event::EventKind;
use crate::features::{Feature, Row, ln, ln1};
use crate::item_id::{ItemId, Key};
use crate::person::{Past, Person};
use crate::pool::Pool;

/// The history, read once for a list.
pub(crate) struct History<'a> {
    past: &'a [Past],
    /// By recency: the last item first. The first candidates of the pool are the same items.
    repeats: Vec<Repeat>,
    /// Share of the person's steps that went back to something seen before.
    repeat_ratio: f32,
    /// Events of the present visit.
    pub(crate) visit_events: usize,
    /// Distinct items of the present visit.
    visit_distinct: usize,
}

/// How a step of a visit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To an item that is new in the visit.
    On,
    /// To the same item.
    Again,
    /// Back to an earlier one.
    Back,
}

/// How the last two steps of a visit went; the first event is no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Steps {
    last: Option<Step>,
    /// Did the one before go to something seen before?
    was_back_before: bool,
}

impl Steps {
    /// How many there are to tell apart.
    pub(crate) const COUNT: usize = 7;

    /// Its number, from 0.
    pub(crate) fn number(self) -> usize {
        self.last.map_or(0, |last| 1 + 2 * last as usize + usize::from(self.was_back_before))
    }
}

/// What a visit has taught the edge between two of its items, by their places among the candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnEdge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) adjacent: f32,
    /// By 1/distance.
    pub(crate) near: f32,
}

/// What speaks for seeing an item again.
#[derive(Debug, Clone, Default)]
struct Repeat {
    /// Events since it was last touched.
    distance: usize,
    in_visit: bool,
    visit_touches: usize,
    bought: bool,
    in_cart: bool,
    removed: bool,
    twice_running: bool,
    follows_last: f32,
    precedes_last: f32,
    /// Touches, halved every 6 hours, every day and every week; the last two weighted by type.
    hours6: f32,
    day: f32,
    week: f32,
    age_hours: f32,
}

impl<'a> History<'a> {
    /// Reads it; its items become the first candidates.
    pub(crate) fn new(person: &'a Person, now_ms: i64, config: &Config, pool: &mut Pool<'a, '_>) -> Self {
        let past = person.history();
        let mut history = Self {
            past,
            repeats: Vec::with_capacity(past.len()),
            repeat_ratio: 0.0,
            visit_events: 0,
            visit_distinct: 0,
        };
        let Some(last) = past.last() else { return history };
        for (distance, touch) in past.iter().rev().enumerate() {
            let age_hours = ((now_ms / 1_000).saturating_sub(touch.at_s).max(0) as f32) / 3_600.0;
            let Some(slot) = pool.slot(&touch.item) else { break };
            if slot == history.repeats.len() {
                let removed = touch.kind == EventKind::RemoveFromCart;
                history.repeats.push(Repeat { distance, removed, age_hours, ..Repeat::default() });
            }
            history.repeats[slot].touch(touch, config.weight(touch.kind), age_hours, last.visit);
            history.visit_events += usize::from(touch.visit == last.visit);
        }
        history.repeat_ratio = (past.len() - history.repeats.len()) as f32 / (past.len().max(2) - 1) as f32;
        history.visit_distinct = history.repeats.iter().filter(|repeat| repeat.in_visit).count();
        history.follow(last.item.key(), pool);
        history
    }

    /// Notes what came directly after and before the last item, earlier on.
    fn follow(&mut self, last: Key, pool: &mut Pool<'a, '_>) {
        let past = self.past;
        let share = 1.0 / past.iter().filter(|touch| touch.item.key() == last).count().max(1) as f32;
        for pair in past.windows(2) {
            if pair[0].item.key() == last
                && let Some(next) = pool.slot(&pair[1].item).and_then(|slot| self.repeats.get_mut(slot))
            {
                next.follows_last += share;
                next.twice_running |= pair[1].item.key() == last;
            }
            if pair[1].item.key() == last
                && let Some(before) = pool.slot(&pair[0].item).and_then(|slot| self.repeats.get_mut(slot))
            {
                before.precedes_last += share;
            }
        }
    }

    /// How the last two steps of the visit went.
    pub(crate) fn steps(&self) -> Steps {
        let visit = self.visit();
        let key = |at: usize| visit[at].item.key();
        let went = |at: usize| match at.checked_sub(1) {
            Some(before) if key(before) == key(at) => Step::Again,
            Some(_) if (0..at).any(|earlier| key(earlier) == key(at)) => Step::Back,
            _ => Step::On,
        };
        match visit.len() {
            0 | 1 => Steps::default(),
            2 => Steps { last: Some(went(1)), was_back_before: false },
            count => Steps { last: Some(went(count - 1)), was_back_before: went(count - 2) != Step::On },
        }
    }

    fn visit(&self) -> &'a [Past] {
        &self.past[self.past.len().saturating_sub(self.visit_events)..]
    }

    /// What this very visit has taught the edges between its items.
    pub(crate) fn own_edges(&self, config: &Config, pool: &mut Pool<'a, '_>) -> Vec<OwnEdge> {
        let taught: Vec<(usize, f32)> = self
            .visit()
            .iter()
            .map(|past| (&past.item, config.weight(past.kind)))
            .filter(|(_, weight)| *weight > 0.0)
            .filter_map(|(item, weight)| Some((pool.slot(item)?, weight)))
            .collect();
        let mut edges = Vec::with_capacity(taught.len() * config.context_steps);
        for (at, (from, _)) in taught.iter().enumerate() {
            for (step, (to, weight)) in (1_u8..).zip(taught[at + 1..].iter().take(config.context_steps)) {
                let adjacent = if step == 1 { *weight } else { 0.0 };
                edges.push(OwnEdge { from: *from, to: *to, adjacent, near: weight / f32::from(step) });
            }
        }
        edges
    }

    /// How many distinct items were seen before: the first candidates.
    pub(crate) fn distinct(&self) -> usize {
        self.repeats.len()
    }

    /// Items with the weight of what was done, newest first.
    pub(crate) fn newest_first(&self, config: &Config) -> impl Iterator<Item = (&'a ItemId, f32)> {
        self.past.iter().rev().map(|touch| (&touch.item, config.weight(touch.kind)))
    }

    /// Was the candidate touched in this visit?
    pub(crate) fn is_in_visit(&self, slot: usize) -> bool {
        self.repeats.get(slot).is_some_and(|repeat| repeat.in_visit)
    }

    /// Was it put into the cart or bought?
    pub(crate) fn was_wanted(&self, slot: usize) -> bool {
        self.repeats.get(slot).is_some_and(|repeat| repeat.bought || repeat.in_cart)
    }

    /// Fills in the features of going back to a candidate.
    pub(crate) fn fill(&self, slot: usize, row: &mut Row) {
        const BY_RANK: [Feature; 6] =
            [Feature::Rank1, Feature::Rank2, Feature::Rank3, Feature::Rank4, Feature::Rank6, Feature::Rank11];
        let Some(repeat) = self.repeats.get(slot) else { return };
        let bucket = match slot {
            0..=2 => slot,
            3..=4 => 3,
            5..=9 => 4,
            _ => 5,
        };
        let flag = |is: bool| f32::from(u8::from(is));
        row.set(BY_RANK[bucket], 1.0);
        row.set(Feature::VisitTouches, ln(repeat.visit_touches.max(1) as f32));
        if repeat.in_visit {
            let ratio = (self.visit_events - self.visit_distinct) as f32 / (self.visit_events.max(2) - 1) as f32;
            row.set(if slot == 0 { Feature::VisitRepeatsLast } else { Feature::VisitRepeats }, ratio);
        }
        row.set(Feature::InVisit, flag(repeat.in_visit));
        row.set(Feature::Near, (-(repeat.distance as f32) / 4.0).exp());
        row.set(Feature::FollowsLast, flag(repeat.follows_last > 0.0));
        row.set(Feature::FollowsLastShare, repeat.follows_last);
        row.set(Feature::PrecedesLastShare, repeat.precedes_last);
        row.set(Feature::TwiceRunning, flag(slot == 0 && repeat.twice_running));
        row.set(Feature::PersonRepeats, if slot > 0 { 2.0 * self.repeat_ratio } else { 0.0 });
        row.set(Feature::Touches6h, 0.5 * ln1(repeat.hours6, 0.1));
        row.set(Feature::Touches1d, 0.5 * ln1(repeat.day, 0.1));
        row.set(Feature::Touches7d, 0.5 * ln1(repeat.week, 0.1));
        row.set(Feature::Age, 0.3 * ln(1.0 + repeat.age_hours));
        row.set(Feature::Bought, flag(repeat.bought));
        row.set(Feature::InCart, flag(repeat.in_cart));
        row.set(Feature::Removed, flag(repeat.removed));
    }
}

impl Repeat {
    fn touch(&mut self, touch: &Past, weight: f32, age_hours: f32, visit: u32) {
        self.in_visit |= touch.visit == visit;
        self.visit_touches += usize::from(touch.visit == visit);
        self.bought |= touch.kind == EventKind::Purchase;
        self.in_cart |= touch.kind == EventKind::AddToCart;
        self.hours6 += (-age_hours / 6.0).exp2() * f32::from(u8::from(weight > 0.0));
        self.day += (-age_hours / 24.0).exp2() * weight;
        self.week += (-age_hours / 168.0).exp2() * weight;
    }
}
