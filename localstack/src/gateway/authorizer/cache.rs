//! Answers kept by identity for a time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most that is kept: callers who make up identities cost no more than this.
const MAX_ENTRIES: usize = 10_000;

/// Values by the identity of who asked.
pub(super) struct Cache<T> {
    ttl: Duration,
    entries: Mutex<HashMap<Vec<String>, (Instant, T)>>,
}

impl<T: Clone> Cache<T> {
    /// Keeps for `ttl`; zero: nothing is kept.
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, entries: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Vec<String>, (Instant, T)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, identity: &[String]) -> Option<T> {
        let entries = self.entries();
        let (since, value) = entries.get(identity)?;
        (since.elapsed() < self.ttl).then(|| value.clone())
    }

    pub(super) fn put(&self, identity: Vec<String>, value: T) {
        if self.ttl.is_zero() {
            return;
        }
        let mut entries = self.entries();
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, (since, _)| since.elapsed() < self.ttl);
        }
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(identity, (Instant::now(), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_grows_old() {
        let cache = Cache::new(Duration::from_millis(20));
        let identity = vec!["a".to_owned()];
        cache.put(identity.clone(), 1);
        assert_eq!(cache.get(&identity), Some(1));
        let begin = Instant::now();
        while cache.get(&identity).is_some() {
            assert!(begin.elapsed() < Duration::from_secs(5));
        }
        assert!(begin.elapsed() >= Duration::from_millis(10));
        let cache = Cache::new(Duration::from_hours(1));
        (0..MAX_ENTRIES + 10).for_each(|number| cache.put(vec![number.to_string()], number));
        assert!(cache.entries().len() <= MAX_ENTRIES);
        let never = Cache::new(Duration::ZERO);
        never.put(identity.clone(), 1);
        assert_eq!(never.get(&identity), None);
    }
}
