//! `/api/settings/strategies`: how persons are split over strategies.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use freshet_engine::Strategy;
use freshet_events::Invalid;
use freshet_events::invalid::describe;
use freshet_store::board::StrategySettings;
use serde_json::{Value, json};

use crate::admin;
use crate::context::Context;
use crate::error::{ApiError, json_body};

/// Longest salt, in bytes.
const MAX_SALT_BYTES: usize = 128;

pub(crate) async fn get(State(context): State<Arc<Context>>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"success": true, "data": context.store.strategy_settings().await?})))
}

pub(crate) async fn put(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    admin::check(&context, &headers)?;
    let settings = parse(&json_body(&body)?)?;
    context.store.put_strategy_settings(&settings).await?;
    context.split.expire();
    Ok(Json(json!({"success": true, "data": settings})))
}

fn parse(body: &Value) -> Result<StrategySettings, Invalid> {
    let salt = match body.get("salt") {
        None | Some(Value::Null) => StrategySettings::default().salt,
        Some(Value::String(salt)) if salt.len() <= MAX_SALT_BYTES => salt.clone(),
        other => return Err(Invalid::value("salt", format!("a text of at most {MAX_SALT_BYTES} bytes"), other)),
    };
    let expected = "an object such as {\"collaborative\": 50, \"hybrid\": 50}";
    let given = body.get("shares").and_then(Value::as_object);
    let given = given.ok_or_else(|| Invalid::value("shares", expected, body.get("shares")))?;
    let mut shares = std::collections::BTreeMap::new();
    for (name, share) in given {
        if name.parse::<Strategy>().is_err() {
            return Err(Invalid::new("shares", "the names collaborative, content_based, hybrid", format!("{name:?}")));
        }
        let field = format!("shares.{name}");
        let number = share.as_u64().and_then(|share| u32::try_from(share).ok()).filter(|share| *share <= 1_000_000);
        let number = number.ok_or_else(|| Invalid::new(&field, "a whole number from 0 to 1000000", describe(share)))?;
        shares.insert(name.clone(), number);
    }
    if shares.values().all(|share| *share == 0) {
        return Err(Invalid::value("shares", "at least one share above 0", body.get("shares")));
    }
    Ok(StrategySettings { salt, shares })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_without_anybody_is_refused_by_name() {
        for (body, field) in [
            (json!({}), "shares"),
            (json!({"shares": {"hybrid": 0}}), "shares"),
            (json!({"shares": {"magic": 1}}), "shares"),
            (json!({"shares": {"hybrid": -1}}), "shares.hybrid"),
            (json!({"salt": 5, "shares": {"hybrid": 1}}), "salt"),
        ] {
            assert_eq!(parse(&body).unwrap_err().field, field);
        }
        assert_eq!(parse(&json!({"shares": {"hybrid": 1, "collaborative": 1}})).unwrap().shares.len(), 2);
    }
}
