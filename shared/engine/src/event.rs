//! What a person did, as the engine takes it.

use crate::item_id::ItemId;
use crate::watermark::Source;

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A product page was looked at.
    ProductView,
    /// A product was put into the cart.
    AddToCart,
    /// A product was taken out of the cart.
    RemoveFromCart,
    /// A product was bought.
    Purchase,
    /// A recommendation was clicked.
    RecommendationClick,
    /// A recommendation was on the screen.
    RecommendationView,
}

impl EventKind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::ProductView, "product_view"),
        (Self::AddToCart, "add_to_cart"),
        (Self::RemoveFromCart, "remove_from_cart"),
        (Self::Purchase, "purchase"),
        (Self::RecommendationClick, "recommendation_click"),
        (Self::RecommendationView, "recommendation_view"),
    ];

    /// The kind of this name, as on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|(kind, _)| *kind == self).unwrap_or(0) as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).map(|(kind, _)| *kind)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// The product.
    pub item: ItemId,
    /// What was done with it.
    pub kind: EventKind,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// [`event_hash`] of the event's id: the same event twice counts once.
    pub event_hash: u64,
    /// The partition it came from.
    pub source: Source,
    /// Its offset there.
    pub offset: u64,
}

/// The hash by which a person remembers an event's id.
pub fn event_hash(event_id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(event_id.as_bytes())
}
