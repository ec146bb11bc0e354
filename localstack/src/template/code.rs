//! Where a function's program comes from: `CodeUri`, `InlineCode`, `Code`, `Runtime` and the build's `Metadata`.

use std::path::{Path, PathBuf};

use super::TemplateError;
use super::intrinsics::Place;
use super::model::{Code, Source};
use super::properties::Properties;
use super::yaml::{Node, Value};

/// The code of a function, or `None` with a note where it can't run here.
pub(super) fn read(
    properties: &Properties<'_, '_>,
    resource: &Node,
    folder: &Path,
) -> Result<Option<Code>, TemplateError> {
    if properties.text("PackageType")?.as_deref() == Some("Image") {
        return left_out(properties, "PackageType", "container images are not run here");
    }
    let metadata = resource.get("Metadata");
    let method = metadata.and_then(|metadata| metadata.get("BuildMethod")).and_then(Node::text).unwrap_or_default();
    if method == "rust-cargolambda" {
        return cargo_binary(properties, metadata, folder);
    }
    let Some(source) = source(properties, folder)? else { return Ok(None) };
    let runtime = properties.text("Runtime")?.unwrap_or_default();
    if let Some(version) = runtime.strip_prefix("python3.") {
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
            return left_out(properties, "Runtime", &format!("python3.x was expected; \"{runtime}\" came"));
        }
        return Ok(Some(Code::Python { source, version: format!("3.{version}") }));
    }
    if runtime.starts_with("nodejs") {
        return Ok(Some(Code::Node { source }));
    }
    if runtime.starts_with("provided") {
        return match source {
            Source::Path(path) => Ok(Some(Code::Bootstrap(path))),
            Source::Inline(_) => left_out(properties, "Runtime", "a provided runtime takes no inline code"),
        };
    }
    let came = if runtime.is_empty() { "no runtime".to_owned() } else { format!("runtime {runtime}") };
    let expected = "python3.x, nodejs, a provided runtime with a bootstrap, or rust-cargolambda was expected";
    left_out(properties, "Runtime", &format!("{came} can't run here; {expected}"))
}

fn left_out(properties: &Properties<'_, '_>, property: &str, message: &str) -> Result<Option<Code>, TemplateError> {
    properties.scope.note(
        properties.resource,
        properties.line(property),
        format!("{message}: the function is left out"),
    );
    Ok(None)
}

/// `CodeUri` (SAM), `InlineCode` (SAM) or `Code` (CloudFormation); `None` with a note where it is not on this machine.
fn source(properties: &Properties<'_, '_>, folder: &Path) -> Result<Option<Source>, TemplateError> {
    if let Some(text) = properties.text("InlineCode")? {
        return Ok(Some(Source::Inline(text)));
    }
    let property = if properties.node.get("CodeUri").is_some() { "CodeUri" } else { "Code" };
    let path = match properties.get(property)? {
        None => ".".to_owned(),
        Some(Node { value: Value::Scalar(path), .. }) => path,
        Some(code) => match code.get("ZipFile").and_then(Node::text) {
            Some(text) => return Ok(Some(Source::Inline(text.to_owned()))),
            None => return left_out(properties, property, "its code is in S3").map(|_| None),
        },
    };
    if path.contains("://") {
        return left_out(properties, property, &format!("its code is at {path}")).map(|_| None);
    }
    Ok(Some(Source::Path(folder.join(path))))
}

fn cargo_binary(
    properties: &Properties<'_, '_>,
    metadata: Option<&Node>,
    folder: &Path,
) -> Result<Option<Code>, TemplateError> {
    const PROPERTY: &str = "Metadata.BuildProperties.Binary";
    let place = Place { resource: properties.resource, property: PROPERTY };
    let binary = metadata.and_then(|metadata| metadata.get("BuildProperties")?.get("Binary"));
    let name = match binary {
        Some(node) => properties.scope.text(place, node)?,
        // Without Binary the crate has one binary, named as the package.
        None => {
            let Some(Source::Path(path)) = source(properties, folder)? else { return Ok(None) };
            match package(&path) {
                Some(name) => name,
                None => {
                    let message = format!(
                        "{PROPERTY} was expected: no package is named in {}",
                        path.join("Cargo.toml").display()
                    );
                    return left_out(properties, "CodeUri", &message);
                }
            }
        }
    };
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        let line = binary.map_or(properties.node.line, |node| node.line);
        return Err(place.error(line, format!("the name of a binary was expected; \"{name}\" came")));
    }
    Ok(Some(Code::CargoBinary(name)))
}

/// The `name` of the section `[package]` of a folder's Cargo.toml.
fn package(folder: &Path) -> Option<String> {
    let manifest: PathBuf = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(manifest).ok()?;
    let section = text.split("[package]").nth(1)?;
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let value = lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "name")?.1;
    value.split('"').nth(1).map(str::to_owned)
}
