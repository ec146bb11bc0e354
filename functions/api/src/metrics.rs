//! `GET /api/recommendations/metrics/live`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use freshet_events::iso8601;
use freshet_store::StoreError;
use freshet_store::live::{Live, StrategyFigures};
use freshet_stream::groups::{self, GroupState};
use serde_json::{Value, json};

use crate::context::{Context, now_ms};
use crate::error::ApiError;

/// How long Kafka may take to tell of one group.
const DEADLINE: Duration = Duration::from_secs(2);

pub(crate) async fn live(State(context): State<Arc<Context>>) -> Result<Json<Value>, ApiError> {
    let now = now_ms();
    let (live, consumers) = tokio::try_join!(context.store.live(), consumers(&context, now))?;
    Ok(Json(json!({"success": true, "data": data(&live, &consumers, now)})))
}

/// The consumers' state; a group that can't be read says so in its state.
async fn consumers(context: &Context, now: i64) -> Result<Arc<Vec<GroupState>>, StoreError> {
    let read = |_| async {
        let (kafka, asked) = (context.kafka.clone(), context.groups.clone());
        let states = move || {
            asked
                .iter()
                .map(|group| {
                    groups::read(&kafka, group, DEADLINE).unwrap_or_else(|error| GroupState {
                        group: group.group.clone(),
                        topic: group.topic.clone(),
                        state: error.to_string(),
                        lag: -1,
                        partitions: Vec::new(),
                    })
                })
                .collect()
        };
        Ok(Arc::new(tokio::task::spawn_blocking(states).await.unwrap_or_default()))
    };
    context.consumers.get(now, read).await
}

fn data(live: &Live, consumers: &[GroupState], now: i64) -> Value {
    let recent = live.recent(now);
    let strategies: serde_json::Map<String, Value> =
        live.by_strategy.iter().map(|(name, figures)| (name.clone(), strategy(figures))).collect();
    json!({
        "eventsPerSecond": live.events_per_second(now),
        "meanProcessingMs": recent.mean_ms(),
        "p99ProcessingMs": recent.quantile_ms(0.99),
        "precision": live.total.precision(),
        "recentPrecision": recent.precision(),
        "totalEvents": live.total.events,
        "deadLetters": live.total.dead,
        "byType": live.by_type,
        "strategies": strategies,
        "consumers": consumers,
        "lag": consumers.iter().map(|group| group.lag.max(0)).sum::<i64>(),
        "lastUpdate": (live.last_update_ms > 0).then(|| iso8601(live.last_update_ms)),
    })
}

fn strategy(figures: &StrategyFigures) -> Value {
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    json!({
        "events": figures.events,
        "choices": figures.choices,
        "hits": figures.hits,
        "precision": share(figures.hits, figures.choices),
        "clicks": figures.clicks,
        "exposures": figures.exposures,
        "clickRate": share(figures.clicks, figures.exposures),
    })
}
