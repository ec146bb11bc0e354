//! What the functions call: observe an event, learn a signal.

use crate::config::Config;
use crate::decay::Decayed;
use crate::event::{EventKind, Interaction};
use crate::item::Item;
use crate::item_id::ItemId;
use crate::person::{MAX_EVENT_HASHES, MAX_HISTORY, Past, Person};
use crate::popularity::Demand;
use crate::signal::{Direction, Edge, Signal};

/// 48 bits of an event's hash are remembered.
const HASH_MASK: u64 = (1 << 48) - 1;

/// The recommender with its settings.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) config: Config,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObserveOutcome {
    /// It is in the profile now.
    Applied,
    /// The same event id was applied before; only the watermark moved.
    Duplicate,
    /// The watermark covers it; nothing changed.
    AlreadyApplied,
}

/// What an event led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// What became of it.
    pub outcome: ObserveOutcome,
    /// What items learn of it, at most one signal an item.
    pub signals: Vec<Signal>,
    /// Was the product in the list the person had?
    pub was_listed: bool,
}

impl Engine {
    /// A recommender with these settings.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes an event into a person's profile.
    pub fn observe(&self, person: &mut Person, event: &Interaction) -> Observed {
        let nothing = |outcome| Observed { outcome, signals: Vec::new(), was_listed: false };
        if person.watermarks.covers(event.source, event.offset) {
            return nothing(ObserveOutcome::AlreadyApplied);
        }
        person.watermarks.advance(event.source, event.offset);
        let hash = event.event_hash & HASH_MASK;
        if person.event_hashes.contains(&hash) {
            return nothing(ObserveOutcome::Duplicate);
        }
        if person.event_hashes.len() >= MAX_EVENT_HASHES {
            person.event_hashes.remove(0);
        }
        person.event_hashes.push(hash);
        let was_listed =
            person.list.as_ref().is_some_and(|list| list.entries.iter().any(|entry| entry.item == event.item));
        if event.kind == EventKind::RecommendationView {
            return Observed { outcome: ObserveOutcome::Applied, signals: Vec::new(), was_listed };
        }
        let at_s = event.at_ms.div_euclid(1_000);
        let visit = person.history.last().map_or(0, |last| {
            let gap = at_s.saturating_sub(last.at_s).saturating_mul(1_000) > self.config.visit_gap_ms;
            last.visit.wrapping_add(u32::from(gap))
        });
        let signals = self.signals(&person.history, visit, event);
        if person.history.len() >= MAX_HISTORY {
            person.history.remove(0);
        }
        person.history.push(Past { item: event.item.clone(), kind: event.kind, at_s, visit });
        Observed { outcome: ObserveOutcome::Applied, signals, was_listed }
    }

    /// The event's own item learns interest and what came before; the items before learn what came after.
    fn signals(&self, history: &[Past], visit: u32, event: &Interaction) -> Vec<Signal> {
        let weight = self.config.weight(event.kind);
        if weight <= 0.0 {
            return Vec::new();
        }
        let blank = |item: &ItemId, interest| Signal {
            item: item.clone(),
            at_ms: event.at_ms,
            source: event.source,
            offset: event.offset,
            kind: event.kind,
            interest,
            edges: Vec::new(),
        };
        let mut signals = vec![blank(&event.item, weight)];
        let before = history.iter().rev().take_while(|past| past.visit == visit);
        let before = before.filter(|past| self.config.weight(past.kind) > 0.0).take(self.config.context_steps);
        for (step, past) in (1_u8..).zip(before) {
            let edge = |other: &ItemId, direction| Edge { other: other.clone(), direction, step, weight };
            if past.item != event.item {
                signals[0].edges.push(edge(&past.item, Direction::Backward));
            }
            let at = signals.iter().position(|signal| signal.item == past.item).unwrap_or_else(|| {
                signals.push(blank(&past.item, 0.0));
                signals.len() - 1
            });
            signals[at].edges.push(edge(&event.item, Direction::Forward));
        }
        signals
    }

    /// Was this event, or another of its id, never applied to the person?
    pub fn is_new(&self, person: &Person, event: &Interaction) -> bool {
        let is_known = person.event_hashes.contains(&(event.event_hash & HASH_MASK));
        !is_known && !person.watermarks.covers(event.source, event.offset)
    }

    /// Does an event of this kind choose a product, so that having foretold it counts?
    pub fn is_choice(&self, kind: EventKind) -> bool {
        !matches!(kind, EventKind::RecommendationView | EventKind::RemoveFromCart)
    }

    /// Teaches an item; false: its watermark covers the signal and nothing changed.
    pub fn learn(&self, item: &mut Item, signal: &Signal) -> bool {
        item.learn(signal, &self.config)
    }

    /// The demand for an item, for the popularity of its partition.
    pub fn demand(&self, item: &Item) -> Demand {
        let at = |interest: Decayed, half_life_ms: i64| {
            (interest.sum.max(1) as f64).log2() + interest.at_ms as f64 / half_life_ms.max(1) as f64
        };
        Demand {
            slow: at(item.interest(), self.config.half_life_ms),
            fast: at(item.trend(), self.config.trend_half_life_ms),
        }
    }

    /// The items whose models a list is made from: the last distinct ones, newest first.
    pub fn context(&self, person: &Person) -> Vec<ItemId> {
        let mut context: Vec<ItemId> = Vec::with_capacity(self.config.context_items);
        for past in person.history.iter().rev() {
            if context.len() >= self.config.context_items {
                break;
            }
            if !context.contains(&past.item) {
                context.push(past.item.clone());
            }
        }
        context
    }
}
