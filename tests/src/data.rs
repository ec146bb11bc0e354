//! Shopping sessions to play: a public data set where it lies beside the clone, else an invented stream of the same shape.

use std::io::{BufReader, Read as _};
use std::path::PathBuf;

use serde_json::{Value, json};

/// A visit's step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who.
    pub user: String,
    /// Which product.
    pub item: String,
}

/// The first `count` steps of RetailRocket's sessions (`FRESHET_DATA`, or `../shared/data` beside the clone), else invented ones.
///
/// # Errors
/// The data set is there but can't be read.
pub fn sessions(count: usize) -> anyhow::Result<(Vec<Step>, &'static str)> {
    let folder = std::env::var_os("FRESHET_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let file = folder.join("retailrocket_sessions.csv.gz");
    if !file.exists() {
        return Ok((invented(count), "invented sessions (no data set beside the clone)"));
    }
    let mut text = Vec::new();
    BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(file)?)).read_to_end(&mut text)?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let steps = reader.records().take(count).map(|row| {
        let row = row?;
        Ok(Step { user: format!("u{}", &row[0]), item: row[1].to_owned() })
    });
    Ok((steps.collect::<Result<_, csv::Error>>()?, "RetailRocket sessions"))
}

/// Sessions of 1 to 10 steps over 2,000 items, neighbours preferred; always the same ones.
fn invented(count: usize) -> Vec<Step> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut steps = Vec::with_capacity(count);
    let mut user = 0;
    while steps.len() < count {
        user += 1;
        let mut item = next(2_000);
        for _ in 0..=next(10) {
            steps.push(Step { user: format!("u{user}"), item: item.to_string() });
            item = if next(4) == 0 { next(2_000) } else { (item + next(5)) % 2_000 };
        }
    }
    steps.truncate(count);
    steps
}

/// The body of a `product_view`.
pub fn view(step: &Step, event_id: &str) -> Value {
    json!({"eventId": event_id, "userId": step.user, "eventType": "product_view", "productId": step.item})
}
