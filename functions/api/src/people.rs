//! `DELETE /api/users/{userId}`: forgets a person: profile, list and subscriptions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use freshet_engine::Person;
use freshet_events::event::id_field;
use freshet_store::StoreError;
use serde_json::{Value, json};

use crate::context::{Context, now_ms};
use crate::error::ApiError;

/// How often a faster writer may get in between.
const ATTEMPTS: u32 = 10;

pub(crate) async fn forget(
    State(context): State<Arc<Context>>,
    Path(user_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let user_id = id_field("userId", Some(&Value::String(user_id)))?;
    forget_profile(&context, &user_id).await?;
    let sockets = context.store.sockets_of(&user_id).await?;
    let subscriptions: Vec<(&str, &str)> = sockets.iter().map(|socket| (user_id.as_str(), socket.as_str())).collect();
    context.store.unsubscribe_all(&subscriptions).await?;
    Ok(Json(json!({"success": true, "message": "Forgotten", "userId": user_id})))
}

/// Writes an empty profile over the old one, watermarks kept: a deleted document would be made anew, with what is forgotten,
/// from the records that are delivered again.
async fn forget_profile(context: &Context, user_id: &str) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut fetched = context.store.get::<Person>(&[user_id.to_owned()]).await?;
        let Some(mut stored) = fetched.found.remove(user_id) else { return Ok(()) };
        let now = now_ms();
        stored.value.forget(now.unsigned_abs());
        let put = context.store.put_of(user_id, &stored.value, stored.seen.take(), now);
        match context.store.put::<Person>(vec![put]).await.pop() {
            Some(Err(StoreError::Conflict { .. })) if attempt < ATTEMPTS => {}
            Some(Err(error)) => return Err(error),
            Some(Ok(())) | None => return Ok(()),
        }
    }
}
