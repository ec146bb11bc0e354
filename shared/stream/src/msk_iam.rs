//! MSK's IAM authentication: a presigned request as an OAUTHBEARER token, good for 15 minutes.
//!
//! Source: the token of AWS's own signers, <https://github.com/aws/aws-msk-iam-sasl-signer-go>. librdkafka asks for a new one in time.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;

use crate::error::StreamError;
use crate::security::Security;

/// How long a token lives: the most that MSK takes.
const LIFETIME: Duration = Duration::from_mins(15);

/// Signs tokens with a role's credentials.
#[derive(Clone)]
pub struct Signer {
    region: String,
    credentials: Credentials,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads Lambda's own variables: region and the role's credentials.
    ///
    /// # Errors
    /// Names the one that is missing.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, StreamError> {
        let need = |name: &str| {
            let missing = || StreamError::Config(format!("the environment variable {name} is missing"));
            get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        let (key, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(key, secret, get("AWS_SESSION_TOKEN"), None, "environment");
        Ok(Self { region: need("AWS_REGION")?, credentials })
    }

    /// A token and when it ends, milliseconds since the epoch.
    fn token(&self, now: SystemTime) -> Result<(String, i64), Box<dyn Error>> {
        let url = format!("https://kafka.{}.amazonaws.com/?Action=kafka-cluster%3AConnect", self.region);
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LIFETIME);
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("kafka-cluster")
            .time(now)
            .settings(settings)
            .build()?
            .into();
        let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::get(&url).body(())?;
        instructions.apply_to_request_http1x(&mut request);
        let signed = format!("{}&User-Agent=freshet", request.uri());
        let ends = now.duration_since(UNIX_EPOCH)? + LIFETIME;
        Ok((base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signed), i64::try_from(ends.as_millis())?))
    }
}

/// What the Kafka client asks for when it needs a token.
#[derive(Debug, Clone)]
pub struct Context(pub(crate) Security);

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let Security::MskIam(signer) = &self.0 else { return Err("this client takes no token".into()) };
        let (token, lifetime_ms) = signer.token(SystemTime::now())?;
        Ok(OAuthToken { token, principal_name: "freshet".to_owned(), lifetime_ms })
    }
}

impl rdkafka::consumer::ConsumerContext for Context {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_presigned_request_for_the_cluster() {
        let given = |name: &str| {
            Some(match name {
                "AWS_REGION" => "eu-central-1".to_owned(),
                "AWS_SESSION_TOKEN" => "session".to_owned(),
                _ => "AKIDEXAMPLE".to_owned(),
            })
        };
        let at = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let (token, ends) = Signer::from_env(given).unwrap().token(at).unwrap();
        let url = String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
        assert!(url.starts_with("https://kafka.eu-central-1.amazonaws.com/?"), "{url}");
        for part in [
            "Action=kafka-cluster%3AConnect",
            "X-Amz-Expires=900",
            "X-Amz-Credential=AKIDEXAMPLE%2F20260921%2Feu-central-1%2Fkafka-cluster%2Faws4_request",
            "X-Amz-SignedHeaders=host",
            "X-Amz-Security-Token=session",
            "X-Amz-Signature=",
            "User-Agent=freshet",
        ] {
            assert!(url.contains(part), "{part} in {url}");
        }
        assert_eq!(ends, 1_790_000_900_000);
    }
}
