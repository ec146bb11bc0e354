//! `Globals`, merged into each resource as SAM does: mappings are merged, lists joined, everything else overridden.

use super::yaml::{Node, Value};

/// The properties of a resource with its global section beneath.
pub(crate) fn merge(global: Option<&Node>, own: &Node) -> Node {
    match global {
        Some(global) => merged(global, own),
        None => own.clone(),
    }
}

fn merged(global: &Node, own: &Node) -> Node {
    // A function such as Fn::If is one value: its argument is never mixed with another's.
    if global.intrinsic().is_some() || own.intrinsic().is_some() {
        return own.clone();
    }
    match (&global.value, &own.value) {
        (Value::Map(below), Value::Map(above)) => {
            let mut entries = below.clone();
            for (name, node) in above {
                match entries.iter_mut().find(|(known, _)| known == name) {
                    Some((_, beneath)) => *beneath = merged(beneath, node),
                    None => entries.push((name.clone(), node.clone())),
                }
            }
            Node { line: own.line, value: Value::Map(entries) }
        }
        (Value::Seq(below), Value::Seq(above)) => {
            Node { line: own.line, value: Value::Seq(below.iter().chain(above).cloned().collect()) }
        }
        _ => own.clone(),
    }
}
