//! The resources of a template, each into its place in the [`Stack`].

use std::collections::BTreeMap;
use std::path::Path;

use super::TemplateError;
use super::events;
use super::globals::merge;
use super::intrinsics::{Place, Scope};
use super::model::{Code, Cors, Function, HttpApi, Index, Stack, Table};
use super::names::{IMPLICIT_HTTP_API, physical_name};
use super::properties::Properties;
use super::websocket;
use super::yaml::{Node, Value};

/// Types that mean something in the cloud and nothing here: no note is due.
const SILENT: [&str; 14] = [
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Permission",
    "AWS::CloudWatch::Alarm",
    // Read as one, after the functions.
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::Serverless::WebSocketApi",
];

/// Reads every resource.
pub(crate) fn read(scope: &Scope<'_>, folder: &Path) -> Result<Stack, TemplateError> {
    let mut stack = Stack::default();
    let resources = match scope.root.get("Resources") {
        Some(node @ Node { value: Value::Map(_), .. }) => node,
        Some(other) => {
            let at = Place { resource: "Resources", property: "" };
            return Err(at.error(other.line, format!("a mapping of resources was expected; {} came", other.came())));
        }
        None => {
            let at = Place { resource: "Resources", property: "" };
            return Err(at.error(scope.root.line, "the template has none; a mapping of resources was expected"));
        }
    };
    let mut functions = Vec::new();
    for (logical_id, resource) in resources.entries() {
        let at = Place { resource: logical_id, property: "Type" };
        let kind = resource.get("Type").and_then(Node::text);
        let kind = kind.ok_or_else(|| at.error(resource.line, "every resource has a Type; nothing came"))?;
        if !is_made(scope, logical_id, resource)? {
            continue;
        }
        let empty = Node::empty_map(resource.line);
        let own = resource.get("Properties").unwrap_or(&empty);
        match kind {
            "AWS::Serverless::Function" => {
                let node = merge(global(scope, "Function"), own);
                functions.push((logical_id.clone(), resource, node));
            }
            "AWS::Serverless::HttpApi" => {
                let node = merge(global(scope, "HttpApi"), own);
                stack.http_apis.insert(logical_id.clone(), http_api(scope, logical_id, &node)?);
            }
            "AWS::DynamoDB::Table" => {
                let properties = Properties { scope, resource: logical_id, prefix: "", node: own };
                stack.tables.insert(logical_id.clone(), table(&properties)?);
            }
            "AWS::Serverless::SimpleTable" => {
                let node = merge(global(scope, "SimpleTable"), own);
                let properties = Properties { scope, resource: logical_id, prefix: "", node: &node };
                stack.tables.insert(logical_id.clone(), simple_table(&properties)?);
            }
            other if SILENT.contains(&other) => {}
            other => {
                scope.note(logical_id, resource.line, format!("{other} is not run on one machine; it is left out"));
            }
        }
    }
    // After the APIs, so that a route can name an API that stands further down.
    for (logical_id, resource, node) in &functions {
        let properties = Properties { scope, resource: logical_id, prefix: "", node };
        let Some(function) = function(&properties, resource, folder)? else { continue };
        events::read(&properties, &function, &mut stack)?;
        stack.functions.insert(logical_id.clone(), function);
    }
    websocket::read(scope, &mut stack)?;
    for (name, output) in scope.root.get("Outputs").map(Node::entries).unwrap_or_default() {
        let value = output.get("Value").map(|value| scope.text(Place { resource: "Outputs", property: name }, value));
        if let Some(Ok(value)) = value {
            stack.outputs.insert(name.clone(), value);
        }
    }
    stack.notes = scope.notes.take();
    Ok(stack)
}

/// False: its `Condition` is false.
pub(crate) fn is_made(scope: &Scope<'_>, logical_id: &str, resource: &Node) -> Result<bool, TemplateError> {
    let Some(condition) = resource.get("Condition") else { return Ok(true) };
    let at = Place { resource: logical_id, property: "Condition" };
    let name = condition.text().ok_or_else(|| {
        at.error(condition.line, format!("the name of a condition was expected; {} came", condition.came()))
    })?;
    scope.condition(at, condition.line, name)
}

fn global<'a>(scope: &Scope<'a>, section: &str) -> Option<&'a Node> {
    scope.root.get("Globals").and_then(|globals| globals.get(section))
}

/// A function, or `None` with a note where it can't run here.
fn function(
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

/// An API with its stage and CORS; its routes come from the functions' events.
pub(crate) fn http_api(scope: &Scope<'_>, logical_id: &str, node: &Node) -> Result<HttpApi, TemplateError> {
    let properties = Properties { scope, resource: logical_id, prefix: "", node };
    let stage = properties.text("StageName")?.unwrap_or_else(|| "$default".to_owned());
    for unread in ["DefinitionBody", "DefinitionUri", "Auth", "Domain"] {
        if node.get(unread).is_some() {
            scope.note(logical_id, properties.line(unread), format!("{unread} is not read here"));
        }
    }
    Ok(HttpApi { logical_id: logical_id.to_owned(), stage, routes: Vec::new(), cors: cors(&properties)? })
}

/// The implicit API, made at the first event that names no other.
pub(crate) fn implicit_http_api(scope: &Scope<'_>) -> Result<HttpApi, TemplateError> {
    let empty = Node::empty_map(1);
    http_api(scope, IMPLICIT_HTTP_API, global(scope, "HttpApi").unwrap_or(&empty))
}

fn cors(properties: &Properties<'_, '_>) -> Result<Option<Cors>, TemplateError> {
    let Some(node) = properties.get("CorsConfiguration")? else { return Ok(None) };
    match &node.value {
        Value::Scalar(text) if text == "true" => {
            Ok(Some(Cors { allow_origins: vec!["*".to_owned()], ..Cors::default() }))
        }
        Value::Scalar(text) if text == "false" => Ok(None),
        Value::Scalar(origin) => Ok(Some(Cors { allow_origins: vec![origin.clone()], ..Cors::default() })),
        Value::Map(_) => {
            let inner = Properties { prefix: "CorsConfiguration.", node: &node, ..*properties };
            let list = |name: &str| inner.texts(name).map(Option::unwrap_or_default);
            let cors = Cors {
                allow_origins: list("AllowOrigins")?,
                allow_methods: list("AllowMethods")?,
                allow_headers: list("AllowHeaders")?,
                expose_headers: list("ExposeHeaders")?,
                allow_credentials: inner.flag("AllowCredentials")?.unwrap_or(false),
                max_age_s: inner.number("MaxAge", 0, 86_400)?.and_then(|age| u32::try_from(age).ok()),
            };
            if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
                let message = "\"*\" came together with AllowCredentials; exact origins were expected";
                return Err(inner.error("AllowOrigins", inner.line("AllowOrigins"), message));
            }
            Ok(Some(cors))
        }
        _ => Err(properties.error(
            "CorsConfiguration",
            node.line,
            format!("a mapping was expected; {} came", node.came()),
        )),
    }
}

fn table(properties: &Properties<'_, '_>) -> Result<Table, TemplateError> {
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
    let mut indexes = Vec::new();
    for node in items(properties, "GlobalSecondaryIndexes")? {
        let inner = Properties { prefix: "GlobalSecondaryIndexes.", node: &node, ..*properties };
        let (hash_key, range_key) = key_schema(&inner, &attributes)?;
        let projection = match inner.get("Projection")? {
            Some(projection) => {
                Properties { node: &projection, ..inner }.text("ProjectionType")?.unwrap_or_else(|| "ALL".to_owned())
            }
            None => "ALL".to_owned(),
        };
        indexes.push(Index { name: inner.required("IndexName")?, hash_key, range_key, projection });
    }
    if properties.node.get("LocalSecondaryIndexes").is_some() {
        let line = properties.line("LocalSecondaryIndexes");
        properties.scope.note(properties.resource, line, "LocalSecondaryIndexes are not made here");
    }
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
        ttl_attribute,
    })
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

fn simple_table(properties: &Properties<'_, '_>) -> Result<Table, TemplateError> {
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
        ttl_attribute: None,
    })
}
