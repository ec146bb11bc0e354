//! CloudFormation's intrinsic functions, resolved without a cloud.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;

use super::model::Note;
use super::names::{self, pseudo_parameter};
use super::nested::{Budget, Nested};
use super::yaml::{Node, Value};
use super::{Settings, TemplateError};

/// References may lead from property to property; more hops than this are a circle.
const MAX_HOPS: usize = 200;
/// Longer than any value Lambda takes; keeps nested joins from growing without bound.
const MAX_TEXT: usize = 64 * 1024;

/// Where a value stands, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) resource: &'a str,
    pub(crate) property: &'a str,
}

impl Place<'_> {
    pub(crate) fn error(&self, line: usize, message: impl Into<String>) -> TemplateError {
        TemplateError::Value {
            resource: self.resource.to_owned(),
            property: self.property.to_owned(),
            line,
            message: message.into(),
        }
    }
}

/// Everything a reference can mean.
pub(crate) struct Scope<'a> {
    pub(crate) root: &'a Node,
    pub(crate) settings: &'a Settings,
    pub(crate) parameters: BTreeMap<String, Node>,
    /// `None` while a condition is being worked out: meeting it again is a circle.
    pub(crate) conditions: RefCell<BTreeMap<String, Option<bool>>>,
    hops: Cell<usize>,
    /// Where `CodeUri` folders and nested templates begin.
    pub(crate) folder: &'a Path,
    pub(crate) budget: &'a Budget,
    /// By logical id.
    pub(crate) nested: RefCell<BTreeMap<String, Nested>>,
    pub(crate) notes: RefCell<Vec<Note>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        root: &'a Node,
        settings: &'a Settings,
        parameters: BTreeMap<String, Node>,
        folder: &'a Path,
        budget: &'a Budget,
    ) -> Self {
        Self {
            root,
            settings,
            parameters,
            conditions: RefCell::default(),
            hops: Cell::new(0),
            folder,
            budget,
            nested: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    pub(crate) fn resource(&self, logical_id: &str) -> Option<&'a Node> {
        self.root.get("Resources").and_then(|resources| resources.get(logical_id))
    }

    pub(crate) fn note(&self, resource: &str, line: usize, message: impl Into<String>) {
        let note = Note { resource: resource.to_owned(), line, message: message.into() };
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// The node without functions; `None` for `AWS::NoValue`.
    pub(crate) fn resolve(&self, at: Place<'_>, node: &Node) -> Result<Option<Node>, TemplateError> {
        let hops = self.hops.get();
        if hops > MAX_HOPS {
            return Err(at.error(node.line, "its references lead round in a circle"));
        }
        self.spend(at, node.line, 1)?;
        self.hops.set(hops + 1);
        let resolved = self.resolve_inner(at, node);
        self.hops.set(hops);
        resolved
    }

    /// Counts what was done. References may lead to the same place over and over: a few lines could ask for more than a
    /// machine can do in a lifetime.
    pub(crate) fn spend(&self, at: Place<'_>, line: usize, steps: usize) -> Result<(), TemplateError> {
        let left = self.budget.steps.get().checked_sub(steps);
        let left = left.ok_or_else(|| at.error(line, "the template's functions take too long to be worked out"))?;
        self.budget.steps.set(left);
        Ok(())
    }

    fn resolve_inner(&self, at: Place<'_>, node: &Node) -> Result<Option<Node>, TemplateError> {
        if let Some((name, argument)) = node.intrinsic() {
            return self.apply(at, node.line, name, argument);
        }
        let value = match &node.value {
            Value::Null | Value::Scalar(_) => node.value.clone(),
            Value::Seq(items) => Value::Seq(self.resolve_all(at, items)?),
            Value::Map(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for (name, entry) in entries {
                    if name == "Fn::Transform" {
                        let message = format!("{}: Fn::Transform is not done here; it is left out", at.property);
                        self.note(at.resource, entry.line, message);
                        continue;
                    }
                    if let Some(entry) = self.resolve(at, entry)? {
                        resolved.push((name.clone(), entry));
                    }
                }
                Value::Map(resolved)
            }
        };
        Ok(Some(Node { line: node.line, value }))
    }

    fn resolve_all(&self, at: Place<'_>, items: &[Node]) -> Result<Vec<Node>, TemplateError> {
        let resolved: Result<Vec<_>, _> = items.iter().map(|item| self.resolve(at, item)).collect();
        Ok(resolved?.into_iter().flatten().collect())
    }

    fn apply(&self, at: Place<'_>, line: usize, name: &str, argument: &Node) -> Result<Option<Node>, TemplateError> {
        let text = match name {
            "Ref" => return self.reference(at, argument),
            "Fn::If" => {
                let [condition, yes, no] = arguments(at, name, argument)?;
                let condition = condition.text().ok_or_else(|| {
                    at.error(line, format!("Fn::If wants the name of a condition; {} came", condition.came()))
                })?;
                return self.resolve(at, if self.condition(at, line, condition)? { yes } else { no });
            }
            "Condition" => {
                let condition = self.text(at, argument)?;
                self.condition(at, line, &condition)?.to_string()
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => self.test(at, &wrap(line, name, argument))?.to_string(),
            "Fn::GetAtt" => self.get_att(at, argument)?,
            "Fn::Sub" => self.substitute(at, argument)?,
            "Fn::Join" => {
                let [delimiter, list] = arguments(at, name, argument)?;
                let items = self.texts(at, list)?;
                self.bounded(at, line, items.join(&self.text(at, delimiter)?))?
            }
            "Fn::Select" => return self.select(at, line, argument),
            "Fn::Split" => return self.split(at, line, argument).map(Some),
            "Fn::FindInMap" => return self.find_in_map(at, argument),
            "Fn::Base64" => base64::engine::general_purpose::STANDARD.encode(self.text(at, argument)?),
            "Fn::GetAZs" => return self.zones(at, line, argument).map(Some),
            "Fn::Cidr" => return self.cidr(at, line, argument).map(Some),
            "Fn::Length" => self.list(at, argument)?.len().to_string(),
            "Fn::ToJsonString" => {
                let json = self.resolve(at, argument)?.map_or(serde_json::Value::Null, |node| node.json());
                self.bounded(at, line, json.to_string())?
            }
            "Fn::ImportValue" => self.import(at, line, argument)?,
            "Fn::Transform" => {
                self.note(
                    at.resource,
                    line,
                    format!("{}: Fn::Transform is not done here; it is left out", at.property),
                );
                return Ok(None);
            }
            other => {
                let message = format!("{}: the function {other} is not known here; it is left out", at.property);
                self.note(at.resource, line, message);
                return Ok(None);
            }
        };
        Ok(Some(Node::scalar(line, text)))
    }

    /// Resolves to text.
    pub(crate) fn text(&self, at: Place<'_>, node: &Node) -> Result<String, TemplateError> {
        match self.resolve(at, node)? {
            Some(Node { value: Value::Scalar(text), line }) => self.bounded(at, line, text),
            Some(other) => Err(at.error(node.line, format!("text was expected; {} came", other.came()))),
            None => Err(at.error(node.line, "text was expected; AWS::NoValue came")),
        }
    }

    pub(crate) fn bounded(&self, at: Place<'_>, line: usize, text: String) -> Result<String, TemplateError> {
        if text.len() > MAX_TEXT {
            return Err(at.error(line, format!("text of {} bytes came; at most {MAX_TEXT} are taken", text.len())));
        }
        self.spend(at, line, text.len() / 64)?;
        Ok(text)
    }

    /// Resolves to text; `None` for `AWS::NoValue` and null.
    pub(crate) fn optional_text(&self, at: Place<'_>, node: &Node) -> Result<Option<String>, TemplateError> {
        match self.resolve(at, node)? {
            Some(Node { value: Value::Null, .. }) | None => Ok(None),
            Some(node) => self.text(at, &node).map(Some),
        }
    }

    pub(crate) fn list(&self, at: Place<'_>, node: &Node) -> Result<Vec<Node>, TemplateError> {
        match self.resolve(at, node)? {
            Some(Node { value: Value::Seq(items), .. }) => Ok(items),
            Some(other) => Err(at.error(node.line, format!("a list was expected; {} came", other.came()))),
            None => Ok(Vec::new()),
        }
    }

    fn texts(&self, at: Place<'_>, node: &Node) -> Result<Vec<String>, TemplateError> {
        self.list(at, node)?.iter().map(|item| self.text(at, item)).collect()
    }

    fn reference(&self, at: Place<'_>, argument: &Node) -> Result<Option<Node>, TemplateError> {
        let name = argument
            .text()
            .ok_or_else(|| at.error(argument.line, format!("Ref wants a name; {} came", argument.came())))?;
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        self.named(at, argument.line, name).map(Some)
    }

    fn named(&self, at: Place<'_>, line: usize, name: &str) -> Result<Node, TemplateError> {
        if let Some(text) = pseudo_parameter(self.settings, name) {
            return Ok(Node::scalar(line, text));
        }
        if let Some(parameter) = self.parameters.get(name) {
            return Ok(Node { line, value: parameter.value.clone() });
        }
        if names::is_resource(self, name) {
            return Ok(Node::scalar(line, names::reference(self, name)?));
        }
        // SAM's `Function.Alias`, `Function.Version` and `Api.Stage`.
        if name.split_once('.').is_some_and(|(resource, _)| names::is_resource(self, resource)) {
            return Ok(Node::scalar(line, self.attribute(at, line, name)?));
        }
        Err(at.error(line, format!("\"{name}\" is neither a parameter nor a resource of this template")))
    }

    fn get_att(&self, at: Place<'_>, argument: &Node) -> Result<String, TemplateError> {
        let path = match &argument.value {
            Value::Scalar(text) => text.clone(),
            Value::Seq(items) if items.len() >= 2 => {
                items.iter().map(|item| self.text(at, item)).collect::<Result<Vec<_>, _>>()?.join(".")
            }
            _ => String::new(),
        };
        self.attribute(at, argument.line, &path)
    }

    fn attribute(&self, at: Place<'_>, line: usize, path: &str) -> Result<String, TemplateError> {
        let Some((resource, attribute)) = path.split_once('.').filter(|(a, b)| !a.is_empty() && !b.is_empty()) else {
            return Err(at.error(line, format!("Fn::GetAtt wants Resource.Attribute; \"{path}\" came")));
        };
        if let Some(value) = self.settings.attributes.get(path) {
            return Ok(value.clone());
        }
        if !names::is_resource(self, resource) {
            return Err(at.error(line, format!("\"{resource}\" is not a resource of this template")));
        }
        names::attribute(self, line, resource, attribute)
    }

    fn substitute(&self, at: Place<'_>, argument: &Node) -> Result<String, TemplateError> {
        let (template, variables) = match &argument.value {
            Value::Seq(_) => {
                let [template, variables] = arguments(at, "Fn::Sub", argument)?;
                (template, Some(variables))
            }
            _ => (argument, None),
        };
        let line = template.line;
        let text =
            template.text().ok_or_else(|| at.error(line, format!("Fn::Sub wants text; {} came", template.came())))?;
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else {
                return Err(at.error(line, "Fn::Sub: a \"${\" without its \"}\""));
            };
            let name = &rest[start + 2..start + length];
            rest = &rest[start + length + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else {
                let name = name.trim();
                let value = match variables.and_then(|variables| variables.get(name)) {
                    Some(variable) => self.text(at, variable)?,
                    None if name.contains('.') => self.attribute(at, line, name)?,
                    None => {
                        let value = self.named(at, line, name)?;
                        self.text(at, &value)?
                    }
                };
                out.push_str(&value);
            }
            out = self.bounded(at, line, out)?;
        }
        out.push_str(rest);
        self.bounded(at, line, out)
    }
}

/// Exactly `N` arguments.
pub(crate) fn arguments<'n, const N: usize>(
    at: Place<'_>,
    name: &str,
    argument: &'n Node,
) -> Result<[&'n Node; N], TemplateError> {
    let items: Vec<&Node> = match &argument.value {
        Value::Seq(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    <[&Node; N]>::try_from(items)
        .map_err(|_| at.error(argument.line, format!("{name} wants a list of {N}; {} came", argument.came())))
}

fn wrap(line: usize, name: &str, argument: &Node) -> Node {
    Node { line, value: Value::Map(vec![(name.to_owned(), argument.clone())]) }
}
