//! V-SKNN.

use super::neighbours::{Method, Neighbours};
use crate::{Dataset, Event, Recommender, Request};

/// Vector-multiplication session kNN (Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018,
/// settings of session-rec): of the 1,000 latest visits that share an item with the present one the 100 likest are neighbours.
/// Likeness: the sum over shared items of position/length; a neighbour's items score its likeness over the steps back to the
/// latest shared item. Items of the present visit may come again. The rest is the person's own last items, then popular.
pub struct VsKnn(Neighbours);

impl VsKnn {
    /// Knows nothing yet.
    pub fn new(dataset: &Dataset) -> Self {
        Self(Neighbours::new(
            dataset,
            Method {
                neighbours: 100,
                sample: 1_000,
                likeness: |position, length| position as f64 / length as f64,
                match_weight: |steps| 1.0 / steps as f64,
                idf: false,
            },
        ))
    }
}

impl Recommender for VsKnn {
    fn name(&self) -> &'static str {
        "v-sknn"
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        self.0.recommend(request, list)
    }

    fn learn(&mut self, event: &Event) {
        self.0.learn(event);
    }

    fn follow(&mut self, event: &Event) {
        self.0.follow(event);
    }
}
