//! A mapping as others see and switch it.

use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use super::status::{self, MappingStatus};
use crate::template::model::KafkaMapping;

/// Tells of a mapping and switches it; keeps it not running.
#[derive(Clone)]
pub struct MappingHandle {
    pub(super) mapping: Arc<KafkaMapping>,
    pub(super) status: status::Shared,
    pub(super) enabled: watch::Sender<bool>,
}

impl MappingHandle {
    /// Its settings.
    pub fn settings(&self) -> &KafkaMapping {
        &self.mapping
    }

    /// As it is now.
    pub fn status(&self) -> MappingStatus {
        self.status.get()
    }

    /// As [`Mapping::set_enabled`](super::Mapping::set_enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.send_replace(enabled);
    }

    /// The identifier that Lambda's API has for it: the same at every start.
    pub fn uuid(&self) -> Uuid {
        let half = |salt: u8| {
            let mut hasher = std::hash::DefaultHasher::new();
            (salt, &self.mapping.id).hash(&mut hasher);
            hasher.finish()
        };
        uuid::Builder::from_random_bytes(Uuid::from_u64_pair(half(0), half(1)).into_bytes()).into_uuid()
    }
}
