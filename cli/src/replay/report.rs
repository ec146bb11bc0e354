//! The live engine and the candidate beside each other.

use std::fmt::{self, Write as _};

use freshet_engine::Config;
use freshet_evaluation::{Accuracy, Dataset, Figures};
use freshet_events::iso8601;
use serde::Serialize;
use serde_json::{Map, json};

use super::history::Counts;
use crate::engine_config;
use crate::judge::Judged;
use crate::output::thousands;
use crate::style::{BOLD, paint};

/// What is replayed, in one line.
pub(super) fn described(dataset: &Dataset, counts: Counts) -> String {
    let count = |number: usize| thousands(number as u64);
    let (events, users, items) = (dataset.events.len(), dataset.users.len(), dataset.items.len());
    let mut text = format!("{} events of {} people with {} products", count(events), count(users), count(items));
    if let Some((first, last)) = counts.span_ms {
        let _ = write!(text, ", {} to {}", iso8601(first), iso8601(last));
    }
    if counts.unreadable + counts.doubles + counts.exposures > 0 {
        let _ = write!(text, "; left out: {}", counts.left_out());
    }
    text
}

/// The result. The differences are the candidate's figures minus the live ones.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Times of the first and the last event, ISO 8601.
    from: Option<String>,
    until: Option<String>,
    events: usize,
    people: usize,
    /// Products that events or the catalogue know.
    products: usize,
    left_out: Counts,
    /// Settings that differ: live and candidate.
    changed: Map<String, serde_json::Value>,
    live: Option<Figures>,
    /// None where it was stopped before.
    candidate: Option<Figures>,
    /// None where one of them was stopped on its way: they saw different events.
    difference: Option<Difference>,
    #[serde(skip)]
    settings: Vec<(&'static str, String, String)>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Difference {
    #[serde(flatten)]
    all: Accuracy,
    first5000: Accuracy,
    coverage20: f64,
    filled: f64,
}

impl Difference {
    fn of(live: &Figures, candidate: &Figures) -> Self {
        let accuracy = |a: Accuracy, b: Accuracy| Accuracy { hr20: b.hr20 - a.hr20, mrr20: b.mrr20 - a.mrr20 };
        Self {
            all: accuracy(live.all, candidate.all),
            first5000: accuracy(live.first5000, candidate.first5000),
            coverage20: candidate.coverage20 - live.coverage20,
            filled: candidate.filled - live.filled,
        }
    }
}

impl Report {
    /// Of what came out.
    pub(super) fn new(dataset: &Dataset, counts: Counts, live: &Config, candidate: &Config, judged: &Judged) -> Self {
        let settings = engine_config::differences(live, candidate);
        let changed = settings
            .iter()
            .map(|(name, a, b)| ((*name).to_owned(), json!({"live": number(a), "candidate": number(b)})));
        let figures = |name: &str| judged.figures.iter().find(|(known, _)| known == name).map(|(_, figures)| *figures);
        let (live, candidate) = (figures("live"), figures("candidate"));
        let both = live.as_ref().zip(candidate.as_ref()).filter(|_| judged.stopped.is_none());
        Self {
            from: counts.span_ms.map(|(first, _)| iso8601(first)),
            until: counts.span_ms.map(|(_, last)| iso8601(last)),
            events: dataset.events.len(),
            people: dataset.users.len(),
            products: dataset.items.len(),
            left_out: counts,
            changed: changed.collect(),
            difference: both.map(|(live, candidate)| Difference::of(live, candidate)),
            live,
            candidate,
            settings,
        }
    }

    /// Prints it: as JSON one line.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
        } else {
            anstream::println!("{self}");
        }
        Ok(())
    }

    /// Name, live, candidate, difference.
    fn rows(&self) -> Vec<[String; 4]> {
        let row = |name: &str, digits: usize, of: &dyn Fn(&Figures) -> Option<f64>| {
            let value = |figures: &Option<Figures>| figures.as_ref().and_then(of);
            let (live, candidate) = (value(&self.live), value(&self.candidate));
            let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
            let difference = live.zip(candidate).filter(|_| self.difference.is_some()).map(|(a, b)| b - a);
            // A difference of nothing has no sign.
            let difference = difference.map_or_else(String::new, |d| match format!("{d:+.digits$}") {
                text if text.trim_start_matches(['+', '-', '0', '.']).is_empty() => "=".to_owned(),
                text => text,
            });
            [name.to_owned(), shown(live), shown(candidate), difference]
        };
        vec![
            row("HR@20", 4, &|f| Some(f.all.hr20)),
            row("MRR@20", 4, &|f| Some(f.all.mrr20)),
            row("HR@20 of the first 5000", 4, &|f| Some(f.first5000.hr20)),
            row("MRR@20 of the first 5000", 4, &|f| Some(f.first5000.mrr20)),
            row("coverage@20", 4, &|f| Some(f.coverage20)),
            row("filled with popular", 4, &|f| Some(f.filled)),
            row("predictions", 0, &|f| Some(f.predictions as f64)),
            row("a list takes p50, µs", 1, &|f| Some(f.recommend_us.p50)),
            row("a list takes p99, µs", 1, &|f| Some(f.recommend_us.p99)),
            row("learns, events a second", 0, &|f| Some(f.learn_per_s)),
            row("typical bytes of an item", 0, &|f| f.bytes.map(|bytes| bytes.item.p50 as f64)),
            row("typical bytes of a person", 0, &|f| f.bytes.map(|bytes| bytes.person.p50 as f64)),
        ]
    }
}

/// A setting's text as JSON.
fn number(text: &str) -> serde_json::Value {
    text.parse().unwrap_or_else(|_| json!(text))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.settings.is_empty() {
            writeln!(f, "The candidate has the live settings.")?;
        }
        for (name, live, candidate) in &self.settings {
            writeln!(f, "{name}: {live} → {candidate}")?;
        }
        let head = ["", "live", "candidate", "difference"].map(str::to_owned);
        let rows = self.rows();
        let width = |column: usize| {
            std::iter::once(&head).chain(&rows).map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths = [0, 1, 2, 3].map(width);
        for (n, row) in std::iter::once(&head).chain(&rows).enumerate() {
            let [name, cells @ ..] = row;
            let mut line = format!("{name:<0$}", widths[0]);
            for (cell, width) in cells.iter().zip(&widths[1..]) {
                write!(line, "  {cell:>width$}")?;
            }
            let line = if n == 0 { paint(BOLD, line.trim_end()) } else { line.trim_end().to_owned() };
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}
