//! What can be wrong with a template, said by place, with what came and what was expected.

use std::path::PathBuf;

/// Why a template can't be run. Every variant tells where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file can't be read.
    #[error("can't read the template {path}: {source}")]
    Io {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not YAML, or YAML outside the bounds (1 MB, 64 levels, 100,000 nodes).
    #[error("the template is not readable YAML at line {line}: {message}")]
    Yaml {
        /// From 1.
        line: usize,
        /// What the parser met.
        message: String,
    },
    /// A parameter is missing, unknown, or has a value that its declaration refuses.
    #[error("template parameter {name}: {message}")]
    Parameter {
        /// The parameter's name.
        name: String,
        /// What came and what was expected.
        message: String,
    },
    /// The template of a nested stack can't be used.
    #[error("nested stack {resource} ({}): {source}", path.display())]
    Nested {
        /// Logical id of the nested stack.
        resource: String,
        /// Its template.
        path: PathBuf,
        /// What is wrong there.
        source: Box<TemplateError>,
    },
    /// A value that can't be used.
    #[error("{}: line {line}: {message}", place(resource, property))]
    Value {
        /// Logical id of the resource, or the section's name.
        resource: String,
        /// Property, dotted.
        property: String,
        /// From 1.
        line: usize,
        /// What came and what was expected.
        message: String,
    },
}

fn place(resource: &str, property: &str) -> String {
    if property.is_empty() { resource.to_owned() } else { format!("{resource}, property {property}") }
}
