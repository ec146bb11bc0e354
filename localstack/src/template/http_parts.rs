//! HTTP APIs in CloudFormation's own resources: `AWS::ApiGatewayV2::Api` with its routes, integrations and stage.

use std::collections::BTreeMap;

use super::TemplateError;
use super::authorizers;
use super::events::{check_path, method_of};
use super::function::function_of;
use super::intrinsics::Scope;
use super::model::{HttpApi, HttpRoute, PayloadFormat, Stack};
use super::properties::Properties;
use super::resources::{cors, is_made};
use super::throttling;
use super::yaml::Node;

/// The longest an integration of an HTTP API may take, milliseconds.
const MAX_TIMEOUT_MS: i64 = 30_000;

/// Adds these APIs to the stack, after its functions.
pub(crate) fn read(scope: &Scope<'_>, stack: &mut Stack) -> Result<(), TemplateError> {
    let mut apis = BTreeMap::new();
    each(scope, "Api", |properties| {
        if properties.text("ProtocolType")?.as_deref() == Some("WEBSOCKET") {
            return Ok(());
        }
        for unread in ["Body", "BodyS3Location"] {
            if properties.node.get(unread).is_some() {
                let message = format!("{unread}: an API's definition is not read here, its routes are");
                scope.note(properties.resource, properties.line(unread), message);
            }
        }
        let logical_id = properties.resource.to_owned();
        let cors = cors(properties)?;
        let api = HttpApi { logical_id: logical_id.clone(), stage: "$default".to_owned(), cors, ..HttpApi::default() };
        apis.insert(logical_id, api);
        Ok(())
    })?;
    if apis.is_empty() {
        return Ok(());
    }
    each(scope, "Api", |properties| quick(properties, stack, &mut apis))?;
    each(scope, "Stage", |properties| {
        if let Some(api) = apis.get_mut(&properties.required("ApiId")?) {
            api.stage = properties.required("StageName")?;
            api.throttling = throttling::read(properties)?;
            api.stage_variables = authorizers::texts_by_name(properties, "StageVariables")?;
        }
        Ok(())
    })?;
    each(scope, "Authorizer", |properties| {
        if let Some(api) = apis.get_mut(&properties.required("ApiId")?) {
            api.authorizers.insert(properties.resource.to_owned(), authorizers::of_http(properties, stack)?);
        }
        Ok(())
    })?;
    let mut integrations = BTreeMap::new();
    each(scope, "Integration", |properties| {
        if apis.contains_key(&properties.required("ApiId")?) {
            let target = properties.text("IntegrationUri")?.unwrap_or_default();
            let timeout = properties.number("TimeoutInMillis", 50, MAX_TIMEOUT_MS)?.unwrap_or(MAX_TIMEOUT_MS);
            let timeout_ms = u64::try_from(timeout).unwrap_or(30_000);
            let integration = Integration { target, timeout_ms, payload: payload(properties)? };
            integrations.insert(properties.resource.to_owned(), integration);
        }
        Ok(())
    })?;
    each(scope, "Route", |properties| route(properties, stack, &integrations, &mut apis))?;
    stack.http_apis.extend(apis);
    Ok(())
}

/// `AWS::ApiGatewayV2::Integration`.
struct Integration {
    target: String,
    timeout_ms: u64,
    payload: PayloadFormat,
}

fn payload(properties: &Properties<'_, '_>) -> Result<PayloadFormat, TemplateError> {
    let Some(text) = properties.text("PayloadFormatVersion")? else { return Ok(PayloadFormat::default()) };
    let line = properties.line("PayloadFormatVersion");
    let wrong = || properties.error("PayloadFormatVersion", line, format!("1.0 or 2.0 was expected; \"{text}\" came"));
    PayloadFormat::parse(&text).ok_or_else(wrong)
}

/// Calls `read` with every resource of `AWS::ApiGatewayV2::<kind>` that is made.
fn each(
    scope: &Scope<'_>,
    kind: &str,
    mut read: impl FnMut(&Properties<'_, '_>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    for (logical_id, resource) in scope.root.get("Resources").map(Node::entries).unwrap_or_default() {
        let name = resource.get("Type").and_then(Node::text).and_then(|name| name.strip_prefix("AWS::ApiGatewayV2::"));
        if name != Some(kind) || !is_made(scope, logical_id, resource)? {
            continue;
        }
        let empty = Node::empty_map(resource.line);
        let node = resource.get("Properties").unwrap_or(&empty);
        read(&Properties { scope, resource: logical_id, prefix: "", node })?;
    }
    Ok(())
}

/// An API with a `Target` of its own: one route, integration and stage made of it.
fn quick(
    properties: &Properties<'_, '_>,
    stack: &Stack,
    apis: &mut BTreeMap<String, HttpApi>,
) -> Result<(), TemplateError> {
    let (Some(target), Some(api)) = (properties.text("Target")?, apis.get_mut(properties.resource)) else {
        return Ok(());
    };
    let Some(function) = function_of(stack, &target) else {
        let message = format!("Target leads to no function that runs here; \"{target}\" came");
        properties.scope.note(properties.resource, properties.line("Target"), message);
        return Ok(());
    };
    let key = properties.text("RouteKey")?.unwrap_or_else(|| "$default".to_owned());
    let (method, path) = route_key(properties, &key)?;
    api.routes.push(HttpRoute { method, path, function, timeout_ms: 30_000, ..HttpRoute::default() });
    Ok(())
}

fn route(
    properties: &Properties<'_, '_>,
    stack: &Stack,
    integrations: &BTreeMap<String, Integration>,
    apis: &mut BTreeMap<String, HttpApi>,
) -> Result<(), TemplateError> {
    let Some(api) = apis.get_mut(&properties.required("ApiId")?) else { return Ok(()) };
    let key = properties.required("RouteKey")?;
    let (method, path) = route_key(properties, &key)?;
    let authorizer = authorizer(properties, api)?;
    let target = properties.text("Target")?.unwrap_or_default();
    let integration = integrations.get(target.rsplit('/').next().unwrap_or_default());
    let found = integration.and_then(|integration| Some((function_of(stack, &integration.target)?, integration)));
    let Some((function, integration)) = found else {
        let message = format!("the route {key} leads to no function that runs here");
        properties.scope.note(properties.resource, properties.line("Target"), message);
        return Ok(());
    };
    if api.routes.iter().any(|route| route.path == path && route.method == method) {
        return Err(properties.error(
            "RouteKey",
            properties.line("RouteKey"),
            format!("{key} stands twice in its API"),
        ));
    }
    let Integration { timeout_ms, payload, .. } = *integration;
    let scopes = properties.texts("AuthorizationScopes")?.unwrap_or_default();
    api.routes.push(HttpRoute { method, path, function, timeout_ms, payload, authorizer, scopes });
    Ok(())
}

/// Which of the API's authorizers decides.
fn authorizer(properties: &Properties<'_, '_>, api: &HttpApi) -> Result<Option<String>, TemplateError> {
    match properties.text("AuthorizationType")?.as_deref() {
        None | Some("NONE") => Ok(None),
        Some("AWS_IAM") => {
            let line = properties.line("AuthorizationType");
            properties.scope.note(
                properties.resource,
                line,
                "AWS_IAM: signatures are not checked here, everybody may call",
            );
            Ok(None)
        }
        Some(_) => {
            let name = properties.required("AuthorizerId")?;
            if api.authorizers.contains_key(&name) {
                return Ok(Some(name));
            }
            let message = format!("an AWS::ApiGatewayV2::Authorizer of this API was expected; \"{name}\" came");
            Err(properties.error("AuthorizerId", properties.line("AuthorizerId"), message))
        }
    }
}

/// `GET /path` or `$default`, as method and path.
fn route_key(properties: &Properties<'_, '_>, key: &str) -> Result<(String, String), TemplateError> {
    let wrong = |message: String| properties.error("RouteKey", properties.line("RouteKey"), message);
    if key == "$default" {
        return Ok(("ANY".to_owned(), key.to_owned()));
    }
    let Some((method, path)) = key.split_once(' ') else {
        return Err(wrong(format!("a method and a path, or $default, were expected; \"{key}\" came")));
    };
    check_path(path).map_err(wrong)?;
    Ok((method_of(method).map_err(wrong)?, path.to_owned()))
}
