//! What an item learns of an event: the record of the topic `item-signals`, keyed by `productId`.

use serde::{Deserialize, Serialize};

use crate::event::EventType;

/// One event's whole effect on one item. Exactly one record per (event, item): `learn` drops what is at or under the
/// item's watermark for the source partition, so two records with one offset would lose the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemSignal {
    /// The item that learns.
    pub product_id: String,
    /// Where the event stood in `user-events`.
    pub source: SignalSource,
    /// When the event happened, milliseconds since the epoch.
    pub at: i64,
    /// What it was.
    pub event_type: EventType,
    /// How much interest it shows in the item itself; 0 where the item is only a companion.
    #[serde(default)]
    pub interest: f32,
    /// Companions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<SignalEdge>,
    /// What the website said of a product that the catalogue does not know (or knows unconfirmed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<SeenProduct>,
}

/// The place of the source event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalSource {
    /// Number made from the topic generation.
    pub generation: u32,
    /// Partition of `user-events`.
    pub partition: u32,
    /// Offset there.
    pub offset: u64,
}

/// One companion of the item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalEdge {
    /// The companion.
    pub other: String,
    /// True: the companion came after the item; false: before.
    pub forward: bool,
    /// Steps between the two, from 1.
    pub step: u8,
    /// Evidence before the division by the distance.
    pub weight: f32,
}

/// A product as a website's `metadata` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenProduct {
    /// Display name.
    pub name: String,
    /// Category, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Display price, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
}
