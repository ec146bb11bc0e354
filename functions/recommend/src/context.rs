//! What lives as long as the process: clients, and bounded caches of what everybody reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use freshet_engine::{Config, Engine, Item, Popularity, Split};
use freshet_store::catalogue::Snapshot;
use freshet_store::{Cached, CatalogueCache, Store, StoreError};
use freshet_stream::{Producer, generation_number};

/// How old popularity and settings may be, milliseconds.
const SHARED_TTL_MS: i64 = 5_000;
/// How old an item model may be, milliseconds: what `learn` wrote since is seen after that.
const ITEM_TTL_MS: i64 = 500;
/// Item models kept: at about 1 KB each, 20 MB.
const MAX_ITEMS: usize = 20_000;

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

/// When an item was read, and its model where it has one.
type CachedItem = (i64, Option<Arc<Item>>);

/// The function's context.
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) producer: Producer,
    pub(crate) topics: Topics,
    catalogue: CatalogueCache,
    popularity: Cached<Popularity>,
    split: Cached<Split>,
    items: Mutex<HashMap<String, CachedItem>>,
}

/// What everybody reads, at one moment.
pub(crate) struct Shared {
    pub(crate) catalogue: Arc<Snapshot>,
    pub(crate) popularity: Arc<Popularity>,
    pub(crate) split: Arc<Split>,
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
            items: Mutex::new(HashMap::new()),
        }
    }

    /// Catalogue, popularity and the split over strategies.
    pub(crate) async fn shared(&self, now_ms: i64) -> Result<Shared, StoreError> {
        let (catalogue, popularity, split) = tokio::try_join!(
            self.catalogue.get(&self.store, now_ms),
            self.popularity.get(now_ms, |_| async { self.store.popularity().await.map(Arc::new) }),
            self.split.get(now_ms, |_| async { Ok(Arc::new(self.store.strategy_settings().await?.split())) }),
        )?;
        Ok(Shared { catalogue, popularity, split })
    }

    /// The models of `ids`, each read at most once in half a second. Unknown or unreadable ones are left out.
    pub(crate) async fn items(&self, ids: Vec<String>, now_ms: i64) -> Result<HashMap<String, Arc<Item>>, StoreError> {
        let mut models = HashMap::with_capacity(ids.len());
        let missing: Vec<String> = {
            let cached = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            ids.into_iter()
                .filter(|id| match cached.get(id) {
                    Some((read_at, model)) if now_ms - read_at < ITEM_TTL_MS => {
                        models.extend(model.as_ref().map(|model| (id.clone(), Arc::clone(model))));
                        false
                    }
                    _ => true,
                })
                .collect()
        };
        let mut fetched = self.store.glance::<Item>(&missing).await?;
        let mut cached = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() + missing.len() > MAX_ITEMS {
            cached.clear();
        }
        for id in missing {
            let model = fetched.found.remove(&id).map(|stored| Arc::new(stored.value));
            models.extend(model.as_ref().map(|model| (id.clone(), Arc::clone(model))));
            cached.insert(id, (now_ms, model));
        }
        Ok(models)
    }
}
