//! Reads a SAM template into what the local cloud runs.
//!
//! What is read: `Parameters`, `Mappings`, `Conditions`, `Globals`, functions with their HttpApi, MSK and SelfManagedKafka
//! events, tables, queues, secrets, parameters of Systems Manager, HTTP and WebSocket APIs, `Outputs`, and CloudFormation's
//! intrinsic functions in short and long form. Everything else becomes a [`model::Note`]. The template is input: nothing in it makes the reader panic or run without bound.

mod access;
mod authorizers;
mod code;
mod conditions;
mod error;
mod event_source_mapping;
mod events;
mod foreach;
mod function;
mod globals;
mod http_parts;
mod indentation;
mod intrinsics;
mod kafka_event;
mod lists;
pub mod model;
mod names;
mod nested;
mod parameters;
mod properties;
mod resources;
mod services;
mod table;
mod throttling;
mod websocket;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use crate::account;
pub(crate) use authorizers::is_reachable;

pub use error::TemplateError;
pub use model::Stack;
pub use parameters::Parameter;

/// What a template needs from outside to be resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Values for the template's parameters; the others take their defaults.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::StackName`, and the beginning of every name the template leaves open.
    pub stack_name: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account_id: String,
    /// Where SQS is; `None`: queues' URLs are AWS's.
    pub sqs_endpoint: Option<String>,
    /// Attributes that only the caller knows, as `LogicalId.Attribute`; they win over what the reader would make up.
    pub attributes: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            stack_name: "freshet".to_owned(),
            region: account::REGION.to_owned(),
            account_id: account::ACCOUNT_ID.to_owned(),
            sqs_endpoint: None,
            attributes: BTreeMap::new(),
        }
    }
}

/// Reads the template at `path`. `CodeUri` folders are taken relative to it.
///
/// # Errors
/// The file can't be read, is not YAML within the bounds, lacks a parameter's value, or holds a value that can't be used;
/// the error names resource, property and line, what came and what was expected.
pub fn read(path: &Path, settings: &Settings) -> Result<Stack, TemplateError> {
    let text = text(path)?;
    parse(&text, path.parent().unwrap_or(Path::new(".")), settings)
}

/// The parameters that the template at `path` declares, in its order.
///
/// # Errors
/// The file can't be read, or is not YAML within the bounds.
pub fn parameters(path: &Path) -> Result<Vec<Parameter>, TemplateError> {
    Ok(parameters::declared(&yaml::parse(&text(path)?)?.root))
}

fn text(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|source| TemplateError::Io { path: path.to_owned(), source })
}

/// As [`read`], from text; `folder` is where `CodeUri` folders begin.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str, folder: &Path, settings: &Settings) -> Result<Stack, TemplateError> {
    nested::parse(text, folder, settings, &nested::Budget::default())
}

#[cfg(test)]
mod tests;
