//! `AWS::Serverless::Function` and `AWS::Lambda::Function`.

use std::collections::BTreeMap;
use std::path::Path;

use super::TemplateError;
use super::code;
use super::model::{Function, Stack};
use super::names::physical_name;
use super::properties::Properties;
use super::yaml::Node;

/// Properties that change what a function does in the cloud, with what becomes of them here.
const UNREAD: [(&str, &str); 4] = [
    ("Layers", "layers are not read here; what they bring must be in the function's own folder"),
    ("FileSystemConfigs", "no file system is mounted here"),
    ("DeadLetterConfig", "nothing is sent to it from here"),
    ("FunctionUrlConfig", "function URLs are not served here; an HttpApi event is"),
];

/// A function, or `None` with a note where it can't run here.
pub(crate) fn function(
    properties: &Properties<'_, '_>,
    resource: &Node,
    folder: &Path,
) -> Result<Option<Function>, TemplateError> {
    let scope = properties.scope;
    let logical_id = properties.resource;
    let Some(code) = code::read(properties, resource, folder)? else { return Ok(None) };
    for (name, message) in UNREAD {
        if properties.get(name)?.is_some() {
            scope.note(logical_id, properties.line(name), format!("{name}: {message}"));
        }
    }
    let environment = environment(properties)?;
    let number = |name: &str, least, most| {
        properties.number(name, least, most).map(|number| number.and_then(|number| u32::try_from(number).ok()))
    };
    Ok(Some(Function {
        logical_id: logical_id.to_owned(),
        name: physical_name(scope, logical_id)?,
        code,
        handler: properties.text("Handler")?.unwrap_or_else(|| "bootstrap".to_owned()),
        timeout_s: number("Timeout", 1, 900)?.unwrap_or(3),
        memory_mb: number("MemorySize", 128, 10_240)?.unwrap_or(128),
        environment,
        reserved_concurrency: number("ReservedConcurrentExecutions", 0, 10_000)?,
    }))
}

/// The function that an ARN (with or without a version), an invocation URI or a name stands for.
pub(crate) fn function_of(stack: &Stack, target: &str) -> Option<String> {
    let arn = target.split_once("/functions/").map_or(target, |(_, rest)| rest.trim_end_matches("/invocations"));
    let name = arn.split_once(":function:").or_else(|| arn.split_once("function:")).map_or(arn, |(_, name)| name);
    let name = name.split_once(':').map_or(name, |(name, _version)| name);
    stack.functions.values().find(|function| function.name == name).map(|function| function.logical_id.clone())
}

/// `Environment.Variables`, each with its own name in errors.
fn environment(properties: &Properties<'_, '_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut environment = BTreeMap::new();
    let Some(node) = properties.node.get("Environment") else { return Ok(environment) };
    // Resolved one by one where the mapping itself is plain, whole where a function makes it.
    let resolved;
    let variables = match node.get("Variables") {
        Some(variables) if variables.intrinsic().is_none() => variables,
        _ => {
            resolved = properties.get("Environment")?;
            match resolved.as_ref().and_then(|node| node.get("Variables")) {
                Some(variables) => variables,
                None => return Ok(environment),
            }
        }
    };
    for name in variables.entries().iter().map(|(name, _)| name) {
        let prefix = format!("{}Environment.Variables.", properties.prefix);
        let inner = Properties { prefix: &prefix, node: variables, ..*properties };
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(inner.error(name, inner.line(name), "a name without \"=\" was expected"));
        }
        if let Some(text) = inner.text(name)? {
            if text.contains('\0') {
                return Err(inner.error(name, inner.line(name), "text without NUL was expected"));
            }
            if text.contains("{{resolve:") {
                let message = format!("Environment.Variables.{name}: a dynamic reference came; it is left as it is");
                inner.scope.note(inner.resource, inner.line(name), message);
            }
            environment.insert(name.clone(), text);
        }
    }
    Ok(environment)
}
