//! Where a function's program comes from: `CodeUri`, `InlineCode`, `Code`, `Runtime` and the build's `Metadata`.

use std::path::Path;

use super::TemplateError;
use super::intrinsics::Place;
use super::model::{Code, Source};
use super::properties::Properties;
use super::yaml::{Node, Value};

/// The property in errors about a binary's name.
const BINARY: &str = "Metadata.BuildProperties.Binary";

/// Why there is no code.
enum Absent {
    /// It can't run here: the property that says so, and why.
    LeftOut(&'static str, String),
    Wrong(TemplateError),
}

impl From<TemplateError> for Absent {
    fn from(error: TemplateError) -> Self {
        Self::Wrong(error)
    }
}

/// The code of a function, or `None` with a note where it can't run here.
pub(super) fn read(
    properties: &Properties<'_, '_>,
    resource: &Node,
    folder: &Path,
) -> Result<Option<Code>, TemplateError> {
    match code(properties, resource, folder) {
        Ok(code) => Ok(Some(code)),
        Err(Absent::LeftOut(property, why)) => {
            let message = format!("{why}: the function is left out");
            properties.scope.note(properties.resource, properties.line(property), message);
            Ok(None)
        }
        Err(Absent::Wrong(error)) => Err(error),
    }
}

fn code(properties: &Properties<'_, '_>, resource: &Node, folder: &Path) -> Result<Code, Absent> {
    if properties.text("PackageType")?.as_deref() == Some("Image") {
        return Err(Absent::LeftOut("PackageType", "container images are not run here".to_owned()));
    }
    let metadata = resource.get("Metadata");
    let method = metadata.and_then(|metadata| metadata.get("BuildMethod")).and_then(Node::text);
    if method == Some("rust-cargolambda") {
        return cargo_binary(properties, metadata, folder);
    }
    let source = source(properties, folder)?;
    let runtime = properties.text("Runtime")?.unwrap_or_default();
    let refused = |why: String| Err(Absent::LeftOut("Runtime", why));
    if let Some(minor) = runtime.strip_prefix("python3.") {
        return match minor.parse::<u8>() {
            Ok(minor) => Ok(Code::Python { source, version: format!("3.{minor}") }),
            Err(_) => refused(format!("python3.x was expected; \"{runtime}\" came")),
        };
    }
    if runtime.starts_with("nodejs") {
        return Ok(Code::Node { source });
    }
    match source {
        Source::Path(path) if runtime.starts_with("provided") => Ok(Code::Bootstrap(path)),
        Source::Inline(_) if runtime.starts_with("provided") => {
            refused("a provided runtime takes no inline code".to_owned())
        }
        _ => {
            let came = if runtime.is_empty() { "no runtime".to_owned() } else { format!("runtime {runtime}") };
            let expected = "python3.x, nodejs, a provided runtime with a bootstrap, or rust-cargolambda was expected";
            refused(format!("{came} can't run here; {expected}"))
        }
    }
}

/// `CodeUri` and `InlineCode` of SAM, `Code` of CloudFormation.
fn source(properties: &Properties<'_, '_>, folder: &Path) -> Result<Source, Absent> {
    if let Some(text) = properties.text("InlineCode")? {
        return Ok(Source::Inline(text));
    }
    let property = if properties.node.get("CodeUri").is_some() { "CodeUri" } else { "Code" };
    let path = match properties.get(property)? {
        None => ".".to_owned(),
        Some(Node { value: Value::Scalar(path), .. }) => path,
        Some(code) => match code.get("ZipFile").and_then(Node::text) {
            Some(text) => return Ok(Source::Inline(text.to_owned())),
            None => return Err(Absent::LeftOut(property, "its code is in S3".to_owned())),
        },
    };
    if path.contains("://") {
        return Err(Absent::LeftOut(property, format!("its code is at {path}")));
    }
    Ok(Source::Path(folder.join(path)))
}

fn cargo_binary(properties: &Properties<'_, '_>, metadata: Option<&Node>, folder: &Path) -> Result<Code, Absent> {
    let place = Place { resource: properties.resource, property: BINARY };
    let binary = metadata.and_then(|metadata| metadata.get("BuildProperties")?.get("Binary"));
    let name = match binary {
        Some(node) => properties.scope.text(place, node)?,
        // Without Binary the crate has one binary, named as the package.
        None => {
            let Source::Path(path) = source(properties, folder)? else {
                return Err(Absent::LeftOut("InlineCode", "inline code is not built".to_owned()));
            };
            package(&path).ok_or_else(|| {
                let why = format!("{BINARY} was expected, or a package in {}", path.join("Cargo.toml").display());
                Absent::LeftOut("CodeUri", why)
            })?
        }
    };
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        let line = binary.map_or(properties.node.line, |node| node.line);
        return Err(place.error(line, format!("the name of a binary was expected; \"{name}\" came")).into());
    }
    Ok(Code::CargoBinary(name))
}

/// The `name` of the section `[package]` of a folder's Cargo.toml.
fn package(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let section = text.split("[package]").nth(1)?;
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let value = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "name")?.1;
    value.split('"').nth(1).map(str::to_owned)
}
