//! How brokers are reached.

use rdkafka::ClientConfig;

use crate::error::StreamError;
use crate::msk_iam::Signer;

/// Transport and authentication.
#[derive(Debug, Clone, Default)]
pub enum Security {
    /// No TLS, no authentication: the local broker.
    #[default]
    Plaintext,
    /// librdkafka's own settings, for tools: TLS with another authority, SASL with a password.
    Settings(Vec<(String, String)>),
    /// TLS and SASL/OAUTHBEARER with a token signed by the function's role (MSK IAM). Needs the feature `msk-iam`.
    MskIam(Signer),
}

impl Security {
    /// Reads `KAFKA_SECURITY` (`PLAINTEXT`, the default, or `MSK_IAM`) and, for the latter, the role's credentials.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, StreamError> {
        match get("KAFKA_SECURITY").as_deref() {
            None | Some("PLAINTEXT") => Ok(Self::Plaintext),
            Some("MSK_IAM") => Signer::from_env(get).map(Self::MskIam),
            Some(other) => {
                Err(StreamError::Config(format!("KAFKA_SECURITY: expected PLAINTEXT or MSK_IAM, got {other:?}")))
            }
        }
    }

    /// Writes the settings into a client's configuration.
    ///
    /// # Errors
    /// MSK IAM in a build without TLS.
    pub(crate) fn apply(&self, config: &mut ClientConfig) -> Result<(), StreamError> {
        match self {
            Self::Plaintext => {
                config.set("security.protocol", "plaintext");
                Ok(())
            }
            Self::Settings(settings) => {
                config.extend(settings.iter().cloned());
                Ok(())
            }
            Self::MskIam(_) if cfg!(feature = "msk-iam") => {
                config.set("security.protocol", "sasl_ssl").set("sasl.mechanisms", "OAUTHBEARER");
                Ok(())
            }
            Self::MskIam(_) => {
                Err(StreamError::Config("KAFKA_SECURITY=MSK_IAM needs a build with the feature msk-iam".into()))
            }
        }
    }
}
