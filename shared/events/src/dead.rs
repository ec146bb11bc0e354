//! A record that could not be processed, with why: the value of `…-dead`, keyed as its source.

use serde::{Deserialize, Serialize};

/// A dead letter. The original value is kept whole: as text where it is UTF-8, else in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Why, for people: the field, what came, what was expected.
    pub reason: String,
    /// The field that was refused (`value` where it is the record as a whole).
    pub field: String,
    /// The function that gave it up.
    pub function: String,
    /// Source topic.
    pub topic: String,
    /// Source partition.
    pub partition: u32,
    /// Source offset.
    pub offset: u64,
    /// The record's own time, milliseconds since the epoch (-1: it had none).
    pub timestamp: i64,
    /// Size of the original value in bytes.
    pub value_bytes: usize,
    /// The original value, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The original value in base64, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
}
