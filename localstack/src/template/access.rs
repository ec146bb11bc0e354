//! Who may call an API and how often, as a template gives it: authorizers and throttling.

use std::collections::BTreeMap;

/// What decides who may call a route.
#[derive(Debug, Clone, PartialEq)]
pub enum Authorizer {
    /// A function is asked.
    Lambda(LambdaAuthorizer),
    /// A JSON Web Token is checked.
    Jwt(JwtAuthorizer),
}

/// A Lambda authorizer.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LambdaAuthorizer {
    /// Logical id of the function; where none of the template runs here, what the template names.
    pub function: String,
    /// `AuthorizerPayloadFormatVersion`.
    pub payload: PayloadFormat,
    /// `EnableSimpleResponses`: it answers `isAuthorized` instead of an IAM policy.
    pub simple: bool,
    /// What a request must carry before the function is asked; also the key of the cache.
    pub identity: Vec<IdentitySource>,
    /// Seconds an answer is kept (0–3600); 0: it is not.
    pub ttl_s: u32,
}

/// A JWT authorizer.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
#[derive(Debug, Clone, PartialEq)]
pub struct JwtAuthorizer {
    /// `Issuer`: https, or http on loopback.
    pub issuer: String,
    /// `Audience`: one of them must stand in the token.
    pub audience: Vec<String>,
    /// Where the token is.
    pub identity: IdentitySource,
    /// Scopes of routes that name none of their own; one of them must stand in the token.
    pub scopes: Vec<String>,
}

/// A place in a request that tells who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    /// `$request.header.NAME`, in lower case.
    Header(String),
    /// `$request.querystring.NAME`.
    QueryString(String),
    /// `$stageVariables.NAME`.
    StageVariable(String),
    /// `$context.NAME`.
    Context(String),
}

impl IdentitySource {
    /// Reads a selection expression, with `$` as in HTTP APIs or `route.` as in WebSocket APIs.
    pub fn parse(expression: &str) -> Option<Self> {
        let expression = expression.trim();
        let path = expression.strip_prefix('$').or_else(|| expression.strip_prefix("route.")).unwrap_or(expression);
        let named = |prefix: &str| path.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        named("request.header.")
            .map(|name| Self::Header(name.to_ascii_lowercase()))
            .or_else(|| named("request.querystring.").map(Self::QueryString))
            .or_else(|| named("stageVariables.").map(Self::StageVariable))
            .or_else(|| named("context.").map(Self::Context))
    }
}

/// The shape of an event: `PayloadFormatVersion`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PayloadFormat {
    /// `1.0`, as REST APIs have it.
    V1,
    /// `2.0`.
    #[default]
    V2,
}

impl PayloadFormat {
    /// Reads `1.0` or `2.0`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1),
            "2.0" => Some(Self::V2),
            _ => None,
        }
    }
}

/// How often a route may be called: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// `ThrottlingRateLimit`: requests a second in the long run.
    pub rate: f64,
    /// `ThrottlingBurstLimit`: requests at one moment.
    pub burst: u32,
}

/// The throttling of a stage; each route has a bucket of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throttling {
    /// `DefaultRouteSettings`.
    pub default: Option<Throttle>,
    /// `RouteSettings` by route key.
    pub routes: BTreeMap<String, Throttle>,
}

impl Throttling {
    /// What holds for a route.
    pub fn of(&self, route_key: &str) -> Option<Throttle> {
        self.routes.get(route_key).copied().or(self.default)
    }
}
