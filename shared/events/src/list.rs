//! What we recommend.

use serde::{Deserialize, Serialize};

/// Items of a list where the client names no limit, and of a pushed one.
pub const DEFAULT_LIST_ITEMS: usize = 10;

/// One recommended item, as GET answers and the `recommendations` topic carry it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListItem {
    /// The product.
    pub product_id: String,
    /// Display name, where the catalogue knows it.
    #[serde(default)]
    pub name: Option<String>,
    /// Category, where known.
    #[serde(default)]
    pub category: Option<String>,
    /// Display price as the shop gave it.
    #[serde(default)]
    pub price: Option<String>,
    /// The price as a number, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_amount: Option<f64>,
    /// ISO 4217 code, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// Why, in a sentence.
    pub reason: String,
    /// Why, for machines: `viewed`, `bought_together`, `popular_in_category`, `repeat`, `similar`, `trending`.
    pub because: String,
    /// The product that caused it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_product_id: Option<String>,
}

/// A record of the topic `recommendations`, keyed by `userId`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecommendationsRecord {
    /// Whose list.
    pub user_id: String,
    /// The list, best first.
    pub recommendations: Vec<ListItem>,
    /// The strategy that made it.
    pub algorithm: String,
    /// When, ISO 8601.
    pub generated_at: String,
    /// The event that caused it.
    pub caused_by: String,
    /// What that event was.
    pub event_type: String,
    /// The product of that event.
    pub product_id: String,
    /// From the function's receipt of the batch to the written list, milliseconds.
    pub processing_ms: f64,
    /// Names the list in clicks and exposures.
    pub recommendation_id: String,
}
