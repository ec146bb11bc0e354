//! `Conditions`, and the functions that answer yes or no.

use super::TemplateError;
use super::intrinsics::{Place, Scope, arguments};
use super::yaml::{Node, Value};

impl Scope<'_> {
    /// The value of a condition of the section `Conditions`.
    pub(crate) fn condition(&self, at: Place<'_>, line: usize, name: &str) -> Result<bool, TemplateError> {
        let known = self.conditions.borrow().get(name).copied();
        match known {
            Some(Some(value)) => return Ok(value),
            Some(None) => return Err(at.error(line, format!("the condition {name} leads round to itself"))),
            None => {}
        }
        let node = self.root.get("Conditions").and_then(|conditions| conditions.get(name));
        let node = node.ok_or_else(|| at.error(line, format!("Conditions has no \"{name}\"")))?;
        self.conditions.borrow_mut().insert(name.to_owned(), None);
        let value = self.test(Place { resource: "Conditions", property: name }, node)?;
        self.conditions.borrow_mut().insert(name.to_owned(), Some(value));
        Ok(value)
    }

    pub(crate) fn test(&self, at: Place<'_>, node: &Node) -> Result<bool, TemplateError> {
        match node.intrinsic() {
            Some(("Fn::Equals", argument)) => {
                let [left, right] = arguments(at, "Fn::Equals", argument)?;
                Ok(self.text(at, left)? == self.text(at, right)?)
            }
            Some(("Fn::Not", argument)) => {
                let [inner] = arguments(at, "Fn::Not", argument)?;
                Ok(!self.test(at, inner)?)
            }
            Some((name @ ("Fn::And" | "Fn::Or"), argument)) => {
                let Value::Seq(items) = &argument.value else {
                    return Err(at.error(argument.line, format!("{name} wants a list; {} came", argument.came())));
                };
                let values = items.iter().map(|item| self.test(at, item)).collect::<Result<Vec<_>, _>>()?;
                Ok(if name == "Fn::And" { values.iter().all(|v| *v) } else { values.iter().any(|v| *v) })
            }
            Some(("Condition", argument)) => {
                let name = argument.text().ok_or_else(|| {
                    at.error(argument.line, format!("Condition wants a name; {} came", argument.came()))
                })?;
                self.condition(at, argument.line, name)
            }
            _ => match self.text(at, node)?.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                other => Err(at.error(
                    node.line,
                    format!("Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition was expected; \"{other}\" came"),
                )),
            },
        }
    }
}
