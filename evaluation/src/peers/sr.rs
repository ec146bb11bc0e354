//! What followed the last item before.

use super::background::Background;
use crate::{Dataset, Event, Recommender, Request};

/// Transitions of order 1, counted: the items that came directly after the person's last item in anybody's visit, by count, then
/// number (the Markov chain, and sequential rules with one step, of Ludewig and Jannach, "Evaluation of session-based
/// recommendation algorithms", UMUAI 2018). The rest is the person's own last items, then popular.
pub struct Sr {
    background: Background,
    /// By item: what came next and how often, the best first.
    rows: Vec<Vec<(u32, u32)>>,
}

impl Sr {
    /// Knows nothing yet.
    pub fn new(dataset: &Dataset) -> Self {
        Self { background: Background::new(dataset), rows: vec![Vec::new(); dataset.items.len()] }
    }

    fn last(&self, user: u32) -> Option<u32> {
        self.background.person(user)?.recent.back().copied()
    }
}

impl Recommender for Sr {
    fn name(&self) -> &'static str {
        "sr"
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        if let Some(row) = self.last(request.user).and_then(|item| self.rows.get(item as usize)) {
            self.background.take(request, row.iter().map(|(item, _)| *item), list);
        }
        self.background.fill(request, list)
    }

    fn learn(&mut self, event: &Event) {
        let before = self.last(event.user);
        let begins = self.background.learn(event);
        let Some(row) = before.filter(|_| !begins).and_then(|item| self.rows.get_mut(item as usize)) else { return };
        let old = row.iter().position(|(item, _)| *item == event.item).map(|at| row.remove(at));
        let new = (event.item, old.map_or(0, |(_, count)| count) + 1);
        // The row stays in order: higher counts first, then lower numbers
        let at = row.partition_point(|(item, count)| *count > new.1 || *count == new.1 && *item < new.0);
        row.insert(at, new);
    }

    fn follow(&mut self, event: &Event) {
        self.background.follow(event);
    }
}
