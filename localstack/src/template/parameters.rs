//! `Parameters`: overrides and defaults, checked as CloudFormation checks them.

use std::collections::BTreeMap;

use super::yaml::{Node, Value};
use super::{Settings, TemplateError};

/// CloudFormation's own bound on a parameter's value.
const MAX_VALUE_BYTES: usize = 4096;

/// A parameter that a template declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `Type`, such as `String`, `Number` or `List<AWS::EC2::Subnet::Id>`.
    pub kind: String,
    /// `Default`; `None`: a deployment must give a value.
    pub default: Option<String>,
    /// `AllowedValues`; empty: any.
    pub allowed_values: Vec<String>,
    /// `MinValue`.
    pub minimum: Option<String>,
}

/// What a template declares, unresolved.
pub(super) fn declared(root: &Node) -> Vec<Parameter> {
    let read = |(name, declaration): &(String, Node)| {
        let text = |property: &str| declaration.get(property).and_then(Node::text).map(str::to_owned);
        let allowed = match declaration.get("AllowedValues").map(|node| &node.value) {
            Some(Value::Seq(values)) => values.iter().filter_map(Node::text).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Parameter {
            name: name.clone(),
            kind: text("Type").unwrap_or_else(|| "String".to_owned()),
            default: declaration.get("Default").and_then(default_text).map(str::to_owned),
            allowed_values: allowed,
            minimum: text("MinValue"),
        }
    };
    root.get("Parameters").map(Node::entries).unwrap_or_default().iter().map(read).collect()
}

/// The value of every declared parameter: text, or a list for the list types.
pub(crate) fn read(root: &Node, settings: &Settings) -> Result<BTreeMap<String, Node>, TemplateError> {
    let declared = root.get("Parameters").map(Node::entries).unwrap_or_default();
    for name in settings.parameters.keys() {
        if !declared.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = declared.iter().map(|(known, _)| known.as_str()).collect();
            return Err(error(name, format!("the template declares no such parameter; it has: {}", known.join(", "))));
        }
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let given = settings.parameters.get(name).map(String::as_str);
        let Some(text) = given.or_else(|| declaration.get("Default").and_then(default_text)) else {
            return Err(error(name, "it has no default and no value was given".to_owned()));
        };
        if text.len() > MAX_VALUE_BYTES {
            return Err(error(name, format!("it has {} bytes; at most {MAX_VALUE_BYTES} are taken", text.len())));
        }
        let kind = declaration.get("Type").and_then(Node::text).unwrap_or("String");
        let kind = stored(kind).unwrap_or(kind);
        let list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let parts: Vec<&str> = if list { text.split(',').map(str::trim).collect() } else { vec![text] };
        for part in &parts {
            check(name, kind, declaration, part)?;
        }
        let line = declaration.line;
        let value = if list {
            Value::Seq(parts.into_iter().map(|part| Node::scalar(line, part)).collect())
        } else {
            Value::Scalar(text.to_owned())
        };
        values.insert(name.clone(), Node { line, value });
    }
    Ok(values)
}

/// What the parameter store is expected to hold under the name that is the value. There is no store while a template is
/// read: the value stands for itself.
fn stored(kind: &str) -> Option<&str> {
    kind.strip_prefix("AWS::SSM::Parameter::Value<")?.strip_suffix('>')
}

fn default_text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(text) => Some(text),
        Value::Null => Some(""),
        _ => None,
    }
}

fn check(name: &str, kind: &str, declaration: &Node, value: &str) -> Result<(), TemplateError> {
    let hidden = declaration.get("NoEcho").and_then(Node::text).is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let came = if hidden { "a value that NoEcho hides".to_owned() } else { format!("\"{value}\"") };
    if matches!(kind, "Number" | "List<Number>") && value.parse::<f64>().is_err() {
        return Err(error(name, format!("a number was expected; {came} came")));
    }
    if let Some(Node { value: Value::Seq(allowed), .. }) = declaration.get("AllowedValues") {
        let allowed: Vec<&str> = allowed.iter().filter_map(Node::text).collect();
        if !allowed.contains(&value) {
            return Err(error(name, format!("one of {} was expected; {came} came", allowed.join(", "))));
        }
    }
    // A pattern in a dialect that can't be read here is left for the cloud to check.
    let pattern = declaration.get("AllowedPattern").and_then(Node::text);
    if let Some(pattern) = pattern
        && let Ok(whole) = regex_lite::Regex::new(&format!("^(?:{pattern})$"))
        && !whole.is_match(value)
    {
        return Err(error(name, format!("text that matches {pattern} was expected; {came} came")));
    }
    bound(name, declaration, "MinLength", &came, |limit| value.chars().count() as f64 >= limit)?;
    bound(name, declaration, "MaxLength", &came, |limit| value.chars().count() as f64 <= limit)?;
    if let Ok(number) = value.parse::<f64>() {
        bound(name, declaration, "MinValue", &came, |limit| number >= limit)?;
        bound(name, declaration, "MaxValue", &came, |limit| number <= limit)?;
    }
    Ok(())
}

fn bound(
    name: &str,
    declaration: &Node,
    property: &str,
    came: &str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), TemplateError> {
    match declaration.get(property).and_then(Node::text).and_then(|text| text.parse::<f64>().ok()) {
        Some(limit) if !holds(limit) => Err(error(name, format!("{property} is {limit}; {came} came"))),
        _ => Ok(()),
    }
}

fn error(name: &str, message: String) -> TemplateError {
    TemplateError::Parameter { name: name.to_owned(), message }
}
