//! The item models that lists are made from, kept for a moment: many lists, one read.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use freshet_engine::{Engine, Item, ItemId, Person, Prediction, Strategy};

use crate::client::Store;
use crate::error::StoreError;

/// How old the model of a context's item may be, milliseconds: what `learn` wrote since is seen after that.
const CONTEXT_TTL_MS: i64 = 200;
/// How old the model of a bridge may be: it only suggests candidates.
const BRIDGE_TTL_MS: i64 = 30_000;
/// And while it has fewer companions than this, so that each new one tells much.
const YOUNG_COMPANIONS: usize = 16;
const YOUNG_BRIDGE_TTL_MS: i64 = 500;
/// Item models kept: read, a full one takes 3 KB (with ids of up to 24 bytes), so 15 MB.
const MAX_ITEMS: usize = 5_000;

/// Item models by id.
#[derive(Debug, Default)]
pub struct Models {
    by_id: HashMap<ItemId, Arc<Item>>,
}

impl Models {
    /// The model of an item, where it has one.
    pub fn get(&self, id: &ItemId) -> Option<&Item> {
        self.by_id.get(id).map(Arc::as_ref)
    }
}

/// When an item was read (milliseconds since the epoch), and its model where it has one.
type CachedItem = (i64, Option<Arc<Item>>);

/// Where the models of bridges come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bridges {
    /// From the table, where they are not in memory.
    Read,
    /// From memory alone: what a backlog can do without. They are half of all reads and worth .012 HR@20.
    InMemory,
}

/// What a model is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Context,
    Bridge,
}

impl Wanted {
    /// How old it may be, milliseconds.
    fn ttl_ms(self, model: Option<&Item>) -> i64 {
        match self {
            Self::Context => CONTEXT_TTL_MS,
            Self::Bridge if model.is_none_or(|model| model.neighbours().len() < YOUNG_COMPANIONS) => {
                YOUNG_BRIDGE_TTL_MS
            }
            Self::Bridge => BRIDGE_TTL_MS,
        }
    }
}

/// A bounded cache of item models, as old as they may be for what they are wanted for.
#[derive(Debug, Default)]
pub struct ItemCache {
    items: Mutex<HashMap<ItemId, CachedItem>>,
}

impl ItemCache {
    /// What the lists of these persons are made from: the models of their contexts, and those of the bridges from there.
    /// Unknown or unreadable ones are left out.
    ///
    /// # Errors
    /// DynamoDB could not be read.
    pub async fn for_lists<'p>(
        &self,
        store: &Store,
        engine: &Engine,
        persons: impl Iterator<Item = (&'p Person, Strategy)> + Clone,
        from: Bridges,
        now_ms: i64,
    ) -> Result<Models, StoreError> {
        let mut models = Models::default();
        let context: BTreeSet<ItemId> = persons.clone().flat_map(|(person, _)| engine.context(person)).collect();
        self.read(store, context, Wanted::Context, now_ms, &mut models).await?;
        let mut scratch = Prediction::default();
        let mut bridges = BTreeSet::new();
        for (person, strategy) in persons {
            let lookup = |id: &ItemId| models.get(id);
            bridges.extend(engine.bridges(person, strategy, &lookup, now_ms, &mut scratch));
        }
        bridges.retain(|id| !models.by_id.contains_key(id));
        match from {
            Bridges::Read => self.read(store, bridges, Wanted::Bridge, now_ms, &mut models).await?,
            Bridges::InMemory => drop(self.recall(bridges, Wanted::Bridge, now_ms, &mut models)),
        }
        Ok(models)
    }

    /// Takes what is in memory and young enough; returns the others.
    fn recall(&self, ids: BTreeSet<ItemId>, wanted: Wanted, now_ms: i64, models: &mut Models) -> Vec<ItemId> {
        let cached = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for id in ids {
            match cached.get(&id) {
                Some((read_at, model)) if now_ms - read_at < wanted.ttl_ms(model.as_deref()) => {
                    models.by_id.extend(model.as_ref().map(|model| (id, Arc::clone(model))));
                }
                _ => missing.push(id),
            }
        }
        missing
    }

    async fn read(
        &self,
        store: &Store,
        ids: BTreeSet<ItemId>,
        wanted: Wanted,
        now_ms: i64,
        models: &mut Models,
    ) -> Result<(), StoreError> {
        let missing = self.recall(ids, wanted, now_ms, models);
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let mut fetched = store.glance::<Item>(&names).await?;
        let mut cached = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() + missing.len() > MAX_ITEMS {
            cached.clear();
        }
        for id in missing {
            let model = fetched.found.remove(&*id).map(|stored| Arc::new(stored.value));
            models.by_id.extend(model.as_ref().map(|model| (id.clone(), Arc::clone(model))));
            if cached.len() < MAX_ITEMS {
                cached.insert(id, (now_ms, model));
            }
        }
        Ok(())
    }
}
