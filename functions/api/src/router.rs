//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use crate::context::Context;
use crate::error::ApiError;
use crate::{catalogue, companions, events, health, metrics, operations, people, recommendations, settings};

/// The API, as the template's routes call it.
pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .route("/api/events/track", post(events::track))
        .route("/api/events/track/batch", post(events::track_batch))
        .route("/api/recommendations/metrics/live", get(metrics::live))
        .route("/api/recommendations/{user_id}", get(recommendations::get))
        .route("/api/users/{user_id}", delete(people::forget))
        .route("/api/operations/events", get(operations::events))
        .route("/api/operations/dead-letters", get(operations::dead_letters))
        .route("/api/operations/dead-letters/replay", post(operations::replay))
        .route("/api/operations/dead-letters/drop", post(operations::drop_letter))
        .route("/api/products/{id}/similar", get(companions::similar))
        .route("/api/products/{id}/bought-together", get(companions::bought_together))
        .route("/api/popular", get(companions::popular))
        .route("/api/products", get(catalogue::list))
        .route("/api/products/import", post(catalogue::import))
        .route("/api/products/{id}", get(catalogue::get).put(catalogue::put))
        .route("/api/settings/strategies", get(settings::get).put(settings::put))
        .route("/api/health", get(health::get))
        .fallback(|| async { ApiError::NotFound("no such route".to_owned()) })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // Our own check answers with our own words.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(context))
}
