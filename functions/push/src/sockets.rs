//! The @connections API: a message to one socket.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The socket has it.
    Taken,
    /// There is no such socket any more (410).
    Gone,
    /// Past the client's own retries: why.
    Missed(String),
}

/// Reaches the open sockets.
pub(crate) struct Sockets {
    client: Client,
}

impl Sockets {
    /// Reads a function's environment. `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI`, the SDKs' own variable, wins over
    /// `WEBSOCKET_ENDPOINT`, the stage's address in the cloud.
    pub(crate) fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let need = |name: &str| given(name).ok_or_else(|| format!("the environment variable {name} is missing"));
        let endpoint =
            given("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI").map_or_else(|| need("WEBSOCKET_ENDPOINT"), Ok)?;
        let (key, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(key, secret, given("AWS_SESSION_TOKEN"), None, "environment");
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(need("AWS_REGION")?))
            .credentials_provider(credentials)
            .http_client(freshet_store::client::http_client(Some(&endpoint)))
            .endpoint_url(endpoint)
            .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .operation_attempt_timeout(Duration::from_secs(2))
                    .operation_timeout(Duration::from_secs(5))
                    .build(),
            );
        Ok(Self { client: Client::from_conf(config.build()) })
    }

    /// Sends a message.
    pub(crate) async fn send(&self, connection_id: &str, message: Vec<u8>) -> Sent {
        match self.client.post_to_connection().connection_id(connection_id).data(Blob::new(message)).send().await {
            Ok(_) => Sent::Taken,
            Err(error) if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) => Sent::Gone,
            Err(error) => Sent::Missed(DisplayErrorContext(error).to_string()),
        }
    }
}
