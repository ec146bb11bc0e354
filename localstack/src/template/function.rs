//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;
use std::path::Path;

use super::TemplateError;
use super::intrinsics::Place;
use super::model::{Code, Function};
use super::names::physical_name;
use super::properties::Properties;
use super::yaml::Node;

/// A function, or `None` with a note where it can't run here.
pub(crate) fn function(
    properties: &Properties<'_, '_>,
    resource: &Node,
    folder: &Path,
) -> Result<Option<Function>, TemplateError> {
    let scope = properties.scope;
    let logical_id = properties.resource;
    let metadata = resource.get("Metadata");
    let method = metadata.and_then(|metadata| metadata.get("BuildMethod")).and_then(Node::text).unwrap_or_default();
    let code_uri = properties.text("CodeUri")?.unwrap_or_else(|| ".".to_owned());
    let code = if method == "rust-cargolambda" {
        let binary = metadata.and_then(|metadata| metadata.get("BuildProperties")?.get("Binary"));
        let name = match binary {
            Some(node) => {
                scope.text(Place { resource: logical_id, property: "Metadata.BuildProperties.Binary" }, node)?
            }
            // Without Binary the crate has one binary, by habit named as its folder.
            None => Path::new(&code_uri).file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            let line = binary.map_or(resource.line, |node| node.line);
            return Err(Place { resource: logical_id, property: "Metadata.BuildProperties.Binary" }
                .error(line, format!("the name of a binary was expected; \"{name}\" came")));
        }
        Code::CargoBinary(name)
    } else {
        let runtime = properties.text("Runtime")?.unwrap_or_default();
        if !runtime.starts_with("provided") {
            let came = if runtime.is_empty() { "no runtime".to_owned() } else { format!("runtime {runtime}") };
            scope.note(
                logical_id,
                properties.line("Runtime"),
                format!("{came} can't run here; rust-cargolambda or a provided runtime with a bootstrap was expected"),
            );
            return Ok(None);
        }
        Code::Bootstrap(folder.join(code_uri))
    };
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
            environment.insert(name.clone(), text);
        }
    }
    Ok(environment)
}
