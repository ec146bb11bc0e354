//! What the tests share.

use std::io::Write as _;
use std::ops::ControlFlow;

use freshet_evaluation::{Dataset, DatasetError, Figures, Options, Recommender, prequential};

/// Reads a text as the file `f.csv`.
pub(crate) fn read(text: &str) -> Result<Dataset, DatasetError> {
    bytes(text.as_bytes(), &Options::default())
}

/// Reads bytes as the file `f.csv`.
pub(crate) fn bytes(bytes: &[u8], options: &Options) -> Result<Dataset, DatasetError> {
    Dataset::read("f.csv", std::io::Cursor::new(bytes.to_vec()), options)
}

/// The bytes, gzipped.
#[allow(dead_code, reason = "not every test file needs it")]
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// Never stops a run.
pub(crate) fn on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The figures of a prequential run.
#[allow(dead_code, reason = "not every test file needs it")]
pub(crate) fn judge(dataset: &Dataset, recommender: &mut dyn Recommender, new_only: bool) -> Figures {
    prequential(dataset, recommender, new_only, &mut on)
}
