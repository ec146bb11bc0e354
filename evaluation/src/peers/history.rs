//! Everybody does again what they did before.

use super::background::Background;
use super::neighbours::best;
use crate::{Dataset, Event, Recommender, Request};

/// What an event is worth compared with the one after it.
const FADE: f64 = 0.9;

/// The person's own items of the last 100 events, by decayed frequency: an event d steps back counts 0.9^d. So recency and
/// frequency both tell (cf. Anderson et al., "The Dynamics of Repeat Consumption", WWW 2014). The rest is popular.
pub struct History {
    background: Background,
    scores: Vec<(u32, f64)>,
}

impl History {
    /// Knows nothing yet.
    pub fn new(dataset: &Dataset) -> Self {
        Self { background: Background::new(dataset), scores: Vec::new() }
    }
}

impl Recommender for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        self.scores.clear();
        if let Some(person) = self.background.person(request.user).filter(|_| !request.new_only) {
            let mut weight = 1.0;
            for item in person.recent.iter().rev() {
                match self.scores.iter_mut().find(|(known, _)| known == item) {
                    Some((_, score)) => *score += weight,
                    None => self.scores.push((*item, weight)),
                }
                weight *= FADE;
            }
        }
        self.background.take(request, best(&mut self.scores, usize::MAX), list);
        self.background.fill_popular(request, list)
    }

    fn learn(&mut self, event: &Event) {
        self.background.learn(event);
    }

    fn follow(&mut self, event: &Event) {
        self.background.follow(event);
    }
}
