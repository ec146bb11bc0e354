//! Event patterns: which records a mapping's `FilterCriteria` lets through.
//!
//! | file | what |
//! |---|---|
//! | `parse` | a pattern from its text, or what is wrong with it |
//! | `matching` | does a value fit? |
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html> and
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.

mod matching;
mod parse;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub use parse::PatternError;

/// One filter of a Kafka mapping: a pattern of a record's value, or of where and when it stands.
///
/// AWS's guide promises the value alone; its own samples filter by topic as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub(crate) value: Expected,
    pub(crate) metadata: Fields,
}

/// What a record's value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// Any text.
    Anything,
    /// A plain text, by any of these.
    Text(Vec<Matcher>),
    /// A JSON object, or a list of them.
    Json(Fields),
}

/// Fields that all must fit, and groups of which one must.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields {
    pub(crate) all: Vec<(String, Node)>,
    /// `$or`.
    pub(crate) any: Vec<Fields>,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// An object.
    Fields(Fields),
    /// A leaf, by any of these.
    Leaf(Vec<Matcher>),
}

/// A test of one leaf.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Matcher {
    /// A null, a boolean, a text.
    Equals(serde_json::Value),
    Number(f64),
    Text(TextMatcher),
    /// None of these numbers and texts, and no text that fits one of these.
    AnythingBut(Vec<Matcher>),
    /// All of these comparisons.
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    Cidr(IpAddr, u8),
}

/// A test of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextMatcher {
    Prefix(String),
    PrefixIgnoringCase(String),
    Suffix(String),
    SuffixIgnoringCase(String),
    EqualsIgnoringCase(String),
    /// The pieces between the `*`.
    Wildcard(Vec<String>),
}

/// `=`, `<`, `<=`, `>`, `>=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
