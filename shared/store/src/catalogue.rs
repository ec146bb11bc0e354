//! The catalogue: products by id, and a snapshot of them in memory that notices changes by the catalogue's version.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, ReturnConsumedCapacity, WriteRequest};
use freshet_engine::Catalogue;
use freshet_events::Product;
use freshet_events::signal::SeenProduct;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::backoff::{ROUNDS, pause};
use crate::cache::Cached;
use crate::client::Store;
use crate::document::CONCURRENCY;
use crate::error::StoreError;

/// Items of one BatchWriteItem, DynamoDB's limit.
const BATCH_WRITE_ITEMS: usize = 25;
/// How long a snapshot is used before its version is asked for, milliseconds.
const CHECK_EVERY_MS: i64 = 5_000;

impl Store {
    /// All products.
    pub async fn scan_catalogue(&self) -> Result<Vec<Product>, StoreError> {
        let table = &self.tables.catalogue;
        let mut products = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(table)
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Scan", table, "", e))?;
            self.meter.read(page.consumed_capacity());
            products.extend(page.items.unwrap_or_default().iter().filter_map(from_item));
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                _ => return Ok(products),
            }
        }
    }

    /// One product.
    pub async fn get_product(&self, id: &str) -> Result<Option<Product>, StoreError> {
        let table = &self.tables.catalogue;
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .key("productId", AttributeValue::S(id.to_owned()))
            // Somebody who has just written it must find it.
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("GetItem", table, id, e))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item.as_ref().and_then(from_item))
    }

    /// Writes an administrator's products over whatever is there, and marks the catalogue as changed.
    pub async fn put_products(&self, products: &[Product]) -> Result<(), StoreError> {
        let chunks: Vec<Vec<WriteRequest>> =
            products.chunks(BATCH_WRITE_ITEMS).map(|chunk| chunk.iter().filter_map(write_request).collect()).collect();
        stream::iter(chunks)
            .map(|chunk| self.write_chunk(chunk))
            .buffered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        self.bump_catalogue_version().await
    }

    async fn write_chunk(&self, mut writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let table = &self.tables.catalogue;
        for round in 0.. {
            let answer = self
                .client
                .batch_write_item()
                .request_items(table, writes)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("BatchWriteItem", table, "", e))?;
            answer.consumed_capacity().iter().for_each(|consumed| self.meter.write(Some(consumed)));
            writes = answer.unprocessed_items.unwrap_or_default().remove(table).unwrap_or_default();
            if writes.is_empty() {
                break;
            }
            if round == ROUNDS {
                let message = format!("{} items stay unprocessed", writes.len());
                return Err(StoreError::Unavailable { operation: "BatchWriteItem", table: table.clone(), message });
            }
            pause(round).await;
        }
        Ok(())
    }

    /// Writes what a website said of a product, unconfirmed; never over an administrator's. True: it was written.
    pub async fn put_seen_product(&self, id: &str, seen: &SeenProduct) -> Result<bool, StoreError> {
        let table = &self.tables.catalogue;
        let product = Product {
            id: id.to_owned(),
            name: seen.name.clone(),
            category: seen.category.clone(),
            price: seen.price.clone(),
            price_amount: None,
            currency: None,
            available: true,
            confirmed: false,
            attributes: serde_json::Map::new(),
        };
        let result = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(to_item(&product)))
            .condition_expression("attribute_not_exists(productId) OR confirmed = :no")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result.map_err(|e| StoreError::from_sdk("PutItem", table, id, e)) {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(true)
            }
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// All products at one time, and the index the engine reads.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The catalogue's version when it was read.
    pub version: u64,
    /// Products by id.
    pub products: HashMap<String, Product>,
    /// The engine's index of them.
    pub index: Catalogue,
}

impl Snapshot {
    fn new(version: u64, products: Vec<Product>) -> Self {
        let index = Catalogue::new(products.iter().map(engine_product).collect());
        let products = products.into_iter().map(|product| (product.id.clone(), product)).collect();
        Self { version, products, index }
    }
}

/// The catalogue in memory, read again when its version has moved.
#[derive(Debug)]
pub struct CatalogueCache(Cached<Snapshot>);

impl Default for CatalogueCache {
    fn default() -> Self {
        Self(Cached::new(CHECK_EVERY_MS))
    }
}

impl CatalogueCache {
    /// The catalogue, at most some seconds old at `now_ms`.
    ///
    /// # Errors
    /// DynamoDB is away and nothing was read yet.
    pub async fn get(&self, store: &Store, now_ms: i64) -> Result<Arc<Snapshot>, StoreError> {
        let refresh = |old: Option<Arc<Snapshot>>| async move {
            let version = store.catalogue_version().await?;
            match old.filter(|old| old.version == version) {
                Some(same) => Ok(same),
                None => Ok(Arc::new(Snapshot::new(version, store.scan_catalogue().await?))),
            }
        };
        self.0.get(now_ms, refresh).await
    }

    /// Makes the next [`get`](Self::get) look again, after a write of our own.
    pub fn expire(&self) {
        self.0.expire();
    }
}

fn write_request(product: &Product) -> Option<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(to_item(product))).build().ok()?;
    Some(WriteRequest::builder().put_request(put).build())
}

fn to_item(product: &Product) -> HashMap<String, AttributeValue> {
    let mut item = HashMap::from([
        ("productId".to_owned(), AttributeValue::S(product.id.clone())),
        ("name".to_owned(), AttributeValue::S(product.name.clone())),
        ("available".to_owned(), AttributeValue::Bool(product.available)),
        ("confirmed".to_owned(), AttributeValue::Bool(product.confirmed)),
    ]);
    for (name, value) in [("category", &product.category), ("price", &product.price)] {
        if let Some(text) = value {
            item.insert(name.to_owned(), AttributeValue::S(text.clone()));
        }
    }
    if !product.attributes.is_empty() {
        let json = serde_json::Value::Object(product.attributes.clone()).to_string();
        item.insert("attributes".to_owned(), AttributeValue::S(json));
    }
    item
}

fn from_item(item: &HashMap<String, AttributeValue>) -> Option<Product> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let flag = |name: &str| item.get(name).and_then(|value| value.as_bool().ok()).copied();
    let mut product = Product {
        id: text("productId")?,
        name: text("name")?,
        category: text("category"),
        price: text("price"),
        price_amount: None,
        currency: None,
        available: flag("available").unwrap_or(true),
        confirmed: flag("confirmed").unwrap_or(false),
        attributes: text("attributes").and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
    };
    product.read_price();
    Some(product)
}

/// A product as the engine sees it: free attributes are texts.
pub fn engine_product(product: &Product) -> freshet_engine::Product {
    freshet_engine::Product {
        id: product.id.as_str().into(),
        name: product.name.clone(),
        category: product.category.clone(),
        price: product.price_amount,
        attributes: product.attributes.iter().flat_map(|(name, value)| attribute_texts(name, value)).collect(),
        available: product.available,
    }
}

/// A free attribute as texts: every element of a list is one.
fn attribute_texts(name: &str, value: &serde_json::Value) -> Vec<(String, String)> {
    match value {
        serde_json::Value::String(text) => vec![(name.to_owned(), text.clone())],
        serde_json::Value::Number(number) => vec![(name.to_owned(), number.to_string())],
        serde_json::Value::Bool(flag) => vec![(name.to_owned(), flag.to_string())],
        serde_json::Value::Array(values) => values.iter().flat_map(|value| attribute_texts(name, value)).collect(),
        serde_json::Value::Null | serde_json::Value::Object(_) => Vec::new(),
    }
}
