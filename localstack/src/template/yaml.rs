//! YAML with lines, bounded: CloudFormation's short tags become their long forms, scalars stay text.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::TemplateError;
use super::indentation::Indented;

/// CloudFormation's own bound on a template's size.
const MAX_BYTES: usize = 1024 * 1024;
/// Deeper than any template; keeps every walk over the tree within the stack.
const MAX_DEPTH: usize = 64;
/// Bounds what aliases can blow a small file up to.
pub(crate) const MAX_NODES: usize = 100_000;

/// A YAML node and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What a node holds. Scalars keep their text (`0123`, `1.10`): CloudFormation's values are strings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Scalar(String),
    Seq(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn scalar(line: usize, text: impl Into<String>) -> Self {
        Self { line, value: Value::Scalar(text.into()) }
    }

    pub(crate) fn empty_map(line: usize) -> Self {
        Self { line, value: Value::Map(Vec::new()) }
    }

    /// The entry of a mapping; `None` where this is none, or has none.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a mapping, else nothing.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// `{"Ref": …}`, `{"Fn::X": …}` or `{"Condition": …}` with nothing beside it.
    pub(crate) fn intrinsic(&self) -> Option<(&str, &Node)> {
        match &self.value {
            Value::Map(entries) => match entries.as_slice() {
                [(name, argument)] if name == "Ref" || name == "Condition" || name.starts_with("Fn::") => {
                    Some((name, argument))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// What came, in few words, for an error.
    pub(crate) fn came(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar(text) if text.chars().count() > 80 => {
                format!("\"{}…\"", text.chars().take(80).collect::<String>())
            }
            Value::Scalar(text) => format!("\"{text}\""),
            Value::Seq(items) => format!("a list of {}", items.len()),
            Value::Map(_) => match self.intrinsic() {
                Some((name, _)) => format!("the function {name}"),
                None => "a mapping".to_owned(),
            },
        }
    }

    /// As JSON. Text that reads as a number, as true or as false becomes one: YAML without quotes means that.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Scalar(text) => match serde_json::from_str(text) {
                Ok(typed @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => typed,
                _ => serde_json::Value::String(text.clone()),
            },
            Value::Seq(items) => items.iter().map(Node::json).collect(),
            Value::Map(entries) => entries.iter().map(|(name, node)| (name.clone(), node.json())).collect(),
        }
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Seq(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.count()).sum(),
        }
    }

    fn depth(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Seq(items) => items.iter().map(Node::depth).max().unwrap_or(0),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
        }
    }
}

/// A document, and what is odd about it: line and words.
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) oddities: Vec<(usize, String)>,
}

/// Reads one YAML document.
pub(crate) fn parse(text: &str) -> Result<Document, TemplateError> {
    if text.len() > MAX_BYTES {
        return Err(error(1, format!("it has {} bytes; a template may have 1 MB", text.len())));
    }
    let mut indented = Indented::new(text);
    loop {
        let failed = match load(indented.text()) {
            Ok(document) => return document,
            Err(failed) => failed,
        };
        if !indented.mend(&failed) {
            return Err(error(failed.marker().line(), failed.info().to_owned()));
        }
    }
}

/// Outside: what the parser does not understand. Inside: what is not taken here.
fn load(text: &str) -> Result<Result<Document, TemplateError>, ScanError> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        match loader.take(event, span) {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    let empty = || error(1, "it is empty; a mapping with Resources was expected".to_owned());
    let oddities = loader.oddities;
    Ok(loader.root.ok_or_else(empty).map(|root| Document { root, oddities }))
}

fn error(line: usize, message: String) -> TemplateError {
    TemplateError::Yaml { line, message }
}

/// A collection that is still open.
struct Open {
    line: usize,
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    /// `places`: where each key's entry is.
    Map {
        entries: Vec<(String, Node)>,
        places: HashMap<String, usize>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Loader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    oddities: Vec<(usize, String)>,
    root: Option<Node>,
}

impl Loader {
    /// Takes one event; true at the end of the first document.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<bool, TemplateError> {
        let line = span.start.line();
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(error(line, format!("more than {MAX_NODES} nodes")));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain_null =
                    style == ScalarStyle::Plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let value = if plain_null { Value::Null } else { Value::Scalar(text.into_owned()) };
                self.done(Node { line, value }, anchor, short_tag(tag.as_deref()))?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(line, anchor, tag.as_deref(), Content::Seq(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(
                    line,
                    anchor,
                    tag.as_deref(),
                    Content::Map { entries: Vec::new(), places: HashMap::new(), key: None },
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.content {
                        Content::Seq(items) => Value::Seq(items),
                        Content::Map { entries, places, .. } => Value::Map(with_merged(entries, &places)),
                    };
                    self.done(Node { line: open.line, value }, open.anchor, open.tag)?;
                }
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| error(line, "an alias to an anchor that is not there".to_owned()))?;
                self.nodes += node.count();
                if self.nodes > MAX_NODES {
                    return Err(error(line, format!("aliases make more than {MAX_NODES} nodes")));
                }
                if self.open.len() + node.depth() > MAX_DEPTH {
                    return Err(too_deep(line));
                }
                self.done(node, 0, None)?;
            }
            Event::DocumentEnd => return Ok(true),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Ok(false)
    }

    fn begin(&mut self, line: usize, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), TemplateError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(line));
        }
        self.open.push(Open { line, anchor, tag: short_tag(tag), content });
        Ok(())
    }

    fn done(&mut self, node: Node, anchor: usize, tag: Option<String>) -> Result<(), TemplateError> {
        let node = match tag {
            Some(tag) => long_form(&tag, node),
            None => node,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.content {
            Content::Seq(items) => items.push(node),
            Content::Map { entries, places, key } => match key.take() {
                None => match node.value {
                    Value::Scalar(text) => *key = Some(text),
                    Value::Null => *key = Some(String::new()),
                    _ => return Err(error(node.line, format!("a key must be text; {} came", node.came()))),
                },
                // The later one holds, as in the tools that deploy templates.
                Some(name) => match places.get(&name).and_then(|place| entries.get_mut(*place)) {
                    Some((_, entry)) => {
                        let message = format!("the key \"{name}\" stands twice in one mapping; the later one holds");
                        self.oddities.push((node.line, message));
                        *entry = node;
                    }
                    None => {
                        places.insert(name.clone(), entries.len());
                        entries.push((name, node));
                    }
                },
            },
        }
        Ok(())
    }
}

/// YAML's merge key: what `<<` brings along, where it does not stand beside it.
fn with_merged(mut entries: Vec<(String, Node)>, places: &HashMap<String, usize>) -> Vec<(String, Node)> {
    let Some(place) = places.get("<<").copied() else { return entries };
    let (_, merged) = entries.remove(place);
    let sources = match merged.value {
        Value::Seq(items) => items,
        _ => vec![merged],
    };
    let mut known: HashSet<String> = places.keys().cloned().collect();
    for (name, node) in sources.iter().flat_map(Node::entries) {
        if known.insert(name.clone()) {
            entries.push((name.clone(), node.clone()));
        }
    }
    entries
}

fn too_deep(line: usize) -> TemplateError {
    error(line, format!("nested deeper than {MAX_DEPTH} levels"))
}

/// `Ref` of `!Ref`; `None` for YAML's own tags.
fn short_tag(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| tag.handle == "!" && !tag.suffix.is_empty()).map(|tag| tag.suffix.clone())
}

fn long_form(tag: &str, node: Node) -> Node {
    let line = node.line;
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        other => format!("Fn::{other}"),
    };
    Node { line, value: Value::Map(vec![(name, node)]) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn short_tags_become_long_forms_with_their_line() {
        let root = parse("a: !Ref X\nb:\n  - !GetAtt Y.Arn\nc: !Sub ['${z}', {z: 1}]\n").unwrap().root;
        let (name, argument) = root.get("a").unwrap().intrinsic().unwrap();
        assert_eq!((name, argument.text(), argument.line), ("Ref", Some("X"), 1));
        let Value::Seq(items) = &root.get("b").unwrap().value else { panic!("a list") };
        assert_eq!(items[0].intrinsic().unwrap().0, "Fn::GetAtt");
        assert_eq!(items[0].line, 3);
        assert_eq!(root.get("c").unwrap().intrinsic().unwrap().0, "Fn::Sub");
    }

    #[test]
    fn a_key_that_stands_twice_holds_what_came_last_and_is_told() {
        let document = parse("a: 1\nb: 2\na: 3\n").unwrap();
        assert_eq!(document.root.get("a").unwrap().text(), Some("3"));
        assert_eq!(document.root.entries().len(), 2);
        assert!(matches!(document.oddities.as_slice(), [(3, words)] if words.contains("\"a\"")));
    }

    #[test]
    fn a_merge_key_brings_what_does_not_stand_there() {
        let root = parse("base: &base {x: 1, y: 2}\nown: {<<: *base, y: 3}\n").unwrap().root;
        let own = root.get("own").unwrap();
        assert_eq!((own.get("x").unwrap().text(), own.get("y").unwrap().text()), (Some("1"), Some("3")));
        assert!(own.get("<<").is_none());
    }

    #[test]
    fn json_is_read_as_well() {
        let text = "{\"Resources\": {\n\t\"A\": {\"Type\": \"X\", \"N\": [1, true, null, \"\\u00e4\\n\"]}}}";
        let root = parse(text).unwrap().root;
        let list = root.get("Resources").unwrap().get("A").unwrap().get("N").unwrap();
        assert_eq!(list.json(), serde_json::json!([1, true, null, "ä\n"]));
    }

    #[test]
    fn a_few_bytes_cannot_grow_into_a_large_tree() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..10 {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            writeln!(text, "a{i}: &a{i} [{refs}]").unwrap();
        }
        assert!(matches!(parse(&text), Err(TemplateError::Yaml { .. })));
        let deep = format!("a: {}", "[".repeat(5000));
        assert!(matches!(parse(&deep), Err(TemplateError::Yaml { .. })));
        let deep_blocks: Vec<String> = (0..5000).map(|i| format!("{}-", " ".repeat(i % 900))).collect();
        assert!(parse(&deep_blocks.join("\n")).is_err());
    }
}
