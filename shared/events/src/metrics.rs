//! What a function did with a batch: the record of the topic `metrics`, keyed by the function's name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One batch. `outcomes` names every event's source offset, so that `measure` counts each one once, whatever is redelivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsRecord {
    /// The function (the record's key).
    pub function: String,
    /// When the batch was done, milliseconds since the epoch.
    pub at: i64,
    /// Number made from the topic generation of the source offsets.
    pub generation: u32,
    /// Records in the batch.
    pub records: u64,
    /// Records that went to the dead-letter topic.
    #[serde(default)]
    pub dead: u64,
    /// From receipt to the last acknowledged write, milliseconds.
    pub duration_ms: f64,
    /// Consumed capacity by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<String, Capacity>,
    /// What became of each event, by source partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<PartitionOutcomes>,
}

/// DynamoDB's own consumed capacity units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Read units.
    pub read: f64,
    /// Write units.
    pub write: f64,
}

/// The outcomes of one source partition, in offset order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionOutcomes {
    /// Partition of `user-events`.
    pub partition: u32,
    /// The events.
    pub events: Vec<Outcome>,
}

/// What became of one event, as five small numbers `[offset, eventType, strategy, listed, clicked]` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u8, u8, u8, u8)", into = "(u64, u8, u8, u8, u8)")]
pub struct Outcome {
    /// Offset in the source partition.
    pub offset: u64,
    /// Index into [`crate::EventType::ALL`].
    pub event_type: u8,
    /// The person's strategy: index into [`STRATEGIES`].
    pub strategy: u8,
    /// Was the product in the list that the person had before?
    pub listed: Listed,
    /// The strategy that a click names: index into [`STRATEGIES`].
    pub clicked: u8,
}

/// The event type of an outcome that counts nothing: the same `eventId` again.
pub const DOUBLE: u8 = 254;
/// The event type of an outcome that counts a dead letter.
pub const DEAD: u8 = 255;

/// Strategies by their code in [`Outcome`]; 0 stands for none or another.
pub const STRATEGIES: [&str; 4] = ["other", "collaborative", "content_based", "hybrid"];

/// The code of a strategy's name; 0 for one that is not ours.
pub fn strategy_code(name: &str) -> u8 {
    STRATEGIES.iter().position(|s| *s == name).unwrap_or(0) as u8
}

/// Whether an event's product had been recommended: the ground of the live precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// There was no list yet, the event is not a choice of a product, or the batch was delivered again and it is no longer known.
    Unknown,
    /// It was not in the list.
    No,
    /// It was.
    Yes,
}

impl From<(u64, u8, u8, u8, u8)> for Outcome {
    fn from((offset, event_type, strategy, listed, clicked): (u64, u8, u8, u8, u8)) -> Self {
        let listed = match listed {
            1 => Listed::No,
            2 => Listed::Yes,
            _ => Listed::Unknown,
        };
        Self { offset, event_type, strategy, listed, clicked }
    }
}

impl From<Outcome> for (u64, u8, u8, u8, u8) {
    fn from(outcome: Outcome) -> Self {
        let listed = match outcome.listed {
            Listed::Unknown => 0,
            Listed::No => 1,
            Listed::Yes => 2,
        };
        (outcome.offset, outcome.event_type, outcome.strategy, listed, outcome.clicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_five_small_numbers_on_the_wire() {
        let outcome = Outcome { offset: 12, event_type: 4, strategy: 3, listed: Listed::Yes, clicked: 1 };
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(json, "[12,4,3,2,1]");
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
    }
}
