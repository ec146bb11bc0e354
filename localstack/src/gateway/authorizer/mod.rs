//! Who may call a route.
//!
//! | file | what |
//! |---|---|
//! | `lambda` | a function's answer: simple or a policy |
//! | `policy` | IAM policies |
//! | `cache` | answers kept by identity |
//! | `jwt` | tokens |
//! | `keys` | an issuer's public keys |

mod cache;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod lambda;
pub(crate) mod policy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::message;
use super::payload::{self, Call};
use crate::functions::Invoke;
use crate::template::model::{Authorizer, HttpApi, JwtAuthorizer, LambdaAuthorizer, PayloadFormat};
use cache::Cache;
use jwt::Token;
use keys::Keys;
use lambda::Answer;
use policy::Verdict;

/// The authorizers of an HTTP API, with what they have learnt.
pub(crate) struct Authorizers {
    by_name: BTreeMap<String, Known>,
}

enum Known {
    Lambda(LambdaAuthorizer, Cache<Arc<Answer>>),
    Jwt(JwtAuthorizer, Keys),
}

impl Authorizers {
    pub(crate) fn new(api: &HttpApi) -> Self {
        let known = api.authorizers.iter().map(|(name, authorizer)| {
            let known = match authorizer {
                Authorizer::Lambda(lambda) => {
                    Known::Lambda(lambda.clone(), Cache::new(Duration::from_secs(u64::from(lambda.ttl_s))))
                }
                Authorizer::Jwt(jwt) => Known::Jwt(jwt.clone(), Keys::new(jwt.issuer.clone())),
            };
            (name.clone(), known)
        });
        Self { by_name: known.collect() }
    }

    /// What `requestContext.authorizer` holds for the route's function; `None`: nobody decides about this route.
    ///
    /// # Errors
    /// What a caller gets who may not call.
    pub(crate) async fn decide(&self, call: &Call<'_>, invoke: &dyn Invoke) -> Result<Option<Value>, Response> {
        let Some(name) = &call.route.authorizer else { return Ok(None) };
        match self.by_name.get(name) {
            Some(Known::Lambda(lambda, cache)) => ask(name, lambda, cache, call, invoke).await.map(Some),
            Some(Known::Jwt(jwt, keys)) => check(jwt, keys, call).await.map(Some),
            // The template's reader lets no such name pass; a door without a keeper stays shut.
            None => Err(message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
        }
    }
}

async fn ask(
    name: &str,
    lambda: &LambdaAuthorizer,
    cache: &Cache<Arc<Answer>>,
    call: &Call<'_>,
    invoke: &dyn Invoke,
) -> Result<Value, Response> {
    let identity: Option<Vec<String>> = lambda.identity.iter().map(|source| call.identity(source)).collect();
    let Some(identity) = identity else { return Err(message(StatusCode::UNAUTHORIZED, "Unauthorized")) };
    let answer = match cache.get(&identity) {
        Some(answer) => answer,
        None => {
            let event = payload::of_authorizer(call, lambda.payload, &identity);
            let answer = lambda::ask(invoke, &lambda.function, event, lambda.simple).await;
            let answer = Arc::new(answer.map_err(|failure| failure.response(name, &lambda.function))?);
            cache.put(identity, Arc::clone(&answer));
            answer
        }
    };
    match answer.verdict(&call.arn()) {
        Verdict::Allowed => Ok(match call.route.payload {
            PayloadFormat::V1 => Value::Object(answer.flat()),
            PayloadFormat::V2 => json!({"lambda": answer.context()}),
        }),
        Verdict::Denied | Verdict::NotAllowed => Err(message(StatusCode::FORBIDDEN, "Forbidden")),
    }
}

async fn check(jwt: &JwtAuthorizer, keys: &Keys, call: &Call<'_>) -> Result<Value, Response> {
    let Some(text) = call.identity(&jwt.identity) else { return Err(unauthorized(None)) };
    let token = Token::read(&text).map_err(|what| unauthorized(Some(&what)))?;
    let key = keys.get(&token.key_id).await.map_err(|what| unauthorized(Some(what)))?;
    let key = key.ok_or_else(|| unauthorized(Some("the token was signed with a key that the issuer does not have")))?;
    if !token.is_signed_by(&key) {
        return Err(unauthorized(Some("the token's signature is invalid")));
    }
    token.check(jwt, call.arrival.at.unix_timestamp()).map_err(|what| unauthorized(Some(what)))?;
    let wanted = &call.route.scopes;
    let scopes = if wanted.is_empty() {
        None
    } else {
        let scopes = token.scopes(wanted);
        if scopes.is_empty() {
            return Err(insufficient(wanted));
        }
        Some(scopes)
    };
    let context = token.context(scopes.as_deref());
    Ok(match call.route.payload {
        PayloadFormat::V1 => context,
        PayloadFormat::V2 => json!({"jwt": context}),
    })
}

/// 401, with what is wrong with the token; `None`: there is none.
fn unauthorized(what: Option<&str>) -> Response {
    let challenge = match what {
        None => "Bearer".to_owned(),
        Some(what) => format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{what}\""),
    };
    challenged(StatusCode::UNAUTHORIZED, "Unauthorized", &challenge)
}

/// 403: the token is good, but not for this route.
fn insufficient(wanted: &[String]) -> Response {
    let scopes = wanted.join(" ");
    let what = "the token does not have any of the route's scopes";
    let challenge = format!("Bearer scope=\"{scopes}\" error=\"insufficient_scope\" error_description=\"{what}\"");
    challenged(StatusCode::FORBIDDEN, "Forbidden", &challenge)
}

fn challenged(status: StatusCode, text: &str, challenge: &str) -> Response {
    let mut response = message(status, text);
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
