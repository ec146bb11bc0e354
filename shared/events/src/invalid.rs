//! What is wrong with an input, said so that its sender can mend it.

use serde_json::Value;

/// One refused field: its name, what came, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, got {got}")]
pub struct Invalid {
    /// The field as the sender wrote it, with a path where it is nested (`metadata.price`).
    pub field: String,
    /// What would have been right, in words.
    pub expected: String,
    /// What came, shortened.
    pub got: String,
}

impl Invalid {
    /// An error on `field` that came as `got`.
    pub fn new(field: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { field: field.to_owned(), expected: expected.into(), got: got.into() }
    }

    /// An error on `field` whose value is `got` (`None`: it is missing).
    pub fn value(field: &str, expected: impl Into<String>, got: Option<&Value>) -> Self {
        Self::new(field, expected, got.map_or_else(|| "nothing".to_owned(), describe))
    }
}

/// A JSON value in a few words: its type, and its text where that is short.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => format!("{b} (a boolean)"),
        Value::Number(n) => format!("{n} (a number)"),
        Value::String(s) if s.is_empty() => "an empty string".to_owned(),
        Value::String(s) if s.chars().count() <= 40 => format!("{s:?}"),
        Value::String(s) => format!("{:?}… ({} bytes)", s.chars().take(40).collect::<String>(), s.len()),
        Value::Array(a) => format!("an array of {}", a.len()),
        Value::Object(o) => format!("an object with {} fields", o.len()),
    }
}
