//! What every peer has: the people, and what fills the places that the peer itself leaves open.

use freshet_engine::EventKind;

use super::people::{People, Person};
use super::popularity::Ranking;
use crate::{Dataset, Event, Request, TOP};

/// People and popularity.
pub(super) struct Background {
    people: People,
    popularity: Ranking,
}

impl Background {
    pub(super) fn new(dataset: &Dataset) -> Self {
        Self { people: People::new(dataset), popularity: Ranking::new() }
    }

    pub(super) fn person(&self, user: u32) -> Option<&Person> {
        self.people.get(user)
    }

    /// May this item be in the answer?
    pub(super) fn allows(&self, request: &Request, item: u32) -> bool {
        self.people.allows(request, item)
    }

    /// Did the event begin a visit?
    pub(super) fn learn(&mut self, event: &Event) -> bool {
        // Taken out of a cart is not wanted more
        if event.kind != EventKind::RemoveFromCart {
            self.popularity.add(event.item);
        }
        self.people.follow(event)
    }

    /// Did the event begin a visit?
    pub(super) fn follow(&mut self, event: &Event) -> bool {
        self.people.follow(event)
    }

    /// Takes items into the list while it has places, each once, and only those that are allowed.
    pub(super) fn take(&self, request: &Request, items: impl IntoIterator<Item = u32>, list: &mut Vec<u32>) {
        for item in items {
            if list.len() >= TOP {
                return;
            }
            if !list.contains(&item) && self.people.allows(request, item) {
                list.push(item);
            }
        }
    }

    /// Fills the open places with the person's own items, the last first, then with popular ones; how many were popular?
    pub(super) fn fill(&self, request: &Request, list: &mut Vec<u32>) -> usize {
        if let Some(person) = self.people.get(request.user).filter(|_| !request.new_only) {
            self.take(request, person.recent.iter().rev().copied(), list);
        }
        self.fill_popular(request, list)
    }

    /// Fills the open places with popular items; how many?
    pub(super) fn fill_popular(&self, request: &Request, list: &mut Vec<u32>) -> usize {
        let before = list.len();
        self.take(request, self.popularity.best(), list);
        list.len() - before
    }
}
