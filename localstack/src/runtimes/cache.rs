//! The cache: folders that are whole or absent, made by one at a time.

use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::RuntimeError;

/// Holds what a complete folder was made from.
const COMPLETE: &str = ".complete";

/// The folder `<cache>/<kind>-<fingerprint of made_from>`, filled by `fill` unless it is there. `fill` works in a folder
/// beside it, which takes its name when whole: a killed one leaves nothing that looks complete.
pub(super) async fn folder(
    cache: &Path,
    kind: &str,
    made_from: &str,
    fill: impl AsyncFnOnce(&Path) -> Result<(), RuntimeError>,
) -> Result<PathBuf, RuntimeError> {
    let name = format!("{kind}-{:016x}", fingerprint(made_from));
    let folder = cache.join(&name);
    let is_complete = || std::fs::read_to_string(folder.join(COMPLETE)).is_ok_and(|text| text == made_from);
    if is_complete() {
        return Ok(folder);
    }
    std::fs::create_dir_all(cache).map_err(RuntimeError::io(cache))?;
    // Held until the folder is there: whoever comes second finds it made.
    let _lock = lock(cache.join(format!("{name}.lock"))).await?;
    if is_complete() {
        return Ok(folder);
    }
    let fresh = cache.join(format!(".{kind}-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&fresh).map_err(RuntimeError::io(&fresh))?;
    let made = fill(&fresh).await.and_then(|()| {
        std::fs::write(fresh.join(COMPLETE), made_from).map_err(RuntimeError::io(&fresh))?;
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(RuntimeError::io(&folder))?;
        }
        std::fs::rename(&fresh, &folder).map_err(RuntimeError::io(&folder))
    });
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&fresh);
    }
    made.map(|()| folder)
}

async fn lock(path: PathBuf) -> Result<std::fs::File, RuntimeError> {
    let open = move || {
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
        file.and_then(|file| file.lock().map(|()| file)).map_err(RuntimeError::io(&path))
    };
    // Another process may hold it for as long as an installation takes.
    tokio::task::spawn_blocking(open).await.unwrap_or_else(|error| {
        Err(RuntimeError::Install { what: "the cache's lock".to_owned(), message: error.to_string() })
    })
}

/// A folder with an executable `bootstrap`.
pub(super) async fn bootstrap(cache: &Path, script: &str) -> Result<PathBuf, RuntimeError> {
    folder(cache, "bootstrap", script, async |fresh| {
        let path = fresh.join("bootstrap");
        std::fs::write(&path, script).map_err(RuntimeError::io(&path))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(RuntimeError::io(&path))
    })
    .await
}

/// `text` as one word of a shell.
pub(super) fn quoted(text: &Path) -> String {
    format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"))
}

fn fingerprint(text: &str) -> u64 {
    // Stable from build to build, and a meeting of two is found out by the folder's own text.
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_folder_is_made_once_and_a_failed_one_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let fails = async |_: &Path| Err(RuntimeError::Install { what: "x".to_owned(), message: "no".to_owned() });
        assert!(folder(cache.path(), "kind", "a", fails).await.is_err());
        let left = || std::fs::read_dir(cache.path()).unwrap().flatten().filter(|e| e.path().is_dir()).count();
        assert_eq!(left(), 0);
        let made = AtomicU32::new(0);
        let make = || {
            folder(cache.path(), "kind", "a", async |fresh: &Path| {
                made.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                std::fs::write(fresh.join("file"), "x").map_err(RuntimeError::io(fresh))
            })
        };
        let (one, two) = tokio::join!(make(), make());
        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!((made.load(Ordering::Relaxed), left()), (1, 1));
    }

    #[test]
    fn a_path_with_quotes_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
