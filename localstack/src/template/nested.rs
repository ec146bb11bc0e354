//! `AWS::CloudFormation::Stack` and `AWS::Serverless::Application` whose template is a file on this machine.
//!
//! What a nested stack holds becomes a part of the whole, under ids such as `Network.Api`; a logical id has no dot.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use super::intrinsics::{Place, Scope};
use super::model::{Authorizer, Note, Stack};
use super::properties::Properties;
use super::yaml::{Node, Value};
use super::{Settings, TemplateError, foreach, parameters, resources, yaml};

/// Stacks within stacks.
const MAX_DEPTH: usize = 5;
/// CloudFormation's own bound on a template's size.
const MAX_BYTES: u64 = 1024 * 1024;
/// Values that are worked out for one template and all that it nests.
const MAX_STEPS: usize = 2_000_000;

/// What is known of a nested stack.
#[derive(Clone)]
pub(crate) enum Nested {
    /// It is being read: meeting it again is a circle.
    Reading,
    /// What was read; `None`: it is elsewhere.
    Read(Option<Rc<Stack>>),
}

/// What may still be done for one template and all that it nests.
#[derive(Clone)]
pub(crate) struct Budget {
    depth: usize,
    pub(crate) steps: Rc<Cell<usize>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { depth: 0, steps: Rc::new(Cell::new(MAX_STEPS)) }
    }
}

/// Reads a template's text, at whatever depth.
pub(crate) fn parse(text: &str, folder: &Path, settings: &Settings, budget: &Budget) -> Result<Stack, TemplateError> {
    let document = yaml::parse(text)?;
    let parameters = parameters::read(&document.root, settings)?;
    let root = foreach::expand(document.root, &parameters)?;
    let scope = Scope::new(&root, settings, parameters, folder, budget);
    for (line, message) in document.oddities {
        scope.note("Template", line, message);
    }
    resources::read(&scope, folder)
}

/// The stack of the resource, read once; `None` with a note: its template is elsewhere.
pub(crate) fn stack(scope: &Scope<'_>, logical_id: &str) -> Result<Option<Rc<Stack>>, TemplateError> {
    let known = scope.nested.borrow().get(logical_id).cloned();
    let Some(resource) = scope.resource(logical_id) else { return Ok(None) };
    match known {
        Some(Nested::Read(known)) => return Ok(known),
        Some(Nested::Reading) => {
            let at = Place { resource: logical_id, property: "" };
            return Err(at.error(resource.line, "its parameters lead round to its own outputs"));
        }
        None => {}
    }
    scope.nested.borrow_mut().insert(logical_id.to_owned(), Nested::Reading);
    let read = read(scope, logical_id, resource)?.map(Rc::new);
    scope.nested.borrow_mut().insert(logical_id.to_owned(), Nested::Read(read.clone()));
    Ok(read)
}

fn read(scope: &Scope<'_>, logical_id: &str, resource: &Node) -> Result<Option<Stack>, TemplateError> {
    let empty = Node::empty_map(resource.line);
    let node = resource.get("Properties").unwrap_or(&empty);
    let properties = Properties { scope, resource: logical_id, prefix: "", node };
    let property = if node.get("TemplateURL").is_some() { "TemplateURL" } else { "Location" };
    let left_out = |message: String| {
        scope.note(logical_id, properties.line(property), format!("{property}: {message}: the stack is left out"));
        Ok(None)
    };
    let location = match properties.get(property)? {
        Some(Node { value: Value::Scalar(location), .. }) => location,
        Some(other) => return left_out(format!("a file on this machine was expected; {} came", other.came())),
        None => return left_out("a file on this machine was expected; nothing came".to_owned()),
    };
    let path = scope.folder.join(location.trim_start_matches("file://"));
    // Neither a device nor a whole disk.
    let size = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    if size.is_none_or(|size| size > MAX_BYTES) {
        return left_out(format!("a file of at most 1 MB was expected; \"{location}\" came"));
    }
    if scope.budget.depth >= MAX_DEPTH {
        return left_out(format!("stacks are nested deeper than {MAX_DEPTH}"));
    }
    let wrong = |source| TemplateError::Nested {
        resource: logical_id.to_owned(),
        path: path.clone(),
        source: Box::new(source),
    };
    let text =
        std::fs::read_to_string(&path).map_err(|source| wrong(TemplateError::Io { path: path.clone(), source }))?;
    scope.spend(Place { resource: logical_id, property }, resource.line, 1000 + text.len() / 16)?;
    let settings = Settings {
        parameters: given(&properties)?,
        stack_name: format!("{}-{logical_id}", scope.settings.stack_name),
        attributes: std::collections::BTreeMap::new(),
        ..scope.settings.clone()
    };
    let budget = Budget { depth: scope.budget.depth + 1, ..scope.budget.clone() };
    let folder = path.parent().unwrap_or(scope.folder);
    parse(&text, folder, &settings, &budget).map(Some).map_err(wrong)
}

/// `Parameters`: texts, numbers, and lists joined by commas.
fn given(properties: &Properties<'_, '_>) -> Result<std::collections::BTreeMap<String, String>, TemplateError> {
    let Some(node) = properties.get("Parameters")? else { return Ok(std::collections::BTreeMap::new()) };
    let inner = Properties { prefix: "Parameters.", node: &node, ..*properties };
    let mut given = std::collections::BTreeMap::new();
    for (name, _) in node.entries() {
        given.extend(inner.texts(name)?.map(|texts| (name.clone(), texts.join(","))));
    }
    Ok(given)
}

/// An output of a nested stack; `None`: the stack is not read here.
pub(crate) fn output(
    scope: &Scope<'_>,
    line: usize,
    logical_id: &str,
    name: &str,
) -> Result<Option<String>, TemplateError> {
    let Some(stack) = stack(scope, logical_id)? else { return Ok(None) };
    let found = stack.outputs.get(name).cloned();
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = stack.outputs.keys().map(String::as_str).collect();
        let at = Place { resource: logical_id, property: "Outputs" };
        at.error(line, format!("it has no output {name}; it has: {}", known.join(", ")))
    })
}

/// Makes what `nested` holds a part of `stack`.
pub(crate) fn merge(stack: &mut Stack, logical_id: &str, nested: &Stack) {
    let within = |id: &String| format!("{logical_id}.{id}");
    for (id, function) in &nested.functions {
        let mut function = function.clone();
        function.logical_id = within(id);
        stack.functions.insert(within(id), function);
    }
    for mapping in &nested.mappings {
        let mut mapping = mapping.clone();
        mapping.id = within(&mapping.id);
        mapping.function = within(&mapping.function);
        stack.mappings.push(mapping);
    }
    for (id, api) in &nested.http_apis {
        let mut api = api.clone();
        api.logical_id = within(id);
        api.routes.iter_mut().for_each(|route| route.function = within(&route.function));
        for authorizer in api.authorizers.values_mut() {
            if let Authorizer::Lambda(authorizer) = authorizer {
                authorizer.function = within(&authorizer.function);
            }
        }
        stack.http_apis.insert(within(id), api);
    }
    for (id, api) in &nested.websocket_apis {
        let mut api = api.clone();
        api.logical_id = within(id);
        api.routes.iter_mut().for_each(|route| route.function = within(&route.function));
        if let Some(authorizer) = &mut api.authorizer {
            authorizer.function = within(&authorizer.function);
        }
        stack.websocket_apis.insert(within(id), api);
    }
    for (id, table) in &nested.tables {
        let mut table = table.clone();
        table.logical_id = within(id);
        stack.tables.insert(within(id), table);
    }
    for (id, queue) in &nested.queues {
        let mut queue = queue.clone();
        queue.logical_id = within(id);
        stack.queues.insert(within(id), queue);
    }
    for secret in &nested.secrets {
        let mut secret = secret.clone();
        secret.logical_id = within(&secret.logical_id);
        stack.secrets.push(secret);
    }
    for parameter in &nested.parameters {
        let mut parameter = parameter.clone();
        parameter.logical_id = within(&parameter.logical_id);
        stack.parameters.push(parameter);
    }
    stack.lines.extend(nested.lines.iter().map(|(id, line)| (within(id), *line)));
    stack.notes.extend(nested.notes.iter().map(|note| Note { resource: within(&note.resource), ..note.clone() }));
}
