//! `GET /api/products/{id}/similar` and `…/bought-together`: what goes with a product. `GET /api/popular`: what most want.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use freshet_engine::{Item, ItemId, ListEntry, Recommendation, Window};
use freshet_events::event::id_field;
use freshet_events::list::DEFAULT_LIST_ITEMS;
use freshet_events::{Invalid, iso8601};
use freshet_store::catalogue::Snapshot;
use serde_json::{Value, json};

use crate::catalogue::number;
use crate::context::{Context, now_ms};
use crate::error::ApiError;

/// Items at the most.
const MAX_LIMIT: usize = 50;

/// `?category=&window=&limit=`.
pub(crate) async fn popular(
    State(context): State<Arc<Context>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let now_ms = now_ms();
    let limit = number(&query, "limit", DEFAULT_LIST_ITEMS, 1..=MAX_LIMIT)?;
    let category = query.get("category").filter(|name| !name.is_empty());
    let window = match query.get("window").map_or("month", String::as_str) {
        "day" => Window::Day,
        "month" => Window::Month,
        other => return Err(Invalid::new("window", "day or month", format!("{other:?}")).into()),
    };
    let (popularity, catalogue) =
        tokio::try_join!(context.popularity(now_ms), context.catalogue.get(&context.store, now_ms))?;
    let category_name = category.map(String::as_str);
    let list = context.engine.popular(&popularity, &catalogue.index, category_name, window, limit);
    let data: Vec<_> = list.into_iter().map(|item| catalogue.present(&ListEntry::from(item))).collect();
    let metadata = json!({
        "generatedAt": iso8601(now_ms),
        "count": data.len(),
        "algorithm": "popular",
        "category": category,
        "window": if window == Window::Day { "day" } else { "month" },
    });
    Ok(Json(json!({"success": true, "data": data, "metadata": metadata})))
}

/// What both lists of a product are made from.
struct Product {
    id: ItemId,
    model: Option<Item>,
    catalogue: Arc<Snapshot>,
    limit: usize,
    now_ms: i64,
}

pub(crate) async fn similar(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let product = Product::read(&context, id, &query).await?;
    let list = context.engine.similar(&product.id, &product.catalogue.index, product.limit);
    Ok(product.shown(list, "similar"))
}

pub(crate) async fn bought_together(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let product = Product::read(&context, id, &query).await?;
    let list = product
        .model
        .as_ref()
        .map(|model| context.engine.wanted_together(&product.id, model, &product.catalogue.index, product.limit));
    Ok(product.shown(list.unwrap_or_default(), "bought_together"))
}

impl Product {
    /// One that the catalogue or the stream knows.
    async fn read(context: &Context, id: String, query: &HashMap<String, String>) -> Result<Self, ApiError> {
        let id = id_field("id", Some(&Value::String(id)))?;
        let limit = number(query, "limit", DEFAULT_LIST_ITEMS, 1..=MAX_LIMIT)?;
        let now_ms = now_ms();
        let ids = [id.clone()];
        let (models, catalogue) =
            tokio::try_join!(context.store.glance::<Item>(&ids), context.catalogue.get(&context.store, now_ms))?;
        let mut found = models.found;
        let model = found.remove(&id).map(|stored| stored.value);
        if model.is_none() && !catalogue.products.contains_key(&id) {
            return Err(ApiError::NotFound(format!("id: nothing is known of a product {id:?}")));
        }
        Ok(Self { id: id.as_str().into(), model, catalogue, limit, now_ms })
    }

    fn shown(&self, list: Vec<Recommendation>, algorithm: &str) -> Json<Value> {
        let data: Vec<_> = list.into_iter().map(|item| self.catalogue.present(&ListEntry::from(item))).collect();
        let metadata = json!({
            "productId": &*self.id,
            "generatedAt": iso8601(self.now_ms),
            "count": data.len(),
            "algorithm": algorithm,
        });
        Json(json!({"success": true, "data": data, "metadata": metadata}))
    }
}
