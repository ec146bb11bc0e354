//! The board: small things that everybody reads. Key: `kind` and `id`, so that a kind is read with one Query.
//!
//! | kind | id | holds |
//! |---|---|---|
//! | `popularity#<generation>` | partition of item-signals | that partition's most wanted items, bytes |
//! | `blend#<generation>` | strategy, partition of user-events | the blend that the partition learned, bytes |
//! | `live` | partition of metrics | live figures, JSON |
//! | `settings` | `strategies` | how persons are split over strategies, JSON |
//! | `dead-letters` | topic, partition, offset | what an administrator did with it |
//! | `catalogue` | `version` | a counter that moves with every write to the catalogue |

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use freshet_engine::{Blend, Blends, Popularity, PopularityShard, Split, Strategy};
use serde::{Deserialize, Serialize};

use crate::client::Store;
use crate::error::StoreError;
use crate::live::Live;

/// The kind of what was done with dead letters.
const DEAD_LETTERS: &str = "dead-letters";

/// How persons are split over strategies: a sticky salted hash of the person decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StrategySettings {
    /// Another salt deals the persons anew.
    pub salt: String,
    /// Strategy names with their shares; a share of 0 is nobody.
    pub shares: std::collections::BTreeMap<String, u32>,
}

impl Default for StrategySettings {
    fn default() -> Self {
        Self { salt: "freshet".to_owned(), shares: [("hybrid".to_owned(), 100)].into() }
    }
}

impl StrategySettings {
    /// As the engine deals persons. Names that are no strategy have no share.
    pub fn split(&self) -> Split {
        let shares = self.shares.iter().filter_map(|(name, share)| Some((name.parse().ok()?, *share)));
        Split { salt: self.salt.clone(), shares: shares.collect() }
    }
}

/// One entry of a kind.
struct Entry {
    id: String,
    item: std::collections::HashMap<String, AttributeValue>,
}

impl Store {
    /// The most wanted items, over all partitions of item-signals. A shard that can't be read is left out and logged.
    pub async fn popularity(&self) -> Result<Popularity, StoreError> {
        let shards = self.query_board(&self.popularity_kind()).await?;
        let shards: Vec<PopularityShard> = shards.iter().filter_map(popularity_shard).collect();
        Ok(Popularity::merge(&shards))
    }

    /// One partition's share of the most wanted items.
    pub async fn popularity_shard(&self, partition: u32) -> Result<PopularityShard, StoreError> {
        let entry = self.get_board(&self.popularity_kind(), &partition.to_string()).await?;
        Ok(entry.as_ref().and_then(popularity_shard).unwrap_or_default())
    }

    /// Writes one partition's share. It holds the items' own counts, so that writing it twice changes nothing.
    pub async fn put_popularity_shard(&self, partition: u32, shard: &PopularityShard) -> Result<(), StoreError> {
        let value = AttributeValue::B(Blob::new(shard.encode()));
        self.put_board(&self.popularity_kind(), &partition.to_string(), value).await
    }

    /// What every partition of user-events has learned of every strategy's blend. One that can't be read is left out and logged.
    pub async fn blends(&self) -> Result<Blends, StoreError> {
        let entries = self.query_board(&self.blend_kind()).await?;
        Ok(Blends::new(entries.iter().filter_map(blend)))
    }

    /// Writes what one partition has learned.
    pub async fn put_blend(&self, strategy: Strategy, partition: u32, blend: &Blend) -> Result<(), StoreError> {
        let value = AttributeValue::B(Blob::new(blend.encode()));
        self.put_board(&self.blend_kind(), &format!("{}/{partition}", strategy.as_str()), value).await
    }

    /// How persons are split over strategies.
    pub async fn strategy_settings(&self) -> Result<StrategySettings, StoreError> {
        let entry = self.get_board("settings", "strategies").await?;
        Ok(entry.and_then(|entry| serde_json::from_str(entry.item.get("d")?.as_s().ok()?).ok()).unwrap_or_default())
    }

    /// Sets how persons are split over strategies.
    pub async fn put_strategy_settings(&self, settings: &StrategySettings) -> Result<(), StoreError> {
        self.put_board("settings", "strategies", json_value(settings)).await
    }

    /// The live figures over all partitions of metrics.
    pub async fn live(&self) -> Result<Live, StoreError> {
        let mut live = Live::default();
        for entry in self.query_board("live").await? {
            live.merge(&live_entry(&entry).0);
        }
        Ok(live)
    }

    /// The live figures of one partition of metrics, with the version they were read at.
    pub async fn live_partition(&self, partition: u32) -> Result<(Live, u64), StoreError> {
        let entry = self.get_board("live", &partition.to_string()).await?;
        Ok(entry.as_ref().map(live_entry).unwrap_or_default())
    }

    /// Writes the live figures of one partition over the version they were computed from.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another writer was faster.
    pub async fn put_live_partition(&self, partition: u32, live: &Live, seen_version: u64) -> Result<(), StoreError> {
        let table = &self.tables.board;
        let id = partition.to_string();
        let answer = self
            .client
            .put_item()
            .table_name(table)
            .item("kind", AttributeValue::S("live".to_owned()))
            .item("id", AttributeValue::S(id.clone()))
            .item("d", json_value(live))
            .item("version", AttributeValue::N((seen_version + 1).to_string()))
            .condition_expression("attribute_not_exists(kind) OR version = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(seen_version.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("PutItem", table, &id, e))?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }

    /// What administrators did with dead letters, by place (`topic/partition/offset`).
    pub async fn settled_dead_letters(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let entries = self.query_board(DEAD_LETTERS).await?;
        let settled =
            entries.into_iter().filter_map(|entry| Some((entry.id, entry.item.get("d")?.as_s().ok()?.clone())));
        Ok(settled.collect())
    }

    /// Notes what was done with a dead letter.
    pub async fn settle_dead_letter(&self, place: &str, what: &str) -> Result<(), StoreError> {
        self.put_board(DEAD_LETTERS, place, AttributeValue::S(what.to_owned())).await
    }

    /// A number that has moved whenever the catalogue was written.
    pub async fn catalogue_version(&self) -> Result<u64, StoreError> {
        let entry = self.get_board("catalogue", "version").await?;
        Ok(entry.and_then(|entry| entry.item.get("d")?.as_n().ok()?.parse().ok()).unwrap_or(0))
    }

    /// Moves the catalogue's version.
    pub async fn bump_catalogue_version(&self) -> Result<(), StoreError> {
        let table = &self.tables.board;
        let answer = self
            .client
            .update_item()
            .table_name(table)
            .key("kind", AttributeValue::S("catalogue".to_owned()))
            .key("id", AttributeValue::S("version".to_owned()))
            .update_expression("ADD d :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::None)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", table, "catalogue/version", e))?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }

    fn popularity_kind(&self) -> String {
        format!("popularity#{}", self.generation)
    }

    fn blend_kind(&self) -> String {
        format!("blend#{}", self.generation)
    }

    async fn query_board(&self, kind: &str) -> Result<Vec<Entry>, StoreError> {
        let table = &self.tables.board;
        let mut entries = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(table)
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()))
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", table, kind, e))?;
            self.meter.read(page.consumed_capacity());
            entries.extend(page.items.unwrap_or_default().into_iter().filter_map(entry));
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                _ => return Ok(entries),
            }
        }
    }

    async fn get_board(&self, kind: &str, id: &str) -> Result<Option<Entry>, StoreError> {
        let table = &self.tables.board;
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .key("kind", AttributeValue::S(kind.to_owned()))
            .key("id", AttributeValue::S(id.to_owned()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("GetItem", table, kind, e))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item.and_then(entry))
    }

    async fn put_board(&self, kind: &str, id: &str, value: AttributeValue) -> Result<(), StoreError> {
        let table = &self.tables.board;
        let answer = self
            .client
            .put_item()
            .table_name(table)
            .item("kind", AttributeValue::S(kind.to_owned()))
            .item("id", AttributeValue::S(id.to_owned()))
            .item("d", value)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("PutItem", table, kind, e))?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }
}

fn entry(item: std::collections::HashMap<String, AttributeValue>) -> Option<Entry> {
    let id = item.get("id")?.as_s().ok()?.clone();
    Some(Entry { id, item })
}

fn popularity_shard(entry: &Entry) -> Option<PopularityShard> {
    let bytes = entry.item.get("d")?.as_b().ok()?;
    PopularityShard::decode(bytes.as_ref())
        .map_err(|error| tracing::error!(partition = entry.id, %error, "a popularity shard can't be read"))
        .ok()
}

fn blend(entry: &Entry) -> Option<((Strategy, u32), Blend)> {
    let (strategy, partition) = entry.id.split_once('/')?;
    let bytes = entry.item.get("d")?.as_b().ok()?;
    let blend = Blend::decode(bytes.as_ref())
        .map_err(|error| tracing::warn!(id = entry.id, %error, "a blend can't be read: it is learned anew"))
        .ok()?;
    Some(((strategy.parse().ok()?, partition.parse().ok()?), blend))
}

fn live_entry(entry: &Entry) -> (Live, u64) {
    let text = entry.item.get("d").and_then(|value| value.as_s().ok());
    let live = text.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let version = entry.item.get("version").and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or(0);
    (live, version)
}

fn json_value<T: Serialize>(value: &T) -> AttributeValue {
    AttributeValue::S(serde_json::to_string(value).unwrap_or_default())
}
