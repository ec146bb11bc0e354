//! What each person did: the last items, the present visit, everything ever had.

use std::collections::{HashSet, VecDeque};

use crate::{Dataset, Event, Request};

/// Without an event for so long, a visit is over: 30 minutes, in milliseconds, as web analytics has it.
const VISIT_GAP_MS: i64 = 30 * 60 * 1_000;
/// Events that are remembered of a person.
const RECENT: usize = 100;
/// Events that are remembered of a visit.
const VISIT: usize = 50;

/// All people, by number.
pub(super) struct People {
    /// None where times are made up: all that a person does is one visit.
    gap_ms: Option<i64>,
    persons: Vec<Person>,
    had: HashSet<(u32, u32)>,
}

/// One person.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    /// The items of the last [`RECENT`] events, the oldest first.
    pub(super) recent: VecDeque<u32>,
    /// The items of the last [`VISIT`] events of the present visit, or of the last one if it is over; the oldest first.
    pub(super) visit: VecDeque<u32>,
    last_ms: Option<i64>,
}

impl People {
    pub(super) fn new(dataset: &Dataset) -> Self {
        Self {
            gap_ms: dataset.has_times.then_some(VISIT_GAP_MS),
            persons: vec![Person::default(); dataset.users.len()],
            had: HashSet::new(),
        }
    }

    /// Nothing is known of a person who was never met.
    pub(super) fn get(&self, user: u32) -> Option<&Person> {
        self.persons.get(user as usize)
    }

    /// May this item be in the answer?
    pub(super) fn allows(&self, request: &Request, item: u32) -> bool {
        !request.new_only || !self.had.contains(&(request.user, item))
    }

    /// Takes an event in; did it begin a visit?
    pub(super) fn follow(&mut self, event: &Event) -> bool {
        let user = event.user as usize;
        if user >= self.persons.len() {
            self.persons.resize(user + 1, Person::default());
        }
        let person = &mut self.persons[user];
        let begins = person
            .last_ms
            .is_none_or(|last_ms| self.gap_ms.is_some_and(|gap_ms| event.at_ms.saturating_sub(last_ms) > gap_ms));
        if begins {
            person.visit.clear();
        }
        person.last_ms = Some(event.at_ms);
        push(&mut person.recent, RECENT, event.item);
        push(&mut person.visit, VISIT, event.item);
        self.had.insert((event.user, event.item));
        begins
    }
}

/// Appends to a queue of bounded length.
pub(super) fn push(queue: &mut VecDeque<u32>, most: usize, new: u32) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(new);
}
