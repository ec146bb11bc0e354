//! Lambda authorizers: what a function's answer says.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::policy::{Policy, Verdict};
use crate::functions::{Invoke, Outcome};
use crate::gateway::answer;

/// How long API Gateway waits for an authorizer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The error with which a function says that it does not know the caller.
const UNAUTHORIZED: &str = "Unauthorized";

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// `isAuthorized`.
    Simple { authorized: bool, context: Value },
    /// An IAM policy.
    Policy { principal: String, policy: Box<Policy>, context: Value },
}

/// Why there is no answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// The function said `Unauthorized`.
    Unauthorized,
    /// Anything else, with what went wrong.
    Failed(String),
}

/// Asks the function.
pub(crate) async fn ask(invoke: &dyn Invoke, function: &str, event: Bytes, simple: bool) -> Result<Answer, Failure> {
    match tokio::time::timeout(TIMEOUT, invoke.invoke(function, event)).await {
        Ok(Outcome::Response(answer)) => read(&answer, simple).map_err(Failure::Failed),
        Ok(Outcome::FunctionError(error)) if message(&error).as_deref() == Some(UNAUTHORIZED) => {
            Err(Failure::Unauthorized)
        }
        Ok(Outcome::FunctionError(error)) => Err(Failure::Failed(answer::words(&error))),
        Ok(Outcome::Throttled(reason)) => Err(Failure::Failed(reason)),
        Err(_) => Err(Failure::Failed(format!("no answer within {} s", TIMEOUT.as_secs()))),
    }
}

fn message(error: &[u8]) -> Option<String> {
    let error: Value = serde_json::from_slice(error).ok()?;
    error.get("errorMessage")?.as_str().map(str::to_owned)
}

/// Reads an answer.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(answer: &[u8], simple: bool) -> Result<Answer, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| format!("its answer is not JSON: {error}"))?;
    let Value::Object(mut answer) = answer else { return Err("its answer is no object".to_owned()) };
    let context = match answer.remove("context") {
        None | Some(Value::Null) => Value::Null,
        Some(context @ Value::Object(_)) => context,
        Some(_) => return Err("context: an object was expected".to_owned()),
    };
    if simple {
        let authorized = answer.get("isAuthorized").and_then(Value::as_bool);
        let authorized = authorized.ok_or("isAuthorized: true or false was expected")?;
        return Ok(Answer::Simple { authorized, context });
    }
    let principal = principal(&answer).ok_or("principalId: a text was expected")?;
    let policy = answer.remove("policyDocument").ok_or("policyDocument: a policy was expected; nothing came")?;
    let policy: Box<Policy> = serde_json::from_value(policy).map_err(|error| format!("policyDocument: {error}"))?;
    policy.check()?;
    Ok(Answer::Policy { principal, policy, context })
}

fn principal(answer: &Map<String, Value>) -> Option<String> {
    match answer.get("principalId")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Answer {
    /// Lets a request through, or says what it gets.
    pub(crate) fn verdict(&self, arn: &str) -> Verdict {
        match self {
            Self::Simple { authorized: true, .. } => Verdict::Allowed,
            Self::Simple { authorized: false, .. } => Verdict::NotAllowed,
            Self::Policy { policy, .. } => policy.verdict(arn),
        }
    }

    /// What is passed on to the route's function.
    pub(crate) fn context(&self) -> &Value {
        match self {
            Self::Simple { context, .. } | Self::Policy { context, .. } => context,
        }
    }

    /// The context with the principal, as formats before 2.0 have it.
    pub(crate) fn flat(&self) -> Map<String, Value> {
        let mut flat = self.context().as_object().cloned().unwrap_or_default();
        if let Self::Policy { principal, .. } = self {
            flat.insert("principalId".to_owned(), Value::from(principal.clone()));
        }
        flat
    }
}

impl Failure {
    /// What the client gets, in HTTP APIs.
    pub(crate) fn response(&self, authorizer: &str, function: &str) -> Response {
        match self {
            Self::Unauthorized => answer::message(StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Failed(error) => {
                tracing::warn!(authorizer, function, error, "an authorizer failed");
                answer::internal_server_error()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_simple_answer_says_yes_or_no() {
        for (authorized, verdict) in [(true, Verdict::Allowed), (false, Verdict::NotAllowed)] {
            let text = json!({"isAuthorized": authorized, "context": {"n": 1, "list": ["a"]}}).to_string();
            let answer = read(text.as_bytes(), true).unwrap();
            assert_eq!(answer.verdict("any"), verdict);
            assert_eq!(*answer.context(), json!({"n": 1, "list": ["a"]}), "as it came");
        }
    }

    #[test]
    fn an_answer_that_is_none_says_what_is_wrong() {
        let policy = json!({"Statement": []});
        for (answer, simple, words) in [
            ("yes".to_owned(), true, "not JSON"),
            ("[]".to_owned(), true, "no object"),
            (json!({"isAuthorized": "yes"}).to_string(), true, "isAuthorized"),
            (json!({"principalId": "p", "policyDocument": policy}).to_string(), true, "isAuthorized"),
            (json!({"isAuthorized": true}).to_string(), false, "principalId"),
            (json!({"principalId": "p"}).to_string(), false, "policyDocument"),
            (json!({"principalId": "p", "policyDocument": "Allow"}).to_string(), false, "policyDocument"),
            (json!({"policyDocument": policy}).to_string(), false, "principalId"),
            (json!({"isAuthorized": true, "context": []}).to_string(), true, "context"),
        ] {
            let said = read(answer.as_bytes(), simple).unwrap_err();
            assert!(said.contains(words), "{answer}: {said}");
        }
    }
}
