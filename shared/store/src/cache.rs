//! Values that many requests read and that change now and then.

use std::sync::{Arc, PoisonError, RwLock};

/// A value that is read again when it is older than its time to live. While its source is away the old value stays in use.
#[derive(Debug)]
pub struct Cached<T> {
    ttl_ms: i64,
    /// When it was read (milliseconds since the epoch), and what.
    state: RwLock<Option<(i64, Arc<T>)>>,
    one_refresh: tokio::sync::Mutex<()>,
}

impl<T> Cached<T> {
    /// A value that is good for `ttl_ms` milliseconds.
    pub fn new(ttl_ms: i64) -> Self {
        Self { ttl_ms, state: RwLock::new(None), one_refresh: tokio::sync::Mutex::new(()) }
    }

    /// The value, read by `refresh` (which gets the old one) where it is missing or too old at `now_ms`.
    ///
    /// # Errors
    /// `refresh` failed and there is no old value.
    pub async fn get<F, E>(&self, now_ms: i64, refresh: impl FnOnce(Option<Arc<T>>) -> F) -> Result<Arc<T>, E>
    where
        F: Future<Output = Result<Arc<T>, E>>,
        E: std::fmt::Display,
    {
        if let Some(fresh) = self.fresh(now_ms) {
            return Ok(fresh);
        }
        let _one = self.one_refresh.lock().await;
        if let Some(fresh) = self.fresh(now_ms) {
            return Ok(fresh);
        }
        let old =
            self.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, value)| Arc::clone(value));
        match (refresh(old.clone()).await, old) {
            (Ok(value), _) => {
                *self.state.write().unwrap_or_else(PoisonError::into_inner) = Some((now_ms, Arc::clone(&value)));
                Ok(value)
            }
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "could not be read again; the old value stays in use");
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Makes the next [`get`](Self::get) read again, after a write of our own.
    pub fn expire(&self) {
        if let Some((at, _)) = self.state.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *at = i64::MIN;
        }
    }

    fn fresh(&self, now_ms: i64) -> Option<Arc<T>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = state.as_ref()?;
        (now_ms.saturating_sub(*at) < self.ttl_ms).then(|| Arc::clone(value))
    }
}
