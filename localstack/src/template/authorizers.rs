//! `Auth` of HTTP APIs, of their events and of WebSocket APIs, and `AWS::ApiGatewayV2::Authorizer`.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapiauth.html>

use std::collections::BTreeMap;

use super::TemplateError;
use super::access::{Authorizer, IdentitySource, JwtAuthorizer, LambdaAuthorizer, PayloadFormat};
use super::function::function_of;
use super::model::{HttpApi, HttpRoute, Stack};
use super::properties::Properties;
use super::yaml::{Node, Value};

/// What API Gateway keeps a Lambda authorizer's answer for where nothing is said.
const DEFAULT_TTL_S: u32 = 300;
/// The longest it may be kept.
const MAX_TTL_S: i64 = 3_600;
/// Names of authorizers that are not among an API's own.
const NONE: &str = "NONE";
const AWS_IAM: &str = "AWS_IAM";

/// `Auth` of an HTTP API. The functions that it names are found by [`link`], once there are any.
pub(crate) fn of_api(properties: &Properties<'_, '_>, api: &mut HttpApi) -> Result<(), TemplateError> {
    let Some(node) = properties.get("Auth")? else { return Ok(()) };
    let auth = Properties { prefix: "Auth.", node: &node, ..*properties };
    for (name, node) in node.get("Authorizers").map(Node::entries).unwrap_or_default() {
        let prefix = format!("Auth.Authorizers.{name}.");
        let inner = Properties { prefix: &prefix, node, ..auth };
        api.authorizers.insert(name.clone(), authorizer(&inner)?);
    }
    if let Some(name) = auth.text("DefaultAuthorizer")? {
        api.default_authorizer = known(&auth, "DefaultAuthorizer", name, api)?;
    }
    Ok(())
}

/// `Auth` of an event: which authorizer decides, and the scopes it asks for.
pub(crate) fn of_route(
    properties: &Properties<'_, '_>,
    api: &HttpApi,
    route: &mut HttpRoute,
) -> Result<(), TemplateError> {
    let empty = Node::empty_map(properties.node.line);
    let node = properties.get("Auth")?.unwrap_or(empty);
    let prefix = format!("{}Auth.", properties.prefix);
    let auth = Properties { prefix: &prefix, node: &node, ..*properties };
    route.authorizer = match auth.text("Authorizer")? {
        Some(name) => known(&auth, "Authorizer", name, api)?,
        None => api.default_authorizer.clone(),
    };
    let own = auth.texts("AuthorizationScopes")?;
    route.scopes = own.unwrap_or_else(|| match route.authorizer.as_ref().and_then(|name| api.authorizers.get(name)) {
        Some(Authorizer::Jwt(jwt)) => jwt.scopes.clone(),
        _ => Vec::new(),
    });
    Ok(())
}

/// One of the API's authorizers, or none for `NONE`.
fn known(
    properties: &Properties<'_, '_>,
    property: &str,
    name: String,
    api: &HttpApi,
) -> Result<Option<String>, TemplateError> {
    if name == NONE {
        return Ok(None);
    }
    let line = properties.line(property);
    if name == AWS_IAM {
        properties.scope.note(
            properties.resource,
            line,
            "AWS_IAM: signatures are not checked here, everybody may call",
        );
        return Ok(None);
    }
    if api.authorizers.contains_key(&name) {
        return Ok(Some(name));
    }
    let known: Vec<&str> = api.authorizers.keys().map(String::as_str).chain([NONE, AWS_IAM]).collect();
    let message = format!("one of {} was expected; \"{name}\" came", known.join(", "));
    Err(properties.error(property, line, message))
}

fn authorizer(properties: &Properties<'_, '_>) -> Result<Authorizer, TemplateError> {
    let node = properties.node;
    if node.get("JwtConfiguration").is_some() {
        return jwt(properties, token_place(properties)?).map(Authorizer::Jwt);
    }
    if node.get("FunctionArn").is_some() {
        return lambda(properties).map(Authorizer::Lambda);
    }
    Err(properties.error("FunctionArn", node.line, "FunctionArn or JwtConfiguration was expected; neither came"))
}

fn lambda(properties: &Properties<'_, '_>) -> Result<LambdaAuthorizer, TemplateError> {
    let (payload, simple) = format(properties, "AuthorizerPayloadFormatVersion")?;
    let mut identity = Vec::new();
    let mut ttl_s = None;
    if let Some(node) = properties.get("Identity")? {
        let prefix = format!("{}Identity.", properties.prefix);
        let inner = Properties { prefix: &prefix, node: &node, ..*properties };
        let headers = inner.texts("Headers")?.unwrap_or_default();
        identity.extend(headers.iter().map(|name| IdentitySource::Header(name.to_ascii_lowercase())));
        identity.extend(inner.texts("QueryStrings")?.unwrap_or_default().into_iter().map(IdentitySource::QueryString));
        let variables = inner.texts("StageVariables")?.unwrap_or_default();
        identity.extend(variables.into_iter().map(IdentitySource::StageVariable));
        identity.extend(inner.texts("Context")?.unwrap_or_default().into_iter().map(IdentitySource::Context));
        ttl_s = ttl(&inner, "ReauthorizeEvery")?;
    }
    Ok(LambdaAuthorizer {
        function: properties.required("FunctionArn")?,
        payload,
        simple,
        ttl_s: kept(&identity, ttl_s),
        identity,
    })
}

/// Payload format and whether answers are simple.
fn format(properties: &Properties<'_, '_>, name: &str) -> Result<(PayloadFormat, bool), TemplateError> {
    let text = properties.required(name)?;
    let Some(payload) = PayloadFormat::parse(&text) else {
        let message = format!("1.0 or 2.0 was expected; \"{text}\" came");
        return Err(properties.error(name, properties.line(name), message));
    };
    let simple = properties.flag("EnableSimpleResponses")?.unwrap_or(false);
    if simple && payload == PayloadFormat::V1 {
        let line = properties.line("EnableSimpleResponses");
        return Err(properties.error("EnableSimpleResponses", line, format!("true came; it needs {name} 2.0")));
    }
    Ok((payload, simple))
}

fn ttl(properties: &Properties<'_, '_>, name: &str) -> Result<Option<u32>, TemplateError> {
    Ok(properties.number(name, 0, MAX_TTL_S)?.and_then(|seconds| u32::try_from(seconds).ok()))
}

/// Without identity sources there is no key to keep an answer by.
fn kept(identity: &[IdentitySource], ttl_s: Option<u32>) -> u32 {
    if identity.is_empty() { 0 } else { ttl_s.unwrap_or(DEFAULT_TTL_S) }
}

fn jwt(properties: &Properties<'_, '_>, identity: IdentitySource) -> Result<JwtAuthorizer, TemplateError> {
    let prefix = format!("{}JwtConfiguration.", properties.prefix);
    let empty = Node::empty_map(properties.node.line);
    let node = properties.get("JwtConfiguration")?.unwrap_or(empty);
    let inner = Properties { prefix: &prefix, node: &node, ..*properties };
    // SAM takes both spellings.
    let either = |low: &'static str, high: &'static str| if node.get(high).is_some() { high } else { low };
    let issuer = either("issuer", "Issuer");
    let url = inner.required(issuer)?;
    if !is_reachable(&url) {
        let message = format!("an https URL, or an http one on loopback, was expected; \"{url}\" came");
        return Err(inner.error(issuer, inner.line(issuer), message));
    }
    Ok(JwtAuthorizer {
        issuer: url,
        audience: inner.texts(either("audience", "Audience"))?.unwrap_or_default(),
        identity,
        scopes: properties.texts("AuthorizationScopes")?.unwrap_or_default(),
    })
}

/// SAM's `IdentitySource` of a JWT authorizer.
fn token_place(properties: &Properties<'_, '_>) -> Result<IdentitySource, TemplateError> {
    let Some(expression) = properties.text("IdentitySource")? else { return Ok(authorization_header()) };
    let line = properties.line("IdentitySource");
    IdentitySource::parse(&expression).ok_or_else(|| not_an_expression(properties, "IdentitySource", line, &expression))
}

fn authorization_header() -> IdentitySource {
    IdentitySource::Header("authorization".to_owned())
}

/// The authorizer of an HTTP API as `AWS::ApiGatewayV2::Authorizer`.
pub(crate) fn of_http(properties: &Properties<'_, '_>, stack: &Stack) -> Result<Authorizer, TemplateError> {
    let identity = expressions(properties)?;
    match properties.required("AuthorizerType")?.as_str() {
        "JWT" => {
            let place = identity.into_iter().next().unwrap_or_else(authorization_header);
            jwt(properties, place).map(Authorizer::Jwt)
        }
        "REQUEST" => {
            let (payload, simple) = format(properties, "AuthorizerPayloadFormatVersion")?;
            let target = properties.required("AuthorizerUri")?;
            Ok(Authorizer::Lambda(LambdaAuthorizer {
                function: linked(properties, &target, properties.line("AuthorizerUri"), stack),
                payload,
                simple,
                ttl_s: kept(&identity, ttl(properties, "AuthorizerResultTtlInSeconds")?),
                identity,
            }))
        }
        other => {
            let message = format!("JWT or REQUEST was expected; \"{other}\" came");
            Err(properties.error("AuthorizerType", properties.line("AuthorizerType"), message))
        }
    }
}

/// Keys that travel in the clear are good on loopback only.
pub(crate) fn is_reachable(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    }
}

fn not_an_expression(properties: &Properties<'_, '_>, name: &str, line: usize, came: &str) -> TemplateError {
    let expected = "$request.header.NAME, $request.querystring.NAME, $context.NAME or $stageVariables.NAME";
    properties.error(name, line, format!("{expected} was expected; \"{came}\" came"))
}

/// `IdentitySource` of raw CloudFormation: a list of expressions; `route.request…` in WebSocket APIs.
pub(crate) fn expressions(properties: &Properties<'_, '_>) -> Result<Vec<IdentitySource>, TemplateError> {
    let texts = properties.texts("IdentitySource")?.unwrap_or_default();
    let parsed = texts.iter().flat_map(|text| text.split(',')).map(|text| {
        let line = properties.line("IdentitySource");
        IdentitySource::parse(text).ok_or_else(|| not_an_expression(properties, "IdentitySource", line, text))
    });
    parsed.collect()
}

/// The authorizer of a WebSocket API, in SAM's `Auth` or as `AWS::ApiGatewayV2::Authorizer`; `target` names its function.
pub(crate) fn of_websocket(
    properties: &Properties<'_, '_>,
    target: &str,
    stack: &Stack,
) -> Result<LambdaAuthorizer, TemplateError> {
    let function = properties.required(target)?;
    Ok(LambdaAuthorizer {
        function: linked(properties, &function, properties.line(target), stack),
        // WebSocket APIs know of the format 1.0 alone, and keep no answers.
        payload: PayloadFormat::V1,
        simple: false,
        identity: expressions(properties)?,
        ttl_s: 0,
    })
}

fn linked(properties: &Properties<'_, '_>, target: &str, line: usize, stack: &Stack) -> String {
    function_of(stack, target).unwrap_or_else(|| {
        let message = "the authorizer's function does not run here; who needs its leave gets an error";
        properties.scope.note(properties.resource, line, message);
        target.to_owned()
    })
}

/// Puts the functions that run here in place of their ARNs.
pub(crate) fn link(properties: &Properties<'_, '_>, api: &str, stack: &mut Stack) {
    let Some(named) = stack.http_apis.get(api) else { return };
    let targets = named.authorizers.iter().filter_map(|(name, authorizer)| match authorizer {
        Authorizer::Lambda(lambda) => Some((name.clone(), lambda.function.clone())),
        Authorizer::Jwt(_) => None,
    });
    let targets: BTreeMap<String, String> = targets.collect();
    for (name, target) in targets {
        let function = linked(properties, &target, properties.line("Auth"), stack);
        let found = stack.http_apis.get_mut(api).and_then(|api| api.authorizers.get_mut(&name));
        if let Some(Authorizer::Lambda(lambda)) = found {
            lambda.function = function;
        }
    }
}

/// A map of texts, such as `StageVariables`.
pub(crate) fn texts_by_name(
    properties: &Properties<'_, '_>,
    name: &str,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(node) = properties.get(name)? else { return Ok(BTreeMap::new()) };
    let prefix = format!("{}{name}.", properties.prefix);
    let inner = Properties { prefix: &prefix, node: &node, ..*properties };
    let Value::Map(entries) = &node.value else {
        return Err(properties.error(name, node.line, format!("a mapping was expected; {} came", node.came())));
    };
    let texts = entries.iter().map(|(name, _)| Ok((name.clone(), inner.text(name)?.unwrap_or_default())));
    texts.collect()
}

#[cfg(test)]
mod tests;
