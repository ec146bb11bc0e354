//! What comes out of Kafka, read as far as the monitor needs it.

use freshet_events::{DeadLetter, EventType, MetricsRecord, UserEvent, parse_iso8601};
use serde::Deserialize;

use super::names::Name;
use crate::cloud::{METRICS, USER_EVENTS};

/// The topic of the lists.
pub(crate) const RECOMMENDATIONS: &str = "recommendations";
/// How the names of the topics end that take what could not be processed.
pub(crate) const DEAD_SUFFIX: &str = "-dead";
/// Letters of a name that are kept: more than any terminal shows.
const MAX_NAME_CHARS: usize = 256;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    /// Somebody did something.
    Event(Event),
    /// A list was made.
    List(List),
    /// A function did a batch.
    Metrics(Box<MetricsRecord>),
    /// A record was given up.
    Dead(Dead),
    /// A record that is none of these.
    Unreadable {
        /// Its own time, milliseconds since the epoch.
        at_ms: i64,
        /// `topic[partition]@offset`.
        place: String,
        /// Why.
        reason: String,
    },
}

/// What a line says of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Unique.
    pub(crate) id: String,
    /// Who.
    pub(crate) user: String,
    /// Did what.
    pub(crate) kind: EventType,
    /// With which product.
    pub(crate) product: String,
    /// Its name, where the event says it.
    pub(crate) name: Option<Name>,
    /// When, milliseconds since the epoch.
    pub(crate) at_ms: i64,
}

/// What a line says of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List {
    /// The event that caused it, as far as the list tells.
    pub(crate) event: Event,
    /// Its length.
    pub(crate) count: usize,
    /// From the function's receipt to the written list.
    pub(crate) processing_ms: f64,
    /// The strategy.
    pub(crate) algorithm: String,
    /// Products and their names.
    pub(crate) names: Vec<(String, Name)>,
}

/// What is shown of a dead letter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dead {
    /// When it was given up, milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// `topic[partition]@offset` of the record.
    pub(crate) place: String,
    /// Who gave it up.
    pub(crate) function: String,
    /// The field that was refused.
    pub(crate) field: String,
    /// Why.
    pub(crate) reason: String,
}

/// A record of the topic `recommendations`, without what is not shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListRecord {
    user_id: String,
    recommendations: Vec<ListedItem>,
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    generated_at: String,
    #[serde(default)]
    caused_by: String,
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    product_id: String,
    #[serde(default)]
    processing_ms: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedItem {
    product_id: String,
    #[serde(default)]
    name: Option<String>,
}

impl Incoming {
    /// Reads a record of `topic`. `at_ms` is its own time.
    pub(crate) fn read(topic: &str, partition: i32, offset: i64, at_ms: i64, value: &[u8]) -> Self {
        let read = match topic {
            USER_EVENTS => event(value).map(Self::Event),
            RECOMMENDATIONS => list(value, at_ms).map(Self::List),
            METRICS => serde_json::from_slice(value).map(Self::Metrics).map_err(|error| error.to_string()),
            _ => dead(value, at_ms).map(Self::Dead),
        };
        read.unwrap_or_else(|reason| {
            let place = format!("{topic}[{partition}]@{offset}");
            Self::Unreadable { at_ms, place, reason }
        })
    }
}

fn event(value: &[u8]) -> Result<Event, String> {
    let (event, at_ms) = UserEvent::parse(value).map_err(|why| why.to_string())?;
    let name = event.metadata_str("name").and_then(name);
    Ok(Event {
        id: event.event_id,
        user: event.user_id,
        kind: event.event_type,
        product: event.product_id,
        name,
        at_ms,
    })
}

fn list(value: &[u8], at_ms: i64) -> Result<List, String> {
    let record: ListRecord = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    let count = record.recommendations.len();
    let named = record.recommendations.into_iter();
    let names = named.filter_map(|item| Some((item.product_id, name(item.name.as_deref()?)?))).collect();
    Ok(List {
        event: Event {
            id: record.caused_by,
            user: record.user_id,
            kind: EventType::parse(&record.event_type).unwrap_or(EventType::ProductView),
            product: record.product_id,
            name: None,
            at_ms: parse_iso8601(&record.generated_at).unwrap_or(at_ms),
        },
        count,
        processing_ms: record.processing_ms,
        algorithm: record.algorithm,
        names,
    })
}

fn dead(value: &[u8], at_ms: i64) -> Result<Dead, String> {
    let letter: DeadLetter = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    Ok(Dead {
        at_ms,
        place: format!("{}[{}]@{}", letter.topic, letter.partition, letter.offset),
        function: letter.function,
        field: letter.field,
        reason: letter.reason,
    })
}

/// A name worth keeping, within bounds.
pub(crate) fn name(text: &str) -> Option<Name> {
    let text: String = text.trim().chars().take(MAX_NAME_CHARS).collect();
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(topic: &str, value: &serde_json::Value) -> Incoming {
        Incoming::read(topic, 1, 7, 5, &serde_json::to_vec(value).unwrap())
    }

    #[test]
    fn every_topic_is_read_as_far_as_it_is_shown() {
        let event = json!({"eventId": "e", "userId": "u", "eventType": "add_to_cart", "productId": "p",
            "timestamp": "2026-09-21T14:13:20.123Z", "metadata": {"name": "x".repeat(10_240)}});
        let Incoming::Event(event) = read("user-events", &event) else { panic!() };
        assert_eq!((event.kind, event.at_ms), (EventType::AddToCart, 1_790_000_000_123));
        assert_eq!(event.name.unwrap().chars().count(), MAX_NAME_CHARS);
        let list = json!({"userId": "u", "recommendations": [{"productId": "a", "name": "A"}, {"productId": "b"}],
            "causedBy": "e", "eventType": "purchase", "productId": "p", "processingMs": 2.5, "algorithm": "hybrid"});
        let Incoming::List(list) = read("recommendations", &list) else { panic!() };
        assert_eq!((list.count, list.names.len(), list.event.kind), (2, 1, EventType::Purchase));
        let dead = json!({"reason": "why", "field": "userId", "function": "recommend", "topic": "user-events",
            "partition": 3, "offset": 9, "timestamp": -1, "valueBytes": 2});
        let Incoming::Dead(dead) = read("user-events-dead", &dead) else { panic!() };
        assert_eq!((dead.place.as_str(), dead.at_ms), ("user-events[3]@9", 5));
    }

    #[test]
    fn what_can_not_be_read_says_where_it_is() {
        for topic in ["user-events", "recommendations", "metrics", "metrics-dead"] {
            let Incoming::Unreadable { place, reason, .. } = Incoming::read(topic, 2, 11, 0, b"\xff{") else {
                panic!()
            };
            assert_eq!(place, format!("{topic}[2]@11"));
            assert!(!reason.is_empty());
        }
    }
}
