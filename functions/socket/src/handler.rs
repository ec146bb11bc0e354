//! One event of a socket.
//!
//! What the function answers goes back to the socket by the route's response; posting to it from here would cost a second
//! way, and is not possible during `$connect`.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use freshet_events::Invalid;
use freshet_events::socket::{self, MAX_SUBSCRIPTIONS, SocketRequest};
use freshet_store::{Store, StoreError};
use freshet_telemetry::Event;
use serde_json::{Value, json};

/// The function's name in logs.
const FUNCTION: &str = "socket";

/// What API Gateway sends.
pub(crate) type Request = ApiGatewayWebsocketProxyRequest;

/// Why a message was not followed.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The client can mend it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// DynamoDB is away; the client may ask again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) async fn handle(store: &Store, request: Request, now_ms: i64) -> Value {
    let context = &request.request_context;
    let connection_id = context.connection_id.as_deref().unwrap_or_default();
    match context.event_type.as_deref() {
        Some("CONNECT") => json!({"statusCode": 200}),
        Some("DISCONNECT") => {
            // Best effort, as the event itself: the first list that finds the socket gone removes the rest.
            if let Err(error) = forget(store, connection_id, None).await {
                Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &error.to_string() }.emit();
            }
            json!({"statusCode": 200})
        }
        _ => {
            let text = if request.is_base64_encoded { None } else { request.body.as_deref() };
            answer(follow(store, connection_id, text.unwrap_or_default(), now_ms).await)
        }
    }
}

fn answer(followed: Result<Value, Error>) -> Value {
    let (status, body) = match followed {
        Ok(body) => (200, body),
        Err(Error::Invalid(why)) => {
            Event::Refused { function: FUNCTION, status: 400, error: &why.to_string() }.emit();
            (400, socket::refused(&why))
        }
        Err(Error::Store(error)) => {
            Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &error.to_string() }.emit();
            (503, json!({"type": "error", "error": "the store is not reachable at the moment"}))
        }
    };
    json!({"statusCode": status, "body": body.to_string()})
}

async fn follow(store: &Store, connection_id: &str, text: &str, now_ms: i64) -> Result<Value, Error> {
    match SocketRequest::parse(text)? {
        SocketRequest::Ping => Ok(socket::pong()),
        SocketRequest::Subscribe(user_id) => {
            let known = store.subscriptions_of(connection_id).await?;
            if known.len() >= MAX_SUBSCRIPTIONS && !known.contains(&user_id) {
                let expected = format!("at most {MAX_SUBSCRIPTIONS} persons a socket");
                return Err(Invalid::new("userId", expected, format!("one more: {user_id:?}")).into());
            }
            store.subscribe(&user_id, connection_id, now_ms).await?;
            Ok(socket::subscribed(&user_id))
        }
        SocketRequest::Unsubscribe(user_id) => {
            forget(store, connection_id, user_id.as_deref()).await?;
            Ok(socket::unsubscribed(user_id.as_deref()))
        }
    }
}

/// Ends the socket's subscription to a person, or to all.
async fn forget(store: &Store, connection_id: &str, user_id: Option<&str>) -> Result<(), StoreError> {
    let all;
    let users: Vec<&str> = match user_id {
        Some(user_id) => vec![user_id],
        None => {
            all = store.subscriptions_of(connection_id).await?;
            all.iter().map(String::as_str).collect()
        }
    };
    let subscriptions: Vec<(&str, &str)> = users.into_iter().map(|user_id| (user_id, connection_id)).collect();
    store.unsubscribe_all(&subscriptions).await
}
