//! A pattern from its text.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Comparison, Expected, Fields, Filter, Matcher, Node, TextMatcher};

/// Longest pattern, AWS's limit.
const MAX_PATTERN: usize = 4_096;

/// What of a record can be matched beside its value.
const METADATA: [&str; 5] = ["topic", "partition", "offset", "timestamp", "timestampType"];

/// What is wrong with a pattern, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {expected} was expected; {came} came")]
pub struct PatternError {
    /// The path of the field, `value.price`.
    pub at: String,
    /// What was expected there.
    pub expected: String,
    /// What came.
    pub came: String,
}

fn wrong<T>(at: &str, expected: &str, came: &Value) -> Result<T, PatternError> {
    let mut came = came.to_string();
    if let Some((end, _)) = came.char_indices().nth(60) {
        came.truncate(end);
        came.push('…');
    }
    Err(PatternError { at: at.to_owned(), expected: expected.to_owned(), came })
}

impl Filter {
    /// Reads the `Pattern` of a filter.
    ///
    /// # Errors
    /// It is no pattern, or one of something else than a record's value and metadata.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let refused = |expected: &str, came: String| {
            Err(PatternError { at: "the pattern".to_owned(), expected: expected.to_owned(), came })
        };
        if text.len() > MAX_PATTERN {
            return refused("at most 4096 bytes", format!("{} bytes", text.len()));
        }
        let pattern: Map<String, Value> = match serde_json::from_str(text) {
            Ok(pattern) => pattern,
            Err(error) => return refused("a JSON object", error.to_string()),
        };
        let mut metadata = Map::new();
        for (name, came) in pattern.iter().filter(|(name, _)| *name != "value") {
            if !METADATA.contains(&name.as_str()) {
                return wrong(name, "value, topic, partition, offset, timestamp or timestampType", came);
            }
            metadata.insert(name.clone(), came.clone());
        }
        let metadata = if metadata.is_empty() { Fields::default() } else { fields("the pattern", &metadata)? };
        let value = match pattern.get("value") {
            None => Expected::Anything,
            Some(Value::Array(matchers)) => Expected::Text(leaf("value", matchers)?),
            Some(Value::Object(object)) => Expected::Json(fields("value", object)?),
            Some(other) => return wrong("value", "an object, or a list of texts and operators", other),
        };
        Ok(Self { value, metadata })
    }
}

fn fields(at: &str, object: &Map<String, Value>) -> Result<Fields, PatternError> {
    let mut fields = Fields::default();
    for (name, value) in object {
        let inner = format!("{at}.{name}");
        match value {
            Value::Array(groups) if name == "$or" => {
                for group in groups {
                    let Value::Object(group) = group else { return wrong(&inner, "a list of objects", value) };
                    fields.any.push(self::fields(&inner, group)?);
                }
                if groups.len() < 2 {
                    return wrong(&inner, "at least two objects", value);
                }
            }
            Value::Array(matchers) => fields.all.push((name.clone(), Node::Leaf(leaf(&inner, matchers)?))),
            Value::Object(object) => fields.all.push((name.clone(), Node::Fields(self::fields(&inner, object)?))),
            other => return wrong(&inner, "an object or a list", other),
        }
    }
    if object.is_empty() {
        return wrong(at, "at least one field", &Value::Object(object.clone()));
    }
    Ok(fields)
}

fn leaf(at: &str, matchers: &[Value]) -> Result<Vec<Matcher>, PatternError> {
    if matchers.is_empty() {
        return wrong(at, "at least one value or operator", &Value::Array(Vec::new()));
    }
    matchers.iter().map(|value| matcher(at, value)).collect()
}

fn matcher(at: &str, value: &Value) -> Result<Matcher, PatternError> {
    let Value::Object(object) = value else { return literal(at, value) };
    let mut operators = object.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return wrong(at, "one operator", value);
    };
    let at = format!("{at}.{operator}");
    match (operator.as_str(), operand) {
        ("exists", Value::Bool(exists)) => Ok(Matcher::Exists(*exists)),
        ("exists", other) => wrong(&at, "true or false", other),
        ("numeric", Value::Array(comparisons)) => numeric(&at, comparisons),
        ("numeric", other) => wrong(&at, "a list such as [\">\", 0, \"<=\", 5]", other),
        ("cidr", operand) => cidr(&at, operand),
        ("anything-but", Value::Array(list)) if !list.is_empty() => {
            let but = list.iter().map(|value| match value {
                Value::String(_) | Value::Number(_) => literal(&at, value),
                other => wrong(&at, "texts and numbers", other),
            });
            Ok(Matcher::AnythingBut(but.collect::<Result<_, _>>()?))
        }
        ("anything-but", Value::String(_) | Value::Number(_)) => Ok(Matcher::AnythingBut(vec![literal(&at, operand)?])),
        ("anything-but", Value::Object(inner)) if inner.len() == 1 => {
            let mut but = Vec::new();
            for (operator, operand) in inner {
                let at = format!("{at}.{operator}");
                let operands = operand.as_array().map_or_else(|| std::slice::from_ref(operand), Vec::as_slice);
                for operand in operands {
                    but.push(Matcher::Text(text(&at, operator, operand)?));
                }
            }
            if but.is_empty() { wrong(&at, "at least one text", operand) } else { Ok(Matcher::AnythingBut(but)) }
        }
        ("anything-but", other) => wrong(&at, "a text, a number, a list of them, or one operator for texts", other),
        (operator, operand) => Ok(Matcher::Text(text(&at, operator, operand)?)),
    }
}

fn literal(at: &str, value: &Value) -> Result<Matcher, PatternError> {
    match value {
        Value::Number(number) => Ok(Matcher::Number(number.as_f64().unwrap_or(f64::NAN))),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(Matcher::Equals(value.clone())),
        Value::Array(_) | Value::Object(_) => wrong(at, "a text, a number, a boolean, null or an operator", value),
    }
}

fn text(at: &str, operator: &str, operand: &Value) -> Result<TextMatcher, PatternError> {
    const IGNORE_CASE: &str = "equals-ignore-case";
    let ignoring_case = operand.as_object().filter(|inner| inner.len() == 1).and_then(|inner| inner.get(IGNORE_CASE));
    let folded = |text: &str| text.to_lowercase();
    match (operator, operand, ignoring_case) {
        ("prefix", Value::String(text), _) => Ok(TextMatcher::Prefix(text.clone())),
        ("suffix", Value::String(text), _) => Ok(TextMatcher::Suffix(text.clone())),
        ("prefix", _, Some(Value::String(text))) => Ok(TextMatcher::PrefixIgnoringCase(folded(text))),
        ("suffix", _, Some(Value::String(text))) => Ok(TextMatcher::SuffixIgnoringCase(folded(text))),
        (IGNORE_CASE, Value::String(text), _) => Ok(TextMatcher::EqualsIgnoringCase(folded(text))),
        ("wildcard", Value::String(text), _) => wildcard(at, text),
        ("prefix" | "suffix", other, _) => wrong(at, "a text, or {\"equals-ignore-case\": text}", other),
        (IGNORE_CASE | "wildcard", other, _) => wrong(at, "a text", other),
        _ => wrong(at, "an operator of event patterns", &Value::from(operator)),
    }
}

/// `*` stands for any text, `\*` and `\\` for themselves.
fn wildcard(at: &str, text: &str) -> Result<TextMatcher, PatternError> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('*', Some('*')) => return wrong(at, "no two * in a row", &Value::from(text)),
            ('*', _) => pieces.push(std::mem::take(&mut piece)),
            ('\\', Some('*' | '\\')) => piece.extend(characters.next()),
            ('\\', _) => return wrong(at, "\\* or \\\\", &Value::from(text)),
            (other, _) => piece.push(other),
        }
    }
    pieces.push(piece);
    Ok(TextMatcher::Wildcard(pieces))
}

fn numeric(at: &str, list: &[Value]) -> Result<Matcher, PatternError> {
    let comparisons: Option<Vec<(Comparison, f64)>> = list
        .chunks(2)
        .map(|pair| {
            let [operator, number] = pair else { return None };
            Some((Comparison::parse(operator.as_str()?)?, number.as_f64()?))
        })
        .collect();
    match comparisons.as_deref() {
        Some([_] | [_, _]) => Ok(Matcher::Numeric(comparisons.unwrap_or_default())),
        _ => wrong(at, "one or two comparisons (=, <, <=, >, >=), each with a number", &Value::from(list)),
    }
}

fn cidr(at: &str, operand: &Value) -> Result<Matcher, PatternError> {
    let parsed = operand.as_str().and_then(|text| text.split_once('/')).and_then(|(address, bits)| {
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some(Matcher::Cidr(address, bits))
    });
    parsed.map_or_else(|| wrong(at, "a block of addresses such as \"10.0.0.0/24\"", operand), Ok)
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "=" => Some(Self::Equal),
            "<" => Some(Self::Less),
            "<=" => Some(Self::LessOrEqual),
            ">" => Some(Self::Greater),
            ">=" => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }
}
