//! An item's id: its text, and a number that stands for it where speed counts.

use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Deref;

use compact_str::CompactString;

/// An item's id, cheap to copy: up to 24 bytes it is no allocation.
///
/// Two items whose texts have the same 64-bit key (by chance one shop of 10^6 items in 10^7 has such a pair) would pass for
/// one in lists, neighbours and popularity; their documents stay apart.
#[derive(Clone)]
pub struct ItemId {
    key: Key,
    text: CompactString,
}

/// The 64-bit hash (xxh3) of an id.
pub(crate) type Key = u64;

/// A map by [`Key`], which is a hash already.
pub(crate) type KeyMap<V> = std::collections::HashMap<Key, V, BuildHasherDefault<KeyHasher>>;

/// Passes a key through.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl ItemId {
    pub(crate) fn key(&self) -> Key {
        self.key
    }
}

impl From<&str> for ItemId {
    fn from(text: &str) -> Self {
        Self { key: xxhash_rust::xxh3::xxh3_64(text.as_bytes()), text: text.into() }
    }
}

impl From<String> for ItemId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Default for ItemId {
    fn default() -> Self {
        "".into()
    }
}

impl Deref for ItemId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for ItemId {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl PartialEq for ItemId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.text == other.text
    }
}

impl Eq for ItemId {}

impl Hash for ItemId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.key);
    }
}

impl PartialOrd for ItemId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ItemId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
