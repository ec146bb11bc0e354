//! The resources of a template, each into its place in the [`Stack`].

use std::path::Path;

use super::TemplateError;
use super::authorizers;
use super::event_source_mapping;
use super::events;
use super::function::function;
use super::globals::merge;
use super::http_parts;
use super::intrinsics::{Place, Scope};
use super::model::{Cors, HttpApi, Stack};
use super::names::IMPLICIT_HTTP_API;
use super::nested;
use super::properties::Properties;
use super::services;
use super::table::{simple_table, table};
use super::throttling;
use super::websocket;
use super::yaml::{Node, Value};

/// Types that mean something in the cloud and nothing here: no note is due.
const SILENT: [&str; 23] = [
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    // Read after the functions, from parts that belong together.
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
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
            "AWS::Lambda::Function" => functions.push((logical_id.clone(), resource, own.clone())),
            "AWS::Serverless::HttpApi" => {
                let node = merge(global(scope, "HttpApi"), own);
                stack.http_apis.insert(logical_id.clone(), http_api(scope, logical_id, &node)?);
            }
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                let properties = Properties { scope, resource: logical_id, prefix: "", node: own };
                stack.tables.insert(logical_id.clone(), table(&properties)?);
            }
            "AWS::Serverless::SimpleTable" => {
                let node = merge(global(scope, "SimpleTable"), own);
                let properties = Properties { scope, resource: logical_id, prefix: "", node: &node };
                stack.tables.insert(logical_id.clone(), simple_table(&properties)?);
            }
            "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
                if let Some(read) = nested::stack(scope, logical_id)? {
                    nested::merge(&mut stack, logical_id, &read);
                }
            }
            other if SILENT.contains(&other) => {}
            other => {
                let properties = Properties { scope, resource: logical_id, prefix: "", node: own };
                if services::read(&properties, other, &mut stack)? {
                    continue;
                }
                scope.note(logical_id, resource.line, format!("{other} is not run on one machine; it is left out"));
            }
        }
    }
    // After the APIs, so that a route can name an API that stands further down.
    for (logical_id, resource, node) in &functions {
        let properties = Properties { scope, resource: logical_id, prefix: "", node };
        let Some(function) = function(&properties, resource, folder)? else { continue };
        if resource.get("Type").and_then(Node::text) == Some("AWS::Serverless::Function") {
            events::read(&properties, &function, &mut stack)?;
        }
        let named = ["CodeUri", "InlineCode", "Code"].iter().find_map(|name| properties.node.get(name));
        stack.lines.insert(logical_id.clone(), named.map_or(resource.line, |node| node.line));
        stack.functions.insert(logical_id.clone(), function);
    }
    event_source_mapping::read(scope, &mut stack)?;
    for api in stack.http_apis.keys().cloned().collect::<Vec<_>>() {
        let empty = Node::empty_map(1);
        let node = scope.resource(&api).and_then(|resource| resource.get("Properties")).unwrap_or(&empty);
        authorizers::link(&Properties { scope, resource: &api, prefix: "", node }, &api, &mut stack);
    }
    http_parts::read(scope, &mut stack)?;
    websocket::read(scope, &mut stack)?;
    for (name, output) in scope.root.get("Outputs").map(Node::entries).unwrap_or_default() {
        if !is_made(scope, "Outputs", output)? {
            continue;
        }
        let value = output.get("Value").map(|value| scope.text(Place { resource: "Outputs", property: name }, value));
        match value {
            Some(Ok(value)) => drop(stack.outputs.insert(name.clone(), value)),
            Some(Err(error)) => scope.note("Outputs", output.line, format!("{name} is left out: {error}")),
            None => {}
        }
    }
    stack.notes.splice(..0, scope.notes.take());
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

/// An API with its stage and CORS; its routes come from the functions' events.
pub(crate) fn http_api(scope: &Scope<'_>, logical_id: &str, node: &Node) -> Result<HttpApi, TemplateError> {
    let properties = Properties { scope, resource: logical_id, prefix: "", node };
    let stage = properties.text("StageName")?.unwrap_or_else(|| "$default".to_owned());
    for unread in ["DefinitionBody", "DefinitionUri", "Domain"] {
        if node.get(unread).is_some() {
            scope.note(logical_id, properties.line(unread), format!("{unread} is not read here"));
        }
    }
    let mut api = HttpApi {
        logical_id: logical_id.to_owned(),
        stage,
        cors: cors(&properties)?,
        throttling: throttling::read(&properties)?,
        stage_variables: authorizers::texts_by_name(&properties, "StageVariables")?,
        ..HttpApi::default()
    };
    authorizers::of_api(&properties, &mut api)?;
    Ok(api)
}

/// The implicit API, made at the first event that names no other.
pub(crate) fn implicit_http_api(scope: &Scope<'_>) -> Result<HttpApi, TemplateError> {
    let empty = Node::empty_map(1);
    http_api(scope, IMPLICIT_HTTP_API, global(scope, "HttpApi").unwrap_or(&empty))
}

pub(super) fn cors(properties: &Properties<'_, '_>) -> Result<Option<Cors>, TemplateError> {
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
