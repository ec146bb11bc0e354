//! WebSocket APIs: `AWS::ApiGatewayV2::Api` with its routes, integrations, answers and stage, and SAM's
//! `AWS::Serverless::WebSocketApi`, which stands for all of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::TemplateError;
use super::authorizers;
use super::function::function_of;
use super::globals::merge;
use super::intrinsics::{Place, Scope};
use super::model::{LambdaAuthorizer, Stack, Throttling, WebSocketApi, WebSocketRoute};
use super::properties::Properties;
use super::resources::is_made;
use super::throttling;
use super::yaml::Node;

/// The longest an integration of a WebSocket API may take, milliseconds.
const MAX_TIMEOUT_MS: i64 = 29_000;
/// The only selection expression that API Gateway knows of for route responses.
const DEFAULT_ANSWER: &str = "$default";

/// Adds the WebSocket APIs to the stack, after its functions.
pub(crate) fn read(scope: &Scope<'_>, stack: &mut Stack) -> Result<(), TemplateError> {
    let resources = scope.root.get("Resources").map(Node::entries).unwrap_or_default();
    let mut parts = Parts::default();
    for (logical_id, resource) in resources {
        let kind = resource.get("Type").and_then(Node::text).unwrap_or_default();
        let is_ours = kind.starts_with("AWS::ApiGatewayV2::") || kind == "AWS::Serverless::WebSocketApi";
        if !is_ours || !is_made(scope, logical_id, resource)? {
            continue;
        }
        let empty = Node::empty_map(resource.line);
        let own = resource.get("Properties").unwrap_or(&empty);
        let properties = Properties { scope, resource: logical_id, prefix: "", node: own };
        match kind {
            "AWS::ApiGatewayV2::Api" => api(&properties, stack)?,
            "AWS::ApiGatewayV2::Stage" => parts.stage(&properties)?,
            "AWS::ApiGatewayV2::Integration" => parts.integration(&properties)?,
            "AWS::ApiGatewayV2::Route" => parts.route(&properties)?,
            "AWS::ApiGatewayV2::Authorizer" => parts.authorizer(&properties, stack)?,
            "AWS::ApiGatewayV2::RouteResponse" => parts.answering.push(properties.required("RouteId")?),
            "AWS::Serverless::WebSocketApi" => {
                let global = scope.root.get("Globals").and_then(|globals| globals.get("WebSocketApi"));
                let node = merge(global, own);
                serverless(&Properties { node: &node, ..properties }, stack)?;
            }
            _ => {}
        }
    }
    parts.into_stack(scope, stack)
}

fn api(properties: &Properties<'_, '_>, stack: &mut Stack) -> Result<(), TemplateError> {
    // HTTP APIs are read next door.
    if properties.text("ProtocolType")?.as_deref() != Some("WEBSOCKET") {
        return Ok(());
    }
    stack.websocket_apis.insert(properties.resource.to_owned(), described(properties, "$default")?);
    Ok(())
}

fn described(properties: &Properties<'_, '_>, stage: &str) -> Result<WebSocketApi, TemplateError> {
    Ok(WebSocketApi {
        logical_id: properties.resource.to_owned(),
        stage: stage.to_owned(),
        action: selection(properties)?,
        ..WebSocketApi::default()
    })
}

/// `$request.body.action` names the field of a message that chooses its route.
fn selection(properties: &Properties<'_, '_>) -> Result<Vec<String>, TemplateError> {
    let expression = properties.required("RouteSelectionExpression")?;
    let path = expression.trim_start_matches("${").trim_end_matches('}').trim_start_matches('$');
    let fields = path.strip_prefix("request.body.").filter(|fields| !fields.contains(['$', '{', '[', '*', ' ']));
    fields.map(|fields| fields.split('.').map(str::to_owned).collect()).ok_or_else(|| {
        let line = properties.line("RouteSelectionExpression");
        let message = format!("a path such as $request.body.action was expected; \"{expression}\" came");
        properties.error("RouteSelectionExpression", line, message)
    })
}

fn serverless(properties: &Properties<'_, '_>, stack: &mut Stack) -> Result<(), TemplateError> {
    let stage = properties.text("StageName")?.unwrap_or_else(|| "default".to_owned());
    let mut api = described(properties, &stage)?;
    api.throttling = throttling::read(properties)?;
    api.stage_variables = authorizers::texts_by_name(properties, "StageVariables")?;
    api.authorizer = sam_auth(properties, stack)?;
    if properties.node.get("Domain").is_some() {
        properties.scope.note(properties.resource, properties.line("Domain"), "Domain is not read here");
    }
    for (key, route) in properties.node.get("Routes").map(Node::entries).unwrap_or_default() {
        let prefix = format!("Routes.{key}.");
        let inner = Properties { prefix: &prefix, node: route, ..*properties };
        let target = inner.required("FunctionArn")?;
        let Some(function) = function_of(stack, &target) else {
            let message = format!("the route {key} leads to no function that runs here; \"{target}\" came");
            inner.scope.note(inner.resource, inner.line("FunctionArn"), message);
            continue;
        };
        api.routes.push(WebSocketRoute {
            key: key.clone(),
            function,
            answers: inner.text("RouteResponseSelectionExpression")?.as_deref() == Some(DEFAULT_ANSWER),
            timeout_ms: timeout_ms(&inner, "IntegrationTimeout")?,
        });
    }
    stack.websocket_apis.insert(properties.resource.to_owned(), api);
    Ok(())
}

/// SAM's `Auth`: `AuthType: CUSTOM` asks the function `AuthArn` at `$connect`.
fn sam_auth(properties: &Properties<'_, '_>, stack: &Stack) -> Result<Option<LambdaAuthorizer>, TemplateError> {
    let Some(node) = properties.get("Auth")? else { return Ok(None) };
    let auth = Properties { prefix: "Auth.", node: &node, ..*properties };
    match auth.required("AuthType")?.as_str() {
        "CUSTOM" => authorizers::of_websocket(&auth, "AuthArn", stack).map(Some),
        kind => {
            not_checked(&auth, "AuthType", kind)?;
            Ok(None)
        }
    }
}

/// Notes an authorization that lets everybody in here; refuses what API Gateway does not know of.
fn not_checked(properties: &Properties<'_, '_>, name: &str, kind: &str) -> Result<(), TemplateError> {
    let line = properties.line(name);
    match kind {
        "NONE" => {}
        "AWS_IAM" => properties.scope.note(
            properties.resource,
            line,
            "AWS_IAM: signatures are not checked here, everybody may connect",
        ),
        other => {
            let message = format!("NONE, AWS_IAM or CUSTOM was expected; \"{other}\" came");
            return Err(properties.error(name, line, message));
        }
    }
    Ok(())
}

fn timeout_ms(properties: &Properties<'_, '_>, name: &str) -> Result<u64, TemplateError> {
    let given = properties.number(name, 50, MAX_TIMEOUT_MS)?.unwrap_or(MAX_TIMEOUT_MS);
    Ok(u64::try_from(given).unwrap_or(29_000))
}

/// What stands in resources of its own, until all of it was seen.
#[derive(Default)]
struct Parts {
    /// Stage by API.
    stages: BTreeMap<String, Stage>,
    /// Authorizers by their resource.
    authorizers: BTreeMap<String, LambdaAuthorizer>,
    /// Which of them lets into an API: that of its `$connect`.
    doors: BTreeMap<String, (String, usize, String)>,
    /// Target and time by integration.
    integrations: BTreeMap<String, (String, u64)>,
    /// Route's resource, line, API, key, integration, and whether it selects an answer.
    routes: Vec<(String, usize, String, String, String, bool)>,
    /// Routes' resources that have a response.
    answering: Vec<String>,
}

/// A stage, as far as it is read.
struct Stage {
    name: String,
    throttling: Throttling,
    variables: BTreeMap<String, String>,
}

impl Parts {
    fn stage(&mut self, properties: &Properties<'_, '_>) -> Result<(), TemplateError> {
        let api = properties.required("ApiId")?;
        match self.stages.entry(api) {
            Entry::Occupied(_) => {
                let message = "one stage of an API is served here";
                properties.scope.note(properties.resource, properties.node.line, message);
            }
            Entry::Vacant(place) => {
                place.insert(Stage {
                    name: properties.required("StageName")?,
                    throttling: throttling::read(properties)?,
                    variables: authorizers::texts_by_name(properties, "StageVariables")?,
                });
            }
        }
        Ok(())
    }

    fn integration(&mut self, properties: &Properties<'_, '_>) -> Result<(), TemplateError> {
        let target = properties.text("IntegrationUri")?.unwrap_or_default();
        let timeout = timeout_ms(properties, "TimeoutInMillis")?;
        self.integrations.insert(properties.resource.to_owned(), (target, timeout));
        Ok(())
    }

    /// REQUEST authorizers; JWT ones belong to HTTP APIs.
    fn authorizer(&mut self, properties: &Properties<'_, '_>, stack: &Stack) -> Result<(), TemplateError> {
        if properties.required("AuthorizerType")? == "REQUEST" {
            let authorizer = authorizers::of_websocket(properties, "AuthorizerUri", stack)?;
            self.authorizers.insert(properties.resource.to_owned(), authorizer);
        }
        Ok(())
    }

    fn route(&mut self, properties: &Properties<'_, '_>) -> Result<(), TemplateError> {
        let (api, key) = (properties.required("ApiId")?, properties.required("RouteKey")?);
        let target = properties.text("Target")?.unwrap_or_default();
        let integration = target.rsplit('/').next().unwrap_or_default().to_owned();
        let selects = properties.text("RouteResponseSelectionExpression")?.as_deref() == Some(DEFAULT_ANSWER);
        let resource = properties.resource.to_owned();
        match properties.text("AuthorizationType")?.as_deref() {
            None => {}
            Some("CUSTOM") if key == "$connect" => {
                let authorizer = properties.required("AuthorizerId")?;
                self.doors.insert(api.clone(), (resource.clone(), properties.line("AuthorizerId"), authorizer));
            }
            // API Gateway asks at $connect alone.
            Some("CUSTOM") => {
                let line = properties.line("AuthorizationType");
                let message = "CUSTOM came; an authorizer stands at $connect alone";
                return Err(properties.error("AuthorizationType", line, message));
            }
            Some(kind) => not_checked(properties, "AuthorizationType", kind)?,
        }
        self.routes.push((resource, properties.node.line, api, key, integration, selects));
        Ok(())
    }

    fn into_stack(mut self, scope: &Scope<'_>, stack: &mut Stack) -> Result<(), TemplateError> {
        for (api, stage) in self.stages {
            if let Some(api) = stack.websocket_apis.get_mut(&api) {
                api.stage = stage.name;
                api.throttling = stage.throttling;
                api.stage_variables = stage.variables;
            }
        }
        for (api, (route, line, authorizer)) in self.doors {
            let Some(api) = stack.websocket_apis.get_mut(&api) else { continue };
            let Some(found) = self.authorizers.remove(&authorizer) else {
                let place = Place { resource: &route, property: "AuthorizerId" };
                let message =
                    format!("an AWS::ApiGatewayV2::Authorizer of type REQUEST was expected; \"{authorizer}\" came");
                return Err(place.error(line, message));
            };
            api.authorizer = Some(found);
        }
        for (resource, line, api, key, integration, selects) in self.routes {
            if !stack.websocket_apis.contains_key(&api) {
                continue;
            }
            let found = self.integrations.get(&integration);
            let Some((function, timeout_ms)) =
                found.and_then(|(target, timeout_ms)| Some((function_of(stack, target)?, *timeout_ms)))
            else {
                scope.note(&resource, line, format!("the route {key} leads to no function that runs here"));
                continue;
            };
            let Some(api) = stack.websocket_apis.get_mut(&api) else { continue };
            let answers = selects && self.answering.contains(&resource);
            api.routes.push(WebSocketRoute { key, function, answers, timeout_ms });
        }
        Ok(())
    }
}
