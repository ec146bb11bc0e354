//! What a person did.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::invalid::Invalid;
use crate::parse_iso8601;

/// Longest `userId`, `productId` and `eventId`, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// Largest `metadata`, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;

/// The kinds of events, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A product page was looked at.
    ProductView,
    /// A product was put into the cart.
    AddToCart,
    /// A product was taken out of the cart.
    RemoveFromCart,
    /// A product was bought.
    Purchase,
    /// A recommendation was clicked; `metadata.algorithm` names the strategy that made it.
    RecommendationClick,
    /// A recommendation was on the screen: an exposure.
    RecommendationView,
}

impl EventType {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::ProductView,
        Self::AddToCart,
        Self::RemoveFromCart,
        Self::Purchase,
        Self::RecommendationClick,
        Self::RecommendationView,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductView => "product_view",
            Self::AddToCart => "add_to_cart",
            Self::RemoveFromCart => "remove_from_cart",
            Self::Purchase => "purchase",
            Self::RecommendationClick => "recommendation_click",
            Self::RecommendationView => "recommendation_view",
        }
    }

    /// The kind named `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    fn from_field(value: Option<&Value>) -> Result<Self, Invalid> {
        let expected = || format!("one of {}", Self::ALL.map(Self::as_str).join(", "));
        value
            .and_then(Value::as_str)
            .and_then(Self::parse)
            .ok_or_else(|| Invalid::value("eventType", expected(), value))
    }
}

/// The body of `POST /api/events/track`, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackRequest {
    /// The client's own id, where it gave one: the same one twice counts once.
    pub event_id: Option<String>,
    /// Who.
    pub user_id: String,
    /// Did what.
    pub event_type: EventType,
    /// With which product.
    pub product_id: String,
    /// Free fields (name, category, price of a view; algorithm of a click).
    pub metadata: Map<String, Value>,
}

impl TrackRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let value: Value = serde_json::from_slice(body).map_err(|e| {
            Invalid::new("body", "a JSON object", format!("{} bytes that are not JSON ({e})", body.len()))
        })?;
        Self::from_value(&value)
    }

    /// Checks one event of a batch.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn from_value(value: &Value) -> Result<Self, Invalid> {
        let fields = value.as_object().ok_or_else(|| Invalid::value("body", "a JSON object", Some(value)))?;
        let event_id = match fields.get("eventId") {
            None | Some(Value::Null) => None,
            given => Some(id_field("eventId", given)?),
        };
        Ok(Self {
            event_id,
            user_id: id_field("userId", fields.get("userId"))?,
            event_type: EventType::from_field(fields.get("eventType"))?,
            product_id: id_field("productId", fields.get("productId"))?,
            metadata: metadata_field(fields.get("metadata"))?,
        })
    }
}

/// A record of the topic `user-events`, keyed by [`UserEvent::user_id`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserEvent {
    /// Unique; the same one twice counts once.
    pub event_id: String,
    /// Who.
    pub user_id: String,
    /// Did what.
    pub event_type: EventType,
    /// With which product.
    pub product_id: String,
    /// When, ISO 8601.
    pub timestamp: String,
    /// Free fields.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl UserEvent {
    /// Reads and checks a record's value; its time comes back in milliseconds since the epoch.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn parse(value: &[u8]) -> Result<(Self, i64), Invalid> {
        let parsed: Value = serde_json::from_slice(value).map_err(|e| {
            Invalid::new("value", "a JSON object", format!("{} bytes that are not JSON ({e})", value.len()))
        })?;
        let fields = parsed.as_object().ok_or_else(|| Invalid::value("value", "a JSON object", Some(&parsed)))?;
        let timestamp = fields.get("timestamp");
        let at_ms = timestamp
            .and_then(Value::as_str)
            .and_then(parse_iso8601)
            .filter(|ms| (0..=MAX_TIME_MS).contains(ms))
            .ok_or_else(|| {
                Invalid::value("timestamp", "an ISO 8601 time such as 2026-11-24T12:00:00.000Z", timestamp)
            })?;
        let event = Self {
            event_id: id_field("eventId", fields.get("eventId"))?,
            user_id: id_field("userId", fields.get("userId"))?,
            event_type: EventType::from_field(fields.get("eventType"))?,
            product_id: id_field("productId", fields.get("productId"))?,
            timestamp: timestamp.and_then(Value::as_str).unwrap_or_default().to_owned(),
            metadata: metadata_field(fields.get("metadata"))?,
        };
        Ok((event, at_ms))
    }

    /// A text field of the metadata.
    pub fn metadata_str(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).and_then(Value::as_str)
    }
}

/// The latest time an event may carry: the year 3000. A wrong clock must not freeze every decay after it.
const MAX_TIME_MS: i64 = 32_503_680_000_000;

/// An id: a JSON string or number, a string inside; 1 to [`MAX_ID_BYTES`] bytes without control characters.
///
/// # Errors
/// Names `field`.
pub fn id_field(field: &str, value: Option<&Value>) -> Result<String, Invalid> {
    let expected = || format!("a string or number of 1 to {MAX_ID_BYTES} bytes without control characters");
    let id = match value {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ => return Err(Invalid::value(field, expected(), value)),
    };
    if id.trim().is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(Invalid::value(field, expected(), value));
    }
    Ok(id)
}

fn metadata_field(value: Option<&Value>) -> Result<Map<String, Value>, Invalid> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(fields)) => {
            let bytes = serde_json::to_vec(fields).map_or(usize::MAX, |json| json.len());
            if bytes > MAX_METADATA_BYTES {
                let got = format!("{bytes} bytes");
                return Err(Invalid::new("metadata", format!("an object of at most {MAX_METADATA_BYTES} bytes"), got));
            }
            Ok(fields.clone())
        }
        other => Err(Invalid::value("metadata", "a JSON object", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn ids_may_be_strings_or_numbers_and_are_strings_inside() {
        let request = TrackRequest::parse(br#"{"userId":7,"eventType":"purchase","productId":"p-1"}"#).unwrap();
        assert_eq!((request.user_id.as_str(), request.product_id.as_str()), ("7", "p-1"));
        assert!(request.metadata.is_empty() && request.event_id.is_none());
    }

    #[test]
    fn every_refusal_names_the_field_what_came_and_what_was_expected() {
        let good = json!({"userId":"u","eventType":"product_view","productId":"p"});
        let cases = [
            ("userId", json!(null), "null"),
            ("userId", json!(""), "an empty string"),
            ("userId", json!(["a"]), "an array of 1"),
            ("userId", json!("a\u{0}b"), "\"a\\0b\""),
            ("eventType", json!("product_viewed"), "\"product_viewed\""),
            ("eventType", json!(3), "3 (a number)"),
            ("productId", json!({"id":1}), "an object with 1 fields"),
            ("productId", json!("x".repeat(200)), "(200 bytes)"),
            ("metadata", json!("price"), "\"price\""),
            ("eventId", json!(true), "true (a boolean)"),
        ];
        for (field, value, got) in cases {
            let mut body = good.clone();
            body[field] = value;
            let error = TrackRequest::from_value(&body).unwrap_err();
            assert_eq!(error.field, field);
            assert!(error.to_string().contains(got), "{error}");
            assert!(error.to_string().contains("expected"), "{error}");
        }
        assert_eq!(TrackRequest::parse(b"{").unwrap_err().field, "body");
        assert_eq!(TrackRequest::parse(b"[]").unwrap_err().field, "body");
    }

    #[test]
    fn a_record_goes_there_and_back() {
        let event = UserEvent {
            event_id: "e1".into(),
            user_id: "u".into(),
            event_type: EventType::AddToCart,
            product_id: "9".into(),
            timestamp: crate::iso8601(1_790_000_000_000),
            metadata: json!({"name":"Ünï"}).as_object().unwrap().clone(),
        };
        let (back, at) = UserEvent::parse(&serde_json::to_vec(&event).unwrap()).unwrap();
        assert_eq!((back, at), (event, 1_790_000_000_000));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = TrackRequest::parse(&bytes);
            let _ = UserEvent::parse(&bytes);
        }
    }
}
