//! What goes over the WebSocket, both ways.

use serde_json::{Value, json};

use crate::event::id_field;
use crate::invalid::Invalid;
use crate::list::{DEFAULT_LIST_ITEMS, RecommendationsRecord};

/// Persons that one socket may be subscribed to: a page shows a few shoppers side by side, a crawler wants thousands.
pub const MAX_SUBSCRIPTIONS: usize = 10;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketRequest {
    /// `{"action":"subscribe_recommendations","userId":"…"}`: every new list of this person.
    Subscribe(String),
    /// `{"action":"unsubscribe"}`: no more lists; with a `userId`, of this person only.
    Unsubscribe(Option<String>),
    /// `{"action":"ping"}`.
    Ping,
}

impl SocketRequest {
    /// Reads a message.
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Invalid::new("body", "a JSON object", format!("{} bytes that are not JSON ({error})", text.len()))
        })?;
        let fields = value.as_object().ok_or_else(|| Invalid::value("body", "a JSON object", Some(&value)))?;
        match fields.get("action").and_then(Value::as_str) {
            Some("subscribe_recommendations") => Ok(Self::Subscribe(id_field("userId", fields.get("userId"))?)),
            Some("unsubscribe") => {
                let user_id = fields.get("userId").filter(|value| !value.is_null());
                Ok(Self::Unsubscribe(user_id.map(|value| id_field("userId", Some(value))).transpose()?))
            }
            Some("ping") => Ok(Self::Ping),
            _ => {
                let expected = "one of subscribe_recommendations, unsubscribe, ping";
                Err(Invalid::value("action", expected, fields.get("action")))
            }
        }
    }
}

/// The answer to a ping.
pub fn pong() -> Value {
    json!({"type": "pong"})
}

/// Lists of this person will come.
pub fn subscribed(user_id: &str) -> Value {
    json!({"type": "subscribed", "userId": user_id})
}

/// No more lists will come; `None`: of nobody.
pub fn unsubscribed(user_id: Option<&str>) -> Value {
    json!({"type": "unsubscribed", "userId": user_id})
}

/// A message that was refused.
pub fn refused(why: &Invalid) -> Value {
    json!({"type": "error", "error": why.to_string(), "field": why.field})
}

/// A new list: the body of `GET /api/recommendations/{userId}`, with its type.
pub fn recommendations(record: &RecommendationsRecord) -> Value {
    let data = &record.recommendations[..record.recommendations.len().min(DEFAULT_LIST_ITEMS)];
    json!({
        "type": "recommendations",
        "success": true,
        "data": data,
        "metadata": {
            "userId": record.user_id,
            "generatedAt": record.generated_at,
            "isStale": false,
            "count": data.len(),
            "algorithm": record.algorithm,
            "recommendationId": record.recommendation_id,
            "causedBy": record.caused_by,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_read_and_refused_by_field() {
        let parse = SocketRequest::parse;
        let subscribe = parse(r#"{"action":"subscribe_recommendations","userId":7}"#);
        assert_eq!(subscribe, Ok(SocketRequest::Subscribe("7".to_owned())));
        assert_eq!(parse(r#"{"action":"unsubscribe"}"#), Ok(SocketRequest::Unsubscribe(None)));
        assert_eq!(parse(r#"{"action":"ping","more":1}"#), Ok(SocketRequest::Ping));
        for (text, field) in [
            ("hello", "body"),
            ("[]", "body"),
            ("{}", "action"),
            (r#"{"action":"dance"}"#, "action"),
            (r#"{"action":"subscribe_recommendations"}"#, "userId"),
            (r#"{"action":"subscribe_recommendations","userId":["a","b"]}"#, "userId"),
            (r#"{"action":"unsubscribe","userId":""}"#, "userId"),
        ] {
            assert_eq!(parse(text).unwrap_err().field, field, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_message_panics(text in "\\PC{0,200}") {
            let _ = SocketRequest::parse(&text);
        }
    }
}
