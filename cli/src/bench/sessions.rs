//! What is played: the sessions of a file, or invented ones, so many at a time.

use super::interleave::Interleave;
use super::invented;
use crate::args::SessionsArgs;
use crate::simulate::dataset::{Dataset, DatasetError, Visit};

/// Rows of sessions, or what is wrong with one.
type Rows = Box<dyn Iterator<Item = Result<Visit, DatasetError>> + Send>;

/// The first `count` views, mixed.
///
/// # Errors
/// The file can't be read.
pub(super) fn visits(args: &SessionsArgs, count: u64) -> Result<Interleave<std::iter::Take<Rows>>, DatasetError> {
    let rows: Rows = match &args.from {
        Some(file) => Box::new(Dataset::open(file)?),
        None => Box::new(invented::visits().map(Ok)),
    };
    Ok(Interleave::new(rows.take(usize::try_from(count).unwrap_or(usize::MAX)), args.interleave as usize))
}

/// What they are called.
pub(super) fn source(args: &SessionsArgs) -> String {
    args.from.as_ref().map_or_else(|| "invented".to_owned(), |file| file.display().to_string())
}
