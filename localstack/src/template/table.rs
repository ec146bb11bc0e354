//! `AWS::DynamoDB::Table` and `AWS::Serverless::SimpleTable`, as far as `CreateTable` needs them.

use super::TemplateError;
use super::model::{Index, Table};
use super::names::physical_name;
use super::properties::Properties;
use super::yaml::{Node, Value};

const PROJECTIONS: [&str; 3] = ["ALL", "INCLUDE", "KEYS_ONLY"];
const STREAM_VIEWS: [&str; 4] = ["KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE"];

/// `AWS::DynamoDB::Table`.
pub(crate) fn table(properties: &Properties<'_, '_>) -> Result<Table, TemplateError> {
    let mut attributes = Vec::new();
    for node in items(properties, "AttributeDefinitions")? {
        let inner = Properties { prefix: "AttributeDefinitions.", node: &node, ..*properties };
        let kind = inner.required("AttributeType")?;
        if !matches!(kind.as_str(), "S" | "N" | "B") {
            return Err(inner.error("AttributeType", node.line, format!("S, N or B was expected; \"{kind}\" came")));
        }
        attributes.push((inner.required("AttributeName")?, kind));
    }
    let (hash_key, range_key) = key_schema(properties, &attributes)?;
    let indexes = indexes(properties, "GlobalSecondaryIndexes", &attributes)?;
    let local_indexes = local_indexes(properties, &attributes, &hash_key)?;
    let ttl_attribute = match properties.get("TimeToLiveSpecification")? {
        Some(node) => {
            let inner = Properties { prefix: "TimeToLiveSpecification.", node: &node, ..*properties };
            let enabled = inner.flag("Enabled")?.unwrap_or(false);
            inner.text("AttributeName")?.filter(|_| enabled)
        }
        None => None,
    };
    Ok(Table {
        logical_id: properties.resource.to_owned(),
        name: physical_name(properties.scope, properties.resource)?,
        attributes,
        hash_key,
        range_key,
        indexes,
        local_indexes,
        stream: stream(properties)?,
        ttl_attribute,
    })
}

fn indexes(
    properties: &Properties<'_, '_>,
    list: &str,
    attributes: &[(String, String)],
) -> Result<Vec<Index>, TemplateError> {
    let prefix = format!("{list}.");
    let read = |node: &Node| {
        let inner = Properties { prefix: &prefix, node, ..*properties };
        let (hash_key, range_key) = key_schema(&inner, attributes)?;
        let (mut projection, mut non_key_attributes) = ("ALL".to_owned(), Vec::new());
        if let Some(node) = inner.get("Projection")? {
            let inner = Properties { node: &node, ..inner };
            projection = inner.text("ProjectionType")?.unwrap_or(projection);
            non_key_attributes = inner.texts("NonKeyAttributes")?.unwrap_or_default();
            if !PROJECTIONS.contains(&projection.as_str()) {
                let message = format!("one of {} was expected; \"{projection}\" came", PROJECTIONS.join(", "));
                return Err(inner.error("ProjectionType", inner.line("ProjectionType"), message));
            }
        }
        Ok(Index { name: inner.required("IndexName")?, hash_key, range_key, projection, non_key_attributes })
    };
    items(properties, list)?.iter().map(read).collect()
}

/// Those whose partition key is the table's.
fn local_indexes(
    properties: &Properties<'_, '_>,
    attributes: &[(String, String)],
    hash_key: &str,
) -> Result<Vec<Index>, TemplateError> {
    let indexes = indexes(properties, "LocalSecondaryIndexes", attributes)?;
    match indexes.iter().find(|index| index.hash_key != hash_key) {
        Some(index) => {
            let message = format!(
                "the index {} was expected to have the table's own partition key {hash_key}; {} came",
                index.name, index.hash_key
            );
            let line = properties.line("LocalSecondaryIndexes");
            Err(properties.error("LocalSecondaryIndexes", line, message))
        }
        None => Ok(indexes),
    }
}

fn stream(properties: &Properties<'_, '_>) -> Result<Option<String>, TemplateError> {
    let Some(node) = properties.get("StreamSpecification")? else { return Ok(None) };
    let inner = Properties { prefix: "StreamSpecification.", node: &node, ..*properties };
    // AWS::DynamoDB::GlobalTable has no other property; AWS::DynamoDB::Table asks for this one.
    let view = inner.required("StreamViewType")?;
    if !STREAM_VIEWS.contains(&view.as_str()) {
        let message = format!("one of {} was expected; \"{view}\" came", STREAM_VIEWS.join(", "));
        return Err(inner.error("StreamViewType", inner.line("StreamViewType"), message));
    }
    Ok(Some(view))
}

fn items(properties: &Properties<'_, '_>, name: &str) -> Result<Vec<Node>, TemplateError> {
    match properties.get(name)? {
        None => Ok(Vec::new()),
        Some(Node { value: Value::Seq(items), .. }) => Ok(items),
        Some(other) => Err(properties.error(name, other.line, format!("a list was expected; {} came", other.came()))),
    }
}

fn key_schema(
    properties: &Properties<'_, '_>,
    attributes: &[(String, String)],
) -> Result<(String, Option<String>), TemplateError> {
    let (mut hash, mut range) = (None, None);
    let schema = items(properties, "KeySchema")?;
    for node in &schema {
        let inner = Properties { node, ..*properties };
        let name = inner.required("AttributeName")?;
        if !attributes.iter().any(|(known, _)| *known == name) {
            return Err(inner.error(
                "KeySchema",
                node.line,
                format!("\"{name}\" came; a name out of AttributeDefinitions was expected"),
            ));
        }
        match inner.required("KeyType")?.as_str() {
            "HASH" => hash = Some(name),
            "RANGE" => range = Some(name),
            other => {
                return Err(inner.error("KeyType", node.line, format!("HASH or RANGE was expected; \"{other}\" came")));
            }
        }
    }
    let hash = hash.ok_or_else(|| {
        properties.error("KeySchema", properties.line("KeySchema"), "a key of type HASH was expected; none came")
    })?;
    Ok((hash, range))
}

/// `AWS::Serverless::SimpleTable`.
pub(crate) fn simple_table(properties: &Properties<'_, '_>) -> Result<Table, TemplateError> {
    let (name, kind) = match properties.get("PrimaryKey")? {
        None => ("id".to_owned(), "S"),
        Some(node) => {
            let inner = Properties { prefix: "PrimaryKey.", node: &node, ..*properties };
            let kind = match inner.text("Type")?.as_deref() {
                None | Some("String") => "S",
                Some("Number") => "N",
                Some("Binary") => "B",
                Some(other) => {
                    let message = format!("String, Number or Binary was expected; \"{other}\" came");
                    return Err(inner.error("Type", node.line, message));
                }
            };
            (inner.required("Name")?, kind)
        }
    };
    Ok(Table {
        logical_id: properties.resource.to_owned(),
        name: physical_name(properties.scope, properties.resource)?,
        attributes: vec![(name.clone(), kind.to_owned())],
        hash_key: name,
        range_key: None,
        indexes: Vec::new(),
        local_indexes: Vec::new(),
        stream: None,
        ttl_attribute: None,
    })
}
