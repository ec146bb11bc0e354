//! `Fn::ForEach` of the transform AWS::LanguageExtensions: written out before anything else is read.
//!
//! Source: AWS CloudFormation template reference, "Fn::ForEach".

use std::collections::BTreeMap;

use super::TemplateError;
use super::yaml::{MAX_NODES, Node, Value};

const PREFIX: &str = "Fn::ForEach::";

/// The tree with its loops written out. `parameters`: a loop's list may be a parameter's.
pub(crate) fn expand(root: Node, parameters: &BTreeMap<String, Node>) -> Result<Node, TemplateError> {
    if !has_loop(&root) {
        return Ok(root);
    }
    let mut writer = Writer { parameters, left: MAX_NODES };
    writer.node(&root, &[])
}

fn has_loop(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Scalar(_) => false,
        Value::Seq(items) => items.iter().any(has_loop),
        Value::Map(entries) => entries.iter().any(|(name, node)| name.starts_with(PREFIX) || has_loop(node)),
    }
}

struct Writer<'p> {
    parameters: &'p BTreeMap<String, Node>,
    /// Nodes that may still be written.
    left: usize,
}

/// What the loops around a place are at now: identifier and value.
type Turns<'t> = [(&'t str, &'t str)];

impl Writer<'_> {
    fn node(&mut self, node: &Node, turns: &Turns<'_>) -> Result<Node, TemplateError> {
        let too_many = || error(node.line, format!("Fn::ForEach makes more than {MAX_NODES} nodes"));
        self.left = self.left.checked_sub(1).ok_or_else(too_many)?;
        if let Some(("Ref", name)) = node.intrinsic()
            && let Some((_, value)) = turns.iter().find(|(identifier, _)| Some(*identifier) == name.text())
        {
            return Ok(Node::scalar(node.line, *value));
        }
        let value = match &node.value {
            Value::Null => Value::Null,
            Value::Scalar(text) => Value::Scalar(filled(text, turns)),
            Value::Seq(items) => Value::Seq(items.iter().map(|item| self.node(item, turns)).collect::<Result<_, _>>()?),
            Value::Map(entries) => {
                let mut written = Vec::with_capacity(entries.len());
                for (name, entry) in entries {
                    if name.starts_with(PREFIX) {
                        self.turn(entry, turns, &mut written)?;
                    } else {
                        written.push((filled(name, turns), self.node(entry, turns)?));
                    }
                }
                Value::Map(written)
            }
        };
        Ok(Node { line: node.line, value })
    }

    /// `[identifier, list, {key: body}]`: one body for each of the list.
    fn turn(&mut self, node: &Node, turns: &Turns<'_>, written: &mut Vec<(String, Node)>) -> Result<(), TemplateError> {
        let wrong =
            || error(node.line, format!("Fn::ForEach wants a name, a list and a mapping; {} came", node.came()));
        let Value::Seq(items) = &node.value else { return Err(wrong()) };
        let [identifier, list, body] = items.as_slice() else { return Err(wrong()) };
        let identifier = identifier.text().ok_or_else(wrong)?;
        let list = self.node(list, turns)?;
        let list = match list.intrinsic() {
            Some(("Ref", name)) => name.text().and_then(|name| self.parameters.get(name)).cloned().ok_or_else(wrong)?,
            _ => list,
        };
        let Value::Seq(values) = &list.value else { return Err(wrong()) };
        for value in values {
            let value = value.text().ok_or_else(wrong)?;
            let inner: Vec<(&str, &str)> = [(identifier, value)].into_iter().chain(turns.iter().copied()).collect();
            if let Value::Map(entries) = self.node(body, &inner)?.value {
                written.extend(entries);
            }
        }
        Ok(())
    }
}

/// `${Identifier}` replaced by its value, `&{Identifier}` by its letters and digits alone.
fn filled(text: &str, turns: &Turns<'_>) -> String {
    let mut filled = text.to_owned();
    for (identifier, value) in turns {
        if filled.contains('{') {
            let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            filled =
                filled.replace(&format!("${{{identifier}}}"), value).replace(&format!("&{{{identifier}}}"), &letters);
        }
    }
    filled
}

fn error(line: usize, message: String) -> TemplateError {
    TemplateError::Yaml { line, message }
}
