//! Typed reading of a resource's properties, with errors that name the place.

use super::TemplateError;
use super::intrinsics::{Place, Scope};
use super::yaml::{Node, Value};

/// The properties of one resource or event. Only what is asked for is resolved.
#[derive(Clone, Copy)]
pub(crate) struct Properties<'a, 's> {
    pub(crate) scope: &'a Scope<'s>,
    pub(crate) resource: &'a str,
    /// Beginning of the property's name in errors: empty, or `Events.X.`.
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a Node,
}

impl Properties<'_, '_> {
    /// The property, resolved; `None` where it is absent, null or `AWS::NoValue`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Node>, TemplateError> {
        let Some(node) = self.node.get(name) else { return Ok(None) };
        let property = format!("{}{name}", self.prefix);
        let resolved = self.scope.resolve(Place { resource: self.resource, property: &property }, node)?;
        Ok(resolved.filter(|node| node.value != Value::Null))
    }

    pub(crate) fn error(&self, name: &str, line: usize, message: impl Into<String>) -> TemplateError {
        Place { resource: self.resource, property: &format!("{}{name}", self.prefix) }.error(line, message)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        match self.get(name)? {
            None => Ok(None),
            Some(node) => match node.value {
                Value::Scalar(text) => Ok(Some(text)),
                _ => Err(self.error(name, node.line, format!("text was expected; {} came", node.came()))),
            },
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.error(name, self.node.line, "it is required; nothing came"))
    }

    /// A list of texts; a single text counts as a list of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, TemplateError> {
        let Some(node) = self.get(name)? else { return Ok(None) };
        match node.value {
            Value::Scalar(text) => Ok(Some(vec![text])),
            Value::Seq(items) => {
                let texts = items.into_iter().map(|item| match item.value {
                    Value::Scalar(text) => Ok(text),
                    _ => {
                        Err(self.error(name, item.line, format!("a list of texts was expected; {} came", item.came())))
                    }
                });
                texts.collect::<Result<_, _>>().map(Some)
            }
            _ => Err(self.error(name, node.line, format!("a list was expected; {} came", node.came()))),
        }
    }

    pub(crate) fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, TemplateError> {
        let Some(node) = self.get(name)? else { return Ok(None) };
        match node.text().and_then(|text| text.trim().parse::<i64>().ok()) {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.error(
                name,
                node.line,
                format!("a whole number from {least} to {most} was expected; {} came", node.came()),
            )),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, TemplateError> {
        let Some(node) = self.get(name)? else { return Ok(None) };
        match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes") => Ok(Some(true)),
            Some("false" | "no") => Ok(Some(false)),
            _ => Err(self.error(name, node.line, format!("true or false was expected; {} came", node.came()))),
        }
    }

    /// The line a property stands on, or that of the whole.
    pub(crate) fn line(&self, name: &str) -> usize {
        self.node.get(name).map_or(self.node.line, |node| node.line)
    }
}
