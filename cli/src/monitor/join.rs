//! Events beside the lists they caused: two topics that are read side by side, in whatever order they come.
//!
//! A batch makes one list a person, caused by the last of the person's events: the ones before it are counted in the same
//! list. A person's events are in one partition, so they come in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use freshet_events::EventType;

use super::incoming::{Event, List};

/// How long an event waits for its list.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a list waits for its event, which may be in a slower partition, or older than what is read.
const EARLY: Duration = Duration::from_secs(1);
/// Events that wait at the most.
const MAX_WAITING: usize = 50_000;
/// Lists that wait at the most.
const MAX_EARLY: usize = 10_000;
/// Events that were done last: what comes again is told from what is new.
const MAX_DONE: usize = 50_000;

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Its list is not there yet.
    Waiting,
    /// It made a list.
    List {
        /// Of so many.
        count: usize,
        /// In so many milliseconds.
        ms: f64,
        /// By this strategy.
        algorithm: String,
    },
    /// It is counted in the list of a later event of the same batch.
    Folded,
    /// The same `eventId` again: it counts once.
    Double,
    /// This kind makes no list.
    NoList,
    /// None came in time.
    Late,
}

/// An event whose outcome is new.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    /// The event.
    pub(crate) event: Event,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// Keeps what waits for its other half.
#[derive(Debug, Default)]
pub(crate) struct Join {
    /// Events without a list, by person, in order.
    waiting: HashMap<String, VecDeque<Event>>,
    /// When each of them gives up: person and event.
    deadlines: VecDeque<(Instant, String, String)>,
    waiting_ids: HashSet<String>,
    /// Lists whose event has not come, by event.
    early: HashMap<String, List>,
    early_deadlines: VecDeque<(Instant, String)>,
    done: HashSet<String>,
    done_order: VecDeque<String>,
}

impl Join {
    /// An event came. What it settles, the event itself last.
    pub(crate) fn event(&mut self, event: Event, now: Instant) -> Vec<Joined> {
        if self.done.contains(&event.id) || self.waiting_ids.contains(&event.id) {
            return vec![Joined { event, outcome: Outcome::Double }];
        }
        if event.kind == EventType::RecommendationView {
            self.finish(&event.id);
            return vec![Joined { event, outcome: Outcome::NoList }];
        }
        if let Some(list) = self.early.remove(&event.id) {
            let mut settled = self.fold(&event.user, None);
            self.finish(&event.id);
            settled.push(Joined { event, outcome: outcome(&list) });
            return settled;
        }
        self.deadlines.push_back((now + PATIENCE, event.user.clone(), event.id.clone()));
        self.waiting_ids.insert(event.id.clone());
        self.waiting.entry(event.user.clone()).or_default().push_back(event.clone());
        let mut settled = Vec::new();
        if self.waiting_ids.len() > MAX_WAITING {
            settled = self.give_up_oldest();
        }
        settled.push(Joined { event, outcome: Outcome::Waiting });
        settled
    }

    /// A list came. What it settles, in the order of the events.
    pub(crate) fn list(&mut self, list: List, now: Instant) -> Vec<Joined> {
        let id = list.event.id.clone();
        if self.done.contains(&id) {
            return Vec::new();
        }
        if !self.waiting_ids.contains(&id) {
            if self.early.len() < MAX_EARLY && self.early.insert(id.clone(), list).is_none() {
                self.early_deadlines.push_back((now + EARLY, id));
            }
            return Vec::new();
        }
        let mut settled = self.fold(&list.event.user, Some(&id));
        if let Some(last) = settled.last_mut() {
            last.outcome = outcome(&list);
        }
        settled
    }

    /// What waited too long by `now`.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Joined> {
        let mut settled = Vec::new();
        while self.early_deadlines.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.early_deadlines.pop_front() else { break };
            if let Some(list) = self.early.remove(&id) {
                self.finish(&id);
                let outcome = outcome(&list);
                settled.push(Joined { event: list.event, outcome });
            }
        }
        while self.deadlines.front().is_some_and(|(at, _, id)| *at <= now || !self.waiting_ids.contains(id)) {
            settled.extend(self.give_up_oldest());
        }
        settled
    }

    fn give_up_oldest(&mut self) -> Vec<Joined> {
        let Some((_, user, id)) = self.deadlines.pop_front() else { return Vec::new() };
        if !self.waiting_ids.contains(&id) {
            return Vec::new();
        }
        let taken = self.take(&user, Some(&id));
        // Not done: a list that comes later still is told of.
        for event in &taken {
            self.waiting_ids.remove(&event.id);
        }
        taken.into_iter().map(|event| Joined { event, outcome: Outcome::Late }).collect()
    }

    /// What waits of `user`, up to and with `last` (or all), is counted in a later list.
    fn fold(&mut self, user: &str, last: Option<&str>) -> Vec<Joined> {
        let taken = self.take(user, last).into_iter();
        taken.inspect(|event| self.finish(&event.id)).map(|event| Joined { event, outcome: Outcome::Folded }).collect()
    }

    fn take(&mut self, user: &str, last: Option<&str>) -> Vec<Event> {
        let Some(queue) = self.waiting.get_mut(user) else { return Vec::new() };
        let end =
            last.map_or(queue.len(), |last| queue.iter().position(|event| event.id == last).map_or(0, |at| at + 1));
        let taken: Vec<Event> = queue.drain(..end).collect();
        if queue.is_empty() {
            self.waiting.remove(user);
        }
        taken
    }

    fn finish(&mut self, id: &str) {
        self.waiting_ids.remove(id);
        if self.done_order.len() == MAX_DONE
            && let Some(oldest) = self.done_order.pop_front()
        {
            self.done.remove(&oldest);
        }
        if self.done.insert(id.to_owned()) {
            self.done_order.push_back(id.to_owned());
        }
    }
}

fn outcome(list: &List) -> Outcome {
    Outcome::List { count: list.count, ms: list.processing_ms, algorithm: list.algorithm.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, user: &str) -> Event {
        let (id, user) = (id.to_owned(), user.to_owned());
        Event { id, user, kind: EventType::ProductView, product: "p".into(), name: None, at_ms: 1 }
    }

    fn list(id: &str, user: &str) -> List {
        List { event: event(id, user), count: 5, processing_ms: 2.5, algorithm: "hybrid".into(), names: Vec::new() }
    }

    fn told(settled: Vec<Joined>) -> Vec<(String, &'static str)> {
        let name = |outcome: &Outcome| match outcome {
            Outcome::Waiting => "waiting",
            Outcome::List { .. } => "list",
            Outcome::Folded => "folded",
            Outcome::Double => "double",
            Outcome::NoList => "none",
            Outcome::Late => "late",
        };
        settled.into_iter().map(|joined| (joined.event.id, name(&joined.outcome))).collect()
    }

    fn is(settled: Vec<Joined>, expected: &[(&str, &'static str)]) {
        let expected: Vec<_> = expected.iter().map(|(id, outcome)| ((*id).to_owned(), *outcome)).collect();
        assert_eq!(told(settled), expected);
    }

    #[test]
    fn an_event_meets_its_list_whichever_comes_first_and_once() {
        let (mut join, now) = (Join::default(), Instant::now());
        is(join.event(event("a", "u"), now), &[("a", "waiting")]);
        is(join.list(list("a", "u"), now), &[("a", "list")]);
        is(join.list(list("a", "u"), now), &[]);
        is(join.event(event("a", "u"), now), &[("a", "double")]);
        is(join.list(list("b", "u"), now), &[]);
        is(join.event(event("b", "u"), now), &[("b", "list")]);
        assert!(join.expire(now + PATIENCE).is_empty() && join.early_deadlines.is_empty());
    }

    #[test]
    fn events_of_one_batch_are_counted_in_the_list_of_the_last() {
        let (mut join, now) = (Join::default(), Instant::now());
        for id in ["a", "b", "c"] {
            join.event(event(id, "u"), now);
        }
        join.event(event("x", "other"), now);
        is(join.list(list("b", "u"), now), &[("a", "folded"), ("b", "list")]);
        is(join.list(list("c", "u"), now), &[("c", "list")]);
        join.event(event("d", "u"), now);
        join.list(list("e", "u"), now);
        is(join.event(event("e", "u"), now), &[("d", "folded"), ("e", "list")]);
    }

    #[test]
    fn what_never_meets_its_other_half_is_told_in_the_end_and_forgotten() {
        let (mut join, now) = (Join::default(), Instant::now());
        join.list(list("before", "u"), now);
        join.event(event("lost", "u"), now);
        is(join.event(Event { kind: EventType::RecommendationView, ..event("v", "u") }, now), &[("v", "none")]);
        is(join.expire(now + EARLY), &[("before", "list")]);
        is(join.expire(now + PATIENCE), &[("lost", "late")]);
        join.list(list("lost", "u"), now + PATIENCE);
        is(join.expire(now + PATIENCE + EARLY), &[("lost", "list")]);
        assert!(join.waiting.is_empty() && join.waiting_ids.is_empty() && join.deadlines.is_empty());
        for n in 0..=MAX_WAITING {
            join.event(event(&n.to_string(), "u"), now);
        }
        assert_eq!(join.waiting_ids.len(), MAX_WAITING);
        for n in 0..2 * MAX_EARLY {
            join.list(list(&format!("l{n}"), "u"), now);
        }
        assert_eq!(join.early.len(), MAX_EARLY);
    }
}
