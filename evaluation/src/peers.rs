//! Published recommenders to compare with. All learn one event at a time, keep bounded models, and break ties by item number,
//! so that two runs give the same lists.
//!
//! What none of them knows enough to fill is filled with the person's own last items, then with what is popular; only the
//! latter counts as fallback.

mod background;
mod history;
mod neighbours;
mod people;
mod popularity;
mod sr;
mod vmis;
mod vsknn;

pub use history::History;
pub use popularity::Popularity;
pub use sr::Sr;
pub use vmis::VmisKnn;
pub use vsknn::VsKnn;

use crate::{Dataset, Recommender};

/// Every peer, new, for this data set.
pub fn all(dataset: &Dataset) -> Vec<Box<dyn Recommender>> {
    vec![
        Box::new(Popularity::new(dataset)),
        Box::new(History::new(dataset)),
        Box::new(Sr::new(dataset)),
        Box::new(VsKnn::new(dataset)),
        Box::new(VmisKnn::new(dataset)),
    ]
}
