//! `/api/products`: the catalogue; writes are for administrators.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use freshet_events::product::MAX_IMPORT_PRODUCTS;
use freshet_events::{Invalid, Product};
use serde_json::{Value, json};

use crate::admin;
use crate::context::{Context, now_ms};
use crate::error::{ApiError, json_body};

/// Products of one page where the client names no limit, and at the most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

pub(crate) async fn list(
    State(context): State<Arc<Context>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let limit = number(&query, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let offset = number(&query, "offset", 0, 0..=usize::MAX)?;
    let category = query.get("category").filter(|value| !value.is_empty());
    let catalogue = context.catalogue.get(&context.store, now_ms()).await?;
    let in_category = |product: &&Product| category.is_none_or(|wanted| product.category.as_ref() == Some(wanted));
    let mut products: Vec<&Product> = catalogue.products.values().filter(in_category).collect();
    // As people count: 2 before 10, numbers before names.
    products.sort_by(|a, b| {
        (a.id.parse::<u64>().unwrap_or(u64::MAX), &a.id).cmp(&(b.id.parse().unwrap_or(u64::MAX), &b.id))
    });
    let total = products.len();
    let page: Vec<&Product> = products.into_iter().skip(offset).take(limit).collect();
    Ok(Json(
        json!({"success": true, "data": page, "metadata": {"count": page.len(), "offset": offset, "total": total}}),
    ))
}

pub(crate) async fn get(State(context): State<Arc<Context>>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let product = context.store.get_product(&id).await?;
    let product = product.ok_or_else(|| ApiError::NotFound(format!("id: no product {id:?} in the catalogue")))?;
    Ok(Json(json!({"success": true, "data": product})))
}

pub(crate) async fn put(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    admin::check(&context, &headers)?;
    let product = Product::from_value(Some(&id), &json_body(&body)?)?;
    context.store.put_products(std::slice::from_ref(&product)).await?;
    context.catalogue.expire();
    Ok(Json(json!({"success": true, "data": product})))
}

pub(crate) async fn import(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    admin::check(&context, &headers)?;
    let body = json_body(&body)?;
    let given = body.as_array().or_else(|| body.get("products")?.as_array()).filter(|products| !products.is_empty());
    let expected = format!("an array of 1 to {MAX_IMPORT_PRODUCTS} products");
    let given = given
        .filter(|products| products.len() <= MAX_IMPORT_PRODUCTS)
        .ok_or_else(|| Invalid::value("products", expected, body.get("products").or(Some(&body))))?;
    let read: Vec<Result<Product, Invalid>> = given.iter().map(|value| Product::from_value(None, value)).collect();
    // The last one of an id wins, and BatchWriteItem takes each key once.
    let accepted: HashMap<&str, &Product> =
        read.iter().filter_map(|product| product.as_ref().ok()).map(|product| (product.id.as_str(), product)).collect();
    let products: Vec<Product> = accepted.into_values().cloned().collect();
    if !products.is_empty() {
        context.store.put_products(&products).await?;
        context.catalogue.expire();
    }
    let refused: Vec<Value> = read
        .iter()
        .enumerate()
        .filter_map(|(index, product)| Some((index, product.as_ref().err()?)))
        .map(|(index, why)| json!({"index": index, "error": why.to_string(), "field": why.field}))
        .collect();
    Ok(Json(json!({"success": refused.is_empty(), "imported": products.len(), "refused": refused})))
}

pub(crate) fn number(
    query: &HashMap<String, String>,
    name: &str,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, Invalid> {
    match query.get(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            Invalid::new(name, expected, format!("{text:?}"))
        }),
    }
}
