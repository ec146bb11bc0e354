//! Code that is not a folder: zip files, and text in the template.

use std::path::{Path, PathBuf};

use super::cache;
use super::error::RuntimeError;

/// Lambda's own bound on unpacked code.
const MAX_UNPACKED_BYTES: u64 = 250 * 1024 * 1024;
/// More files than any function's.
const MAX_ENTRIES: usize = 100_000;

/// The folder that `path` was unpacked into; anew whenever the file has changed.
pub(super) async fn zip(path: &Path, cache: &Path) -> Result<PathBuf, RuntimeError> {
    let file = std::fs::metadata(path).map_err(RuntimeError::io(path))?;
    let changed = file.modified().map_err(RuntimeError::io(path))?;
    let made_from = format!("{}\n{} bytes, {changed:?}", path.display(), file.len());
    cache::folder(cache, "zip", &made_from, async |fresh| {
        let (path, fresh) = (path.to_owned(), fresh.to_owned());
        let unpacked = tokio::task::spawn_blocking(move || extract(&path, &fresh));
        unpacked.await.unwrap_or_else(|error| Err(wrong(Path::new("zip"), &error)))
    })
    .await
}

/// A folder whose only file `name` holds `text`.
pub(super) async fn inline(text: &str, name: &str, cache: &Path) -> Result<PathBuf, RuntimeError> {
    cache::folder(cache, "inline", &format!("{name}\n{text}"), async |fresh| {
        std::fs::write(fresh.join(name), text).map_err(RuntimeError::io(fresh))
    })
    .await
}

fn extract(path: &Path, folder: &Path) -> Result<(), RuntimeError> {
    let file = std::fs::File::open(path).map_err(RuntimeError::io(path))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| wrong(path, &error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(wrong(path, &format!("more than {MAX_ENTRIES} files")));
    }
    let mut left = MAX_UNPACKED_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| wrong(path, &error))?;
        // A name that leads out of the folder is no file of the function's.
        let Some(name) = entry.enclosed_name() else {
            return Err(wrong(path, &format!("\"{}\" leads out of it", entry.name().unwrap_or_default())));
        };
        let target = folder.join(name);
        if entry.is_dir() {
            std::fs::create_dir_all(&target).map_err(RuntimeError::io(&target))?;
            continue;
        }
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(RuntimeError::io(parent))?;
        }
        let mut file = std::fs::File::create(&target).map_err(RuntimeError::io(&target))?;
        // What a file says of its size is not to be believed: one byte more than allowed is read at the most.
        let mut bounded = std::io::Read::take(&mut entry, left + 1);
        let copied = std::io::copy(&mut bounded, &mut file).map_err(RuntimeError::io(&target))?;
        left = left.checked_sub(copied).ok_or_else(|| wrong(path, &"more than 250 MB unpacked"))?;
        if let Some(mode) = entry.unix_mode() {
            use std::os::unix::fs::PermissionsExt as _;
            let permissions = std::fs::Permissions::from_mode(mode & 0o777 | 0o400);
            std::fs::set_permissions(&target, permissions).map_err(RuntimeError::io(&target))?;
        }
    }
    Ok(())
}

fn wrong(path: &Path, message: &impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Zip { path: path.to_owned(), message: message.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn archive(folder: &Path, entries: &[(&str, &str)]) -> PathBuf {
        let path = folder.join("code.zip");
        let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, text) in entries {
            let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
            writer.start_file(*name, options).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[tokio::test]
    async fn a_zip_file_is_unpacked_with_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("bootstrap", "#!/bin/sh\n"), ("lib/a.py", "x = 1\n")]);
        let unpacked = zip(&path, &folder.path().join("cache")).await.unwrap();
        assert_eq!(std::fs::read_to_string(unpacked.join("lib/a.py")).unwrap(), "x = 1\n");
        assert_eq!(std::fs::metadata(unpacked.join("bootstrap")).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(zip(&path, &folder.path().join("cache")).await.unwrap(), unpacked);
    }

    #[tokio::test]
    async fn a_zip_file_can_not_write_beside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("../outside", "x")]);
        let error = zip(&path, &folder.path().join("cache")).await.unwrap_err().to_string();
        assert!(error.contains("../outside") && error.contains("code.zip"), "{error}");
        assert!(!folder.path().join("outside").exists());
        std::fs::write(&path, "no zip").unwrap();
        assert!(zip(&path, &folder.path().join("cache")).await.is_err());
    }
}
