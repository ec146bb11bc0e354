//! The open sockets by connection id.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::gateway::request::short_id;

/// Messages that may wait for a socket to read them; one that does not read is cut off.
const QUEUE: usize = 64;

/// Who is on the other side.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) client: SocketAddr,
    pub(crate) user_agent: String,
    /// The host that it called.
    pub(crate) domain: String,
}

/// What others know of an open socket.
#[derive(Clone)]
pub(crate) struct Handle {
    /// Its connection id.
    pub(crate) id: Arc<str>,
    pub(crate) connected_at_ms: i64,
    pub(crate) peer: Arc<Peer>,
    /// What the authorizer said of it; all its events carry it.
    pub(crate) authorizer: Option<Arc<Value>>,
    outgoing: mpsc::Sender<Vec<u8>>,
    last_active_ms: Arc<AtomicI64>,
    /// Cancelled: it is to be closed, or has gone.
    pub(crate) closing: CancellationToken,
}

/// Why a message did not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// There is no such socket, or no longer.
    Gone,
    /// It does not read: it was cut off.
    Stalled,
}

impl Handle {
    /// Queues a message. A socket whose queue is full is cut off: it costs nobody else anything.
    pub(crate) fn send(&self, message: Vec<u8>) -> Result<(), NotSent> {
        if self.closing.is_cancelled() {
            return Err(NotSent::Gone);
        }
        match self.outgoing.try_send(message) {
            Ok(()) => {
                self.touch();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!(connection = &*self.id, "a socket does not read; it is cut off");
                self.closing.cancel();
                Err(NotSent::Stalled)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NotSent::Gone),
        }
    }

    pub(crate) fn touch(&self) {
        self.last_active_ms.store(now_ms(), Ordering::Relaxed);
    }

    pub(crate) fn last_active_ms(&self) -> i64 {
        self.last_active_ms.load(Ordering::Relaxed)
    }
}

/// All open sockets of an API.
pub(crate) struct Registry {
    most: usize,
    open: Mutex<HashMap<Arc<str>, Handle>>,
}

impl Registry {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Arc<str>, Handle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle for a socket that is about to open, with what it is to be sent; not yet to be found by others.
    pub(crate) fn prepare(peer: Peer) -> (Handle, mpsc::Receiver<Vec<u8>>) {
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let now = now_ms();
        let handle = Handle {
            id: short_id().into(),
            connected_at_ms: now,
            peer: Arc::new(peer),
            authorizer: None,
            outgoing,
            last_active_ms: Arc::new(AtomicI64::new(now)),
            closing: CancellationToken::new(),
        };
        (handle, queue)
    }

    /// Lets others find it.
    pub(crate) fn insert(&self, handle: Handle) {
        self.open().insert(Arc::clone(&handle.id), handle);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.most
    }

    pub(crate) fn len(&self) -> usize {
        self.open().len()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Handle> {
        self.open().get(id).cloned()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.open().remove(id);
    }

    pub(crate) fn close_all(&self) {
        self.open().values().for_each(|handle| handle.closing.cancel());
    }
}
