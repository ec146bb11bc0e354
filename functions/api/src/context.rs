//! What lives as long as the process.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freshet_engine::{Blends, Config, Engine, Popularity, Split};
use freshet_store::{Cached, CatalogueCache, ItemCache, Store, StoreError};
use freshet_stream::groups::{Group, GroupState};
use freshet_stream::{Producer, ProducerOptions, Record};
use lambda_http::Error;

/// How long `track` waits for Kafka: with the gateway on top, the client hears of a failure within 5 s.
const TRACK_DEADLINE: Duration = Duration::from_secs(4);
/// How old popularity and settings may be, milliseconds.
const SHARED_TTL_MS: i64 = 5_000;
/// How old the consumers' state may be, milliseconds.
const CONSUMERS_TTL_MS: i64 = 2_000;

/// How old a look at the ends of topics may be, milliseconds.
const TAIL_TTL_MS: i64 = 1_000;

/// The function's context.
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) producer: Producer,
    pub(crate) kafka: ProducerOptions,
    pub(crate) user_events: String,
    pub(crate) recommendations: String,
    pub(crate) groups: Vec<Group>,
    /// Hex SHA-256 of the administrators' token; empty: nobody is one.
    pub(crate) admin_token_sha256: String,
    pub(crate) catalogue: CatalogueCache,
    pub(crate) consumers: Cached<Vec<GroupState>>,
    /// The last lists, and the last dead letters: many lookers, one read.
    pub(crate) last_lists: Cached<Vec<Record>>,
    pub(crate) last_dead: Cached<Vec<Record>>,
    pub(crate) split: Cached<Split>,
    popularity: Cached<Popularity>,
    blends: Cached<Blends>,
    pub(crate) items: ItemCache,
}

impl Context {
    /// Reads a function's environment.
    pub(crate) fn from_env(get: impl Fn(&str) -> Option<String> + Copy) -> Result<Self, Error> {
        let need = |name: &str| {
            get(name).filter(|v| !v.is_empty()).ok_or_else(|| format!("the environment variable {name} is missing"))
        };
        let kafka = ProducerOptions::from_env(get, TRACK_DEADLINE)?;
        let user_events = need("TOPIC_USER_EVENTS")?;
        let producer = Producer::new(kafka.clone())?;
        producer.warm(&user_events);
        let groups = [
            ("CONSUMER_GROUP_RECOMMEND", user_events.clone()),
            ("CONSUMER_GROUP_LEARN", need("TOPIC_ITEM_SIGNALS")?),
            ("CONSUMER_GROUP_MEASURE", need("TOPIC_METRICS")?),
            ("CONSUMER_GROUP_PUSH", need("TOPIC_RECOMMENDATIONS")?),
        ];
        let groups = groups.into_iter().filter_map(|(name, topic)| Some(Group { group: need(name).ok()?, topic }));
        Ok(Self {
            engine: Engine::new(Config::default()),
            store: Store::new(freshet_store::Options::from_env(get)?),
            producer,
            kafka,
            user_events,
            recommendations: need("TOPIC_RECOMMENDATIONS")?,
            groups: groups.collect(),
            admin_token_sha256: get("ADMIN_TOKEN_SHA256").unwrap_or_default().to_lowercase(),
            catalogue: CatalogueCache::default(),
            consumers: Cached::new(CONSUMERS_TTL_MS),
            last_lists: Cached::new(TAIL_TTL_MS),
            last_dead: Cached::new(TAIL_TTL_MS),
            split: Cached::new(SHARED_TTL_MS),
            popularity: Cached::new(SHARED_TTL_MS),
            blends: Cached::new(SHARED_TTL_MS),
            items: ItemCache::default(),
        })
    }

    /// What each strategy has learned to count.
    pub(crate) async fn blends(&self, now_ms: i64) -> Result<Arc<Blends>, StoreError> {
        self.blends.get(now_ms, |_| async { self.store.blends().await.map(Arc::new) }).await
    }

    /// The most wanted items.
    pub(crate) async fn popularity(&self, now_ms: i64) -> Result<Arc<Popularity>, StoreError> {
        self.popularity.get(now_ms, |_| async { self.store.popularity().await.map(Arc::new) }).await
    }
}

/// Now, milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
