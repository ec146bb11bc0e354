//! What is judged.

use serde::Serialize;

use crate::Event;

/// Places of a list that count.
pub const TOP: usize = 20;

/// What is asked of a recommender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Who: the place in [`Dataset::users`](crate::Dataset::users).
    pub user: u32,
    /// When, about: milliseconds since the epoch.
    pub at_ms: i64,
    /// Only items that this person never had to do with.
    pub new_only: bool,
}

/// Something that predicts what a person does next.
pub trait Recommender {
    /// What tables call it.
    fn name(&self) -> &str;

    /// Fills `list`, which comes empty, with at most [`TOP`] item numbers, best first, for what the person will do next. Returns
    /// how many of them are fallback: not personal, popular only, because nothing else was known.
    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize;

    /// Learns from what its list foretold of this event, before it is learned; most have nothing to learn there. Not in the time
    /// of [`learn`](Self::learn).
    fn reflect(&mut self, _event: &Event) {}

    /// Takes an event in: the models and the person's history.
    fn learn(&mut self, event: &Event);

    /// Moves the person's history on; the models stand still. So are the test rows of a split taken in.
    fn follow(&mut self, event: &Event);

    /// How large its stored documents are, if it keeps any.
    fn bytes(&self) -> Option<Bytes> {
        None
    }

    /// Documents of items written per event, each once in a batch of 100 events, if it keeps any.
    fn item_writes(&self) -> Option<f64> {
        None
    }
}

/// Sizes of stored documents. Serialized, `item` and `person` are what is typical: the median.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "BytesLine")]
pub struct Bytes {
    /// An item's document.
    pub item: Typical,
    /// A person's document.
    pub person: Typical,
}

/// [`Bytes`] in the result line.
#[derive(Serialize)]
struct BytesLine {
    item: u64,
    person: u64,
    item_p90: u64,
    person_p90: u64,
}

impl From<Bytes> for BytesLine {
    fn from(Bytes { item, person }: Bytes) -> Self {
        Self { item: item.p50, person: person.p50, item_p90: item.p90, person_p90: person.p90 }
    }
}

/// A size as most have it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Typical {
    /// Half are no larger.
    pub p50: u64,
    /// Nine tenths are no larger.
    pub p90: u64,
}

impl Typical {
    /// Of these sizes; 0 of none.
    pub fn of(mut sizes: Vec<u64>) -> Self {
        sizes.sort_unstable();
        let at = |tenths: usize| sizes.get(sizes.len().saturating_sub(1) * tenths / 10).copied().unwrap_or(0);
        Self { p50: at(5), p90: at(9) }
    }
}
