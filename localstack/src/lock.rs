//! Who runs on a data folder.

use std::fs::{File, TryLockError};
use std::path::Path;

/// The file in a data folder that is locked as long as something runs on it.
const FILE: &str = "lock";

/// Takes the folder's lock, held as long as the file is open; `None`: something runs there. Makes the file, not the folder.
///
/// # Errors
/// The folder is missing or can't be written.
pub fn take(data_dir: &Path) -> std::io::Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(data_dir.join(FILE))?;
    Ok(is_free(&file)?.then_some(file))
}

/// Does something run on the folder? Changes nothing there.
///
/// # Errors
/// The folder can't be read.
pub fn is_taken(data_dir: &Path) -> std::io::Result<bool> {
    match File::open(data_dir.join(FILE)) {
        Ok(file) => Ok(!is_free(&file)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks it if nobody has.
fn is_free(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
