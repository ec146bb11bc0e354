//! Documents with a watermark: what people and items share.
//!
//! A document is compact bytes (`d`) beside its watermarks (`w`). Every write says which watermarks it was computed from and
//! succeeds only over those: a late writer (an invocation that timed out and still runs) can't undo a newer state.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::backoff::{ROUNDS, pause};
use crate::client::{Store, Tables};
use crate::error::StoreError;

/// Requests in flight at one time, of a batch's reads and of its writes.
pub const CONCURRENCY: usize = 16;
/// Keys of one BatchGetItem, DynamoDB's limit.
pub(crate) const BATCH_GET_KEYS: usize = 100;

/// What is kept as a document.
pub trait Document: Sized + Default {
    /// Its table.
    fn table(tables: &Tables) -> &str;
    /// DynamoDB may drop it this long after its last write, seconds.
    const EXPIRY_S: i64;
    /// Its bytes, watermarks included.
    fn encode(&self) -> Vec<u8>;
    /// Reads its bytes.
    ///
    /// # Errors
    /// Why they can't be read.
    fn decode(bytes: &[u8]) -> Result<Self, String>;
    /// What it has been fed: the condition of every write.
    fn watermarks(&self) -> Vec<u8>;
}

/// A document as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored<T> {
    /// The document.
    pub value: T,
    /// The watermarks it was read with; `None`: it did not exist.
    pub seen: Option<Vec<u8>>,
}

/// What a read found; ids in neither map don't exist.
#[derive(Debug)]
pub struct Fetched<T> {
    /// The documents.
    pub found: HashMap<String, Stored<T>>,
    /// Documents that can't be decoded, with why: never silently begun anew.
    pub corrupt: HashMap<String, String>,
}

/// DynamoDB's two kinds of reads; the eventual ones cost half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    Strong,
    Eventual,
}

/// Bytes and watermarks of a document.
pub(crate) struct Raw {
    bytes: Vec<u8>,
    pub(crate) watermarks: Vec<u8>,
}

impl Store {
    /// Reads documents by id, each once, as they are now: what a write is computed from.
    pub async fn get<T: Document>(&self, ids: &[String]) -> Result<Fetched<T>, StoreError> {
        self.get_all(ids, Consistency::Strong).await
    }

    /// Reads documents by id, each once, as they were a moment ago, at half the price: never to write them.
    pub async fn glance<T: Document>(&self, ids: &[String]) -> Result<Fetched<T>, StoreError> {
        self.get_all(ids, Consistency::Eventual).await
    }

    async fn get_all<T: Document>(&self, ids: &[String], consistency: Consistency) -> Result<Fetched<T>, StoreError> {
        let table = T::table(&self.tables);
        let chunks: Vec<Vec<String>> = ids.chunks(BATCH_GET_KEYS).map(<[String]>::to_vec).collect();
        let chunks: Vec<Vec<(String, Raw)>> = stream::iter(chunks)
            .map(|chunk| self.get_chunk(table, chunk, consistency))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut fetched = Fetched { found: HashMap::with_capacity(ids.len()), corrupt: HashMap::new() };
        for (id, raw) in chunks.into_iter().flatten() {
            match T::decode(&raw.bytes) {
                Ok(value) => drop(fetched.found.insert(id, Stored { value, seen: Some(raw.watermarks) })),
                Err(message) => drop(fetched.corrupt.insert(id, message)),
            }
        }
        Ok(fetched)
    }

    /// One document.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]: it can't be decoded.
    pub async fn get_one<T: Document>(&self, id: &str) -> Result<Option<T>, StoreError> {
        let mut fetched = self.get::<T>(&[id.to_owned()]).await?;
        match fetched.corrupt.remove(id) {
            Some(message) => {
                Err(StoreError::Corrupt { table: T::table(&self.tables).to_owned(), key: id.to_owned(), message })
            }
            None => Ok(fetched.found.remove(id).map(|stored| stored.value)),
        }
    }

    pub(crate) async fn get_chunk(
        &self,
        table: &str,
        ids: Vec<String>,
        consistency: Consistency,
    ) -> Result<Vec<(String, Raw)>, StoreError> {
        let mut keys: Vec<HashMap<String, AttributeValue>> =
            ids.iter().map(|id| HashMap::from([("pk".to_owned(), AttributeValue::S(self.key(id)))])).collect();
        let mut found = Vec::with_capacity(ids.len());
        let mut round = 0;
        while !keys.is_empty() {
            let unavailable = |message: String| StoreError::Unavailable {
                operation: "BatchGetItem",
                table: table.to_owned(),
                message,
            };
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(consistency == Consistency::Strong)
                .build();
            let answer = self
                .client
                .batch_get_item()
                .request_items(table, request.map_err(|e| unavailable(e.to_string()))?)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("BatchGetItem", table, "", e))?;
            answer.consumed_capacity().iter().for_each(|consumed| self.meter.read(Some(consumed)));
            let items = answer.responses.unwrap_or_default().remove(table).unwrap_or_default();
            found.extend(items.into_iter().filter_map(|item| self.raw(item)));
            keys = answer.unprocessed_keys.unwrap_or_default().remove(table).map(|left| left.keys).unwrap_or_default();
            if !keys.is_empty() {
                round += 1;
                if round > ROUNDS {
                    return Err(unavailable(format!("{} keys stay unprocessed", keys.len())));
                }
                pause(round).await;
            }
        }
        Ok(found)
    }

    fn raw(&self, mut item: HashMap<String, AttributeValue>) -> Option<(String, Raw)> {
        let Some(AttributeValue::S(key)) = item.remove("pk") else { return None };
        let id = key.strip_prefix(&self.generation)?.strip_prefix('#')?.to_owned();
        Some((id, Raw { bytes: take_bytes(&mut item, "d")?, watermarks: take_bytes(&mut item, "w")? }))
    }
}

fn take_bytes(item: &mut HashMap<String, AttributeValue>, name: &str) -> Option<Vec<u8>> {
    match item.remove(name) {
        Some(AttributeValue::B(blob)) => Some(blob.into_inner()),
        _ => None,
    }
}
