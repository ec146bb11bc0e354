//! How brokers are reached.

use rdkafka::ClientConfig;

use crate::error::StreamError;

/// Transport and authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// No TLS, no authentication: the local broker.
    #[default]
    Plaintext,
    /// TLS and SASL/OAUTHBEARER with a token signed by the function's role (MSK IAM). Needs the feature `msk-iam`.
    MskIam,
}

impl std::str::FromStr for Security {
    type Err = StreamError;

    fn from_str(name: &str) -> Result<Self, StreamError> {
        match name {
            "PLAINTEXT" => Ok(Self::Plaintext),
            "MSK_IAM" => Ok(Self::MskIam),
            other => Err(StreamError::Config(format!("KAFKA_SECURITY: expected PLAINTEXT or MSK_IAM, got {other:?}"))),
        }
    }
}

impl Security {
    /// Writes the settings into a client's configuration.
    ///
    /// # Errors
    /// `MskIam` in a build without the feature `msk-iam`.
    pub fn apply(self, config: &mut ClientConfig) -> Result<(), StreamError> {
        match self {
            Self::Plaintext => {
                config.set("security.protocol", "plaintext");
                Ok(())
            }
            Self::MskIam if cfg!(feature = "msk-iam") => {
                config.set("security.protocol", "sasl_ssl").set("sasl.mechanisms", "OAUTHBEARER");
                Ok(())
            }
            Self::MskIam => {
                Err(StreamError::Config("KAFKA_SECURITY=MSK_IAM needs a build with the feature msk-iam".into()))
            }
        }
    }
}
