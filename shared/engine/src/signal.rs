//! What one event teaches one item.

use crate::event::EventKind;
use crate::item_id::ItemId;
use crate::watermark::Source;

/// An event's whole effect on an item: exactly one per (event, item), for items drop what is at or under their watermark.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The item that learns.
    pub item: ItemId,
    /// When the event happened, milliseconds since the epoch.
    pub at_ms: i64,
    /// Where the event came from.
    pub source: Source,
    /// Its offset there.
    pub offset: u64,
    /// What it was.
    pub kind: EventKind,
    /// Interest in the item itself; 0 where it is only a companion.
    pub interest: f32,
    /// Its companions.
    pub edges: Vec<Edge>,
}

/// One companion.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The companion.
    pub other: ItemId,
    /// Did it come after the item or before?
    pub direction: Direction,
    /// Steps between, from 1.
    pub step: u8,
    /// Evidence, before it is divided by the distance.
    pub weight: f32,
}

/// The order of item and companion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The companion came after.
    Forward,
    /// The companion came before.
    Backward,
}
