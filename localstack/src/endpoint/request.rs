//! One signed request. Queues, secrets and parameters speak AWS's JSON protocols, topics the query protocol, buckets REST.
//!
//! Sources: <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html> and its neighbours.

use std::time::SystemTime;

use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use serde_json::Value;

use super::{ANSWER, Endpoint};
use crate::account::REGION;

/// Why a request was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// Answered, with AWS's code and message.
    #[error("{code}: {message}")]
    Refused { status: u16, code: String, message: String },
    /// Not answered.
    #[error("{0}")]
    Unreachable(String),
}

impl CallError {
    /// Would another try end in the same way?
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                *status < 500 && *status != 429 && !code.contains("Throttl") && !code.contains("LimitExceeded")
            }
            Self::Unreachable(_) => false,
        }
    }

    /// Is it of this code? Services put a shape's name or an older code of the query protocol there.
    pub(crate) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.contains(expected))
    }
}

/// What is asked of which service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The service's name in signatures.
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    /// With the leading slash.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl Endpoint {
    /// Calls an operation of SQS.
    pub(crate) async fn sqs(&self, operation: &str, input: &Value) -> Result<Value, CallError> {
        self.json("sqs", "1.0", &format!("AmazonSQS.{operation}"), input).await
    }

    /// Calls an operation of Secrets Manager.
    pub(super) async fn secrets_manager(&self, operation: &str, input: &Value) -> Result<Value, CallError> {
        self.json("secretsmanager", "1.1", &format!("secretsmanager.{operation}"), input).await
    }

    /// Calls an operation of Systems Manager.
    pub(super) async fn ssm(&self, operation: &str, input: &Value) -> Result<Value, CallError> {
        self.json("ssm", "1.1", &format!("AmazonSSM.{operation}"), input).await
    }

    async fn json(&self, service: &str, version: &str, target: &str, input: &Value) -> Result<Value, CallError> {
        let kind = format!("application/x-amz-json-{version}");
        let headers = [("content-type", kind.as_str()), ("x-amz-target", target)];
        let call = Call { service, method: "POST", path: "/", headers: &headers };
        let answer = self.call(call, input.to_string().into_bytes()).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).map_err(|_| CallError::Unreachable(foreign(&answer)))
    }

    /// Sends a signed request and gives the body of a good answer.
    pub(crate) async fn call(&self, call: Call<'_>, body: Vec<u8>) -> Result<Bytes, CallError> {
        let failed = |error: &dyn std::fmt::Display| CallError::Unreachable(error.to_string());
        let request = self.signed(call, body).map_err(|error| failed(&error))?;
        let answer = tokio::time::timeout(ANSWER, async {
            let answer = self.connector.call(request).await.map_err(|error| {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                CallError::Unreachable(source.unwrap_or_else(|| error.to_string()))
            })?;
            let status = answer.status().as_u16();
            let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| failed(&error))?;
            Ok((status, body.into_bytes()))
        });
        let (status, body) = answer.await.map_err(|_| CallError::Unreachable("no answer in time".to_owned()))??;
        if (200..300).contains(&status) { Ok(body) } else { Err(refusal(status, &body)) }
    }

    fn signed(&self, call: Call<'_>, body: Vec<u8>) -> Result<HttpRequest, Box<dyn std::error::Error>> {
        let url = format!("{}{}", self.url, call.path);
        let mut settings = SigningSettings::default();
        if call.service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(call.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let headers = call.headers.iter().copied();
        let signable = SignableRequest::new(call.method, &url, headers.clone(), SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::builder().method(call.method).uri(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(SdkBody::from(body))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(HttpRequest::try_from(request)?)
    }
}

/// `{"__type": "…#Code", "message": …}`, or XML with `<Code>` and `<Message>`.
fn refusal(status: u16, body: &[u8]) -> CallError {
    let text = String::from_utf8_lossy(body);
    let (code, message) = match serde_json::from_slice::<Value>(body) {
        Ok(answer) => {
            let code = answer["__type"].as_str().unwrap_or_default();
            let message = answer["message"].as_str().or_else(|| answer["Message"].as_str()).unwrap_or_default();
            (code.rsplit('#').next().unwrap_or_default().to_owned(), message.to_owned())
        }
        Err(_) => (element(&text, "Code"), element(&text, "Message")),
    };
    let code = if code.is_empty() { format!("HTTP {status}") } else { code };
    let message = if message.is_empty() { foreign(body) } else { message };
    CallError::Refused { status, code, message }
}

fn element(xml: &str, name: &str) -> String {
    let inner = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    inner.map_or_else(String::new, |(inner, _)| inner.to_owned())
}

/// The beginning of an answer that is not AWS's.
fn foreign(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
    format!("it answered: {}", if text.is_empty() { "nothing" } else { &text })
}

#[cfg(test)]
mod tests {
    use super::{CallError, refusal};

    #[test]
    fn refusals_of_all_protocols_are_read() {
        let json = br#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}"#;
        let xml = b"<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>";
        for (body, code, message) in [
            (json.as_slice(), "QueueDoesNotExist", "no such queue"),
            (xml.as_slice(), "NoSuchBucket", "no such bucket"),
            (b"Bad Gateway".as_slice(), "HTTP 404", "it answered: Bad Gateway"),
        ] {
            let error = refusal(404, body);
            assert_eq!(error.to_string(), format!("{code}: {message}"));
            assert!(error.is_final() && error.is(code));
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        assert!(!refusal(503, b"").is_final());
        assert!(!refusal(400, br#"{"__type":"ThrottlingException"}"#).is_final());
        assert!(!CallError::Unreachable("refused".to_owned()).is_final());
    }
}
