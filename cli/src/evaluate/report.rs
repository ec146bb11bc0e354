//! What is said of an evaluation.

use std::fmt::Write as _;

use freshet_evaluation::{Comparison, Dataset, Figures};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::judge::Judged;
use crate::output::thousands;

/// The result line.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    ours: Figures,
    /// The others by name, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<Map<String, Value>>,
}

/// The data set in one line, with what reading it met with.
pub(super) fn described(dataset: &Dataset) -> String {
    let counts = &dataset.counts;
    let count = |number: usize| thousands(number as u64);
    let (events, users, items) = (dataset.events.len(), dataset.users.len(), dataset.items.len());
    let mut text = format!("{} events of {} people with {} products", count(events), count(users), count(items));
    for (number, what) in [
        (counts.favourites, "favourites taken as views"),
        (counts.untimed, "rows without a time got the last known one"),
        (counts.dropped, "rows without a time left out"),
    ] {
        if number > 0 {
            let _ = write!(text, "; {} {what}", count(number));
        }
    }
    text
}

/// Prints the figures: as JSON one line, else a table if others are beside ours.
///
/// # Errors
/// They can't be written as JSON.
pub(super) fn print(judged: &Judged, compare: bool, json: bool) -> anyhow::Result<()> {
    judged.say_stopped();
    let Some(((_, ours), others)) = judged.figures.split_first() else { return Ok(()) };
    if json {
        let peers = others.iter().map(|(name, figures)| Ok((name.clone(), serde_json::to_value(figures)?)));
        let peers = compare.then(|| peers.collect::<serde_json::Result<_>>()).transpose()?;
        println!("{}", serde_json::to_string(&Line { ours: *ours, peers })?);
    } else if compare {
        let mut comparison = Comparison::default();
        judged.figures.iter().for_each(|(name, figures)| comparison.push(name, *figures));
        anstream::println!("{comparison}");
    } else {
        anstream::println!("{ours}");
    }
    Ok(())
}
