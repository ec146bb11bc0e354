//! What lives as long as the process: clients, and bounded caches of what everybody reads.

use std::sync::Arc;

use freshet_engine::{Blends, Config, Engine, Popularity, Split};
use freshet_store::catalogue::Snapshot;
use freshet_store::{Cached, CatalogueCache, ItemCache, Store, StoreError};
use freshet_stream::{Producer, generation_number};

use crate::teach::Teacher;

/// How old popularity and settings may be, milliseconds.
const SHARED_TTL_MS: i64 = 5_000;
/// How old the blends may be, milliseconds: a new shop's change fast.
const BLENDS_TTL_MS: i64 = 3_000;

/// The topics, by what is sent there.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    pub(crate) item_signals: String,
    pub(crate) recommendations: String,
    pub(crate) metrics: String,
    /// Number of the topic generation that watermarks are kept for.
    pub(crate) generation: u32,
}

impl Topics {
    pub(crate) fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let need = |name: &str| {
            get(name).filter(|v| !v.is_empty()).ok_or_else(|| format!("the environment variable {name} is missing"))
        };
        Ok(Self {
            item_signals: need("TOPIC_ITEM_SIGNALS")?,
            recommendations: need("TOPIC_RECOMMENDATIONS")?,
            metrics: need("TOPIC_METRICS")?,
            generation: generation_number(&need("TOPIC_GENERATION")?),
        })
    }
}

/// The function's context.
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) producer: Producer,
    pub(crate) topics: Topics,
    catalogue: CatalogueCache,
    popularity: Cached<Popularity>,
    split: Cached<Split>,
    blends: Cached<SharedBlends>,
    pub(crate) items: ItemCache,
    pub(crate) teacher: Teacher,
}

/// What everybody reads, at one moment.
pub(crate) struct Shared {
    pub(crate) catalogue: Arc<Snapshot>,
    pub(crate) popularity: Arc<Popularity>,
    pub(crate) split: Arc<Split>,
    pub(crate) blends: Arc<SharedBlends>,
}

/// The blends, and when they were read.
pub(crate) struct SharedBlends {
    pub(crate) blends: Blends,
    /// Milliseconds since the epoch.
    pub(crate) read_at_ms: i64,
}

impl Context {
    pub(crate) fn new(store: Store, producer: Producer, topics: Topics) -> Self {
        Self {
            engine: Engine::new(Config::default()),
            store,
            producer,
            topics,
            catalogue: CatalogueCache::default(),
            popularity: Cached::new(SHARED_TTL_MS),
            split: Cached::new(SHARED_TTL_MS),
            blends: Cached::new(BLENDS_TTL_MS),
            items: ItemCache::default(),
            teacher: Teacher::default(),
        }
    }

    /// Catalogue, popularity, the split over strategies and their blends.
    pub(crate) async fn shared(&self, now_ms: i64) -> Result<Shared, StoreError> {
        let (catalogue, popularity, split, blends) = tokio::try_join!(
            self.catalogue.get(&self.store, now_ms),
            self.popularity.get(now_ms, |_| async { self.store.popularity().await.map(Arc::new) }),
            self.split.get(now_ms, |_| async { Ok(Arc::new(self.store.strategy_settings().await?.split())) }),
            self.blends.get(now_ms, |_| async {
                Ok(Arc::new(SharedBlends { blends: self.store.blends().await?, read_at_ms: now_ms }))
            }),
        )?;
        Ok(Shared { catalogue, popularity, split, blends })
    }
}
