//! The shapes that cross a wire: topics, HTTP and WebSocket, with their validation. No I/O.
//!
//! | module | what |
//! |---|---|
//! | [`event`] | what a person did: the `user-events` record, and the body of `POST /api/events/track` |
//! | [`signal`] | what an item learns of it: the `item-signals` record |
//! | [`list`] | what we recommend: the GET body's items and the `recommendations` record |
//! | [`metrics`] | what a function did with a batch: the `metrics` record |
//! | [`product`] | the catalogue's products, as written and as shown |
//! | [`socket`] | what goes over the WebSocket |
//! | [`dead`] | a record that could not be processed, with why |
//! | [`invalid`] | what is wrong with an input: field, what came, what was expected |

pub mod dead;
pub mod event;
pub mod invalid;
pub mod list;
pub mod metrics;
pub mod product;
pub mod signal;
pub mod socket;

pub use dead::DeadLetter;
pub use event::{EventType, TrackRequest, UserEvent};
pub use invalid::Invalid;
pub use list::{ListItem, RecommendationsRecord};
pub use metrics::MetricsRecord;
pub use product::Product;
pub use signal::ItemSignal;

/// Largest request body the API reads, in bytes; over it: 413.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Largest value of a `user-events` record that is processed, in bytes; over it: dead letter.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// Most events of one `POST /api/events/track/batch`.
pub const MAX_BATCH_EVENTS: usize = 100;

/// The topic that takes the records of `topic` that could not be processed.
pub fn dead_topic(topic: &str) -> String {
    format!("{topic}-dead")
}

/// `ms` (since the epoch) as ISO 8601 in UTC with milliseconds, as all our records and answers carry times.
pub fn iso8601(ms: i64) -> String {
    use time::macros::format_description;
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|at| at.format(format).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}

/// Milliseconds since the epoch of an ISO 8601 (RFC 3339) time.
pub fn parse_iso8601(text: &str) -> Option<i64> {
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back_with_milliseconds() {
        let text = iso8601(1_790_000_000_123);
        assert_eq!(text, "2026-09-21T14:13:20.123Z");
        assert_eq!(parse_iso8601(&text), Some(1_790_000_000_123));
        assert_eq!(parse_iso8601("yesterday"), None);
    }
}
