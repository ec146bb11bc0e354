//! What a person's own history says of items seen before.

use std::collections::HashMap;

use crate::ItemId;
use crate::event::EventKind;
use crate::person::{Past, Person};

/// The history, read once for a list.
pub(crate) struct History<'a> {
    past: &'a [Past],
    repeats: HashMap<&'a str, Repeat>,
}

/// What speaks for seeing an item again.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    /// Distinct items since it was last touched: 0 is the last item itself.
    pub(crate) rank: usize,
    /// Touched in the present visit?
    pub(crate) in_visit: bool,
    /// The strongest thing done with it.
    pub(crate) strongest: EventKind,
    /// How often it was bought.
    bought: u32,
    /// Put into the cart or bought?
    wanted: bool,
    /// Taken out of the cart, and not touched since?
    pub(crate) removed: bool,
    /// Was it the last thing twice running?
    pub(crate) twice_running: bool,
    /// Did it once follow the item that is the last now, and in what share of its occurrences?
    pub(crate) follows_last: bool,
    pub(crate) follows_last_share: f32,
    /// In what share of the last item's occurrences did it come before?
    pub(crate) precedes_last_share: f32,
    /// Share of the person's steps that went back to something seen before.
    pub(crate) person_ratio: f32,
    /// Touches, halved every 6 hours, every day and every week; the last two weighted by type.
    pub(crate) hours6: f32,
    pub(crate) day: f32,
    pub(crate) week: f32,
    /// Since the last touch.
    pub(crate) age_hours: f32,
}

impl<'a> History<'a> {
    pub(crate) fn new(person: &'a Person, now_ms: i64) -> Self {
        let past = person.history();
        let mut history = Self { past, repeats: HashMap::new() };
        let Some(last) = past.last() else { return history };
        let ratio = repeat_ratio(past);
        let mut rank = 0;
        for touch in past.iter().rev() {
            let age_hours = ((now_ms / 1_000).saturating_sub(touch.at_s).max(0) as f32) / 3_600.0;
            let repeat = history.repeats.entry(touch.item.as_ref()).or_insert_with(|| {
                rank += 1;
                Repeat {
                    rank: rank - 1,
                    in_visit: false,
                    strongest: EventKind::ProductView,
                    bought: 0,
                    wanted: false,
                    removed: touch.kind == EventKind::RemoveFromCart,
                    twice_running: false,
                    follows_last: false,
                    follows_last_share: 0.0,
                    precedes_last_share: 0.0,
                    person_ratio: ratio,
                    hours6: 0.0,
                    day: 0.0,
                    week: 0.0,
                    age_hours,
                }
            });
            repeat.touch(touch, age_hours, last.visit);
        }
        history.follow(&last.item);
        history
    }

    /// Notes what came directly after and before the last item, earlier on.
    fn follow(&mut self, last: &ItemId) {
        let past = self.past;
        let occurrences = past.iter().filter(|touch| touch.item == *last).count().max(1) as f32;
        for pair in past.windows(2) {
            if pair[0].item == *last
                && let Some(next) = self.repeats.get_mut(pair[1].item.as_ref())
            {
                next.follows_last = true;
                next.follows_last_share += 1.0 / occurrences;
                next.twice_running |= pair[1].item == *last;
            }
            if pair[1].item == *last
                && let Some(before) = self.repeats.get_mut(pair[0].item.as_ref())
            {
                before.precedes_last_share += 1.0 / occurrences;
            }
        }
    }

    /// The items seen before.
    pub(crate) fn items(&self) -> impl Iterator<Item = &'a ItemId> {
        self.past.iter().rev().map(|touch| &touch.item)
    }

    /// Items with the weight of what was done, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (&'a str, f32)> {
        self.past.iter().rev().map(|touch| (touch.item.as_ref(), type_weight(touch.kind)))
    }

    pub(crate) fn repeat(&self, item: &str) -> Option<&Repeat> {
        self.repeats.get(item)
    }

    /// Bought, once: enough, unless it is something the person buys again and again.
    pub(crate) fn is_done_with(&self, item: &str) -> bool {
        self.repeats.get(item).is_some_and(|repeat| repeat.bought == 1)
    }

    /// Was it put into the cart or bought?
    pub(crate) fn was_wanted(&self, item: &str) -> bool {
        self.repeats.get(item).is_some_and(|repeat| repeat.wanted)
    }
}

impl Repeat {
    fn touch(&mut self, touch: &Past, age_hours: f32, visit: u32) {
        let weight = type_weight(touch.kind);
        self.in_visit |= touch.visit == visit;
        self.bought += u32::from(touch.kind == EventKind::Purchase);
        self.wanted |= matches!(touch.kind, EventKind::AddToCart | EventKind::Purchase);
        if weight > type_weight(self.strongest) {
            self.strongest = touch.kind;
        }
        self.hours6 += (-age_hours / 6.0).exp2() * f32::from(u8::from(weight > 0.0));
        self.day += (-age_hours / 24.0).exp2() * weight;
        self.week += (-age_hours / 168.0).exp2() * weight;
    }
}

/// View 1, cart 3, purchase 4, removal 0.
fn type_weight(kind: EventKind) -> f32 {
    match kind {
        EventKind::ProductView | EventKind::RecommendationClick => 1.0,
        EventKind::AddToCart => 3.0,
        EventKind::Purchase => 4.0,
        EventKind::RemoveFromCart | EventKind::RecommendationView => 0.0,
    }
}

fn repeat_ratio(past: &[Past]) -> f32 {
    let back = (1..past.len()).filter(|at| past[..*at].iter().any(|earlier| earlier.item == past[*at].item)).count();
    back as f32 / (past.len().max(2) - 1) as f32
}
