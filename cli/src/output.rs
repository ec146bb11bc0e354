//! What commands print: progress on stderr, results on stdout, as text or as JSON.

use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// A bar for `total` steps; hidden where stderr is not a terminal.
pub(crate) fn bar(total: Option<u64>, what: &'static str) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{prefix} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta} {msg}")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {prefix} {human_pos} {per_sec} {elapsed} {msg}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_prefix(what)
}

/// A spinner that turns by itself; hidden where stderr is not a terminal.
pub(crate) fn spinner(what: impl Into<String>) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    let spinner = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.set_message(what.into());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Prints a result: its text, or itself as one JSON document.
///
/// # Errors
/// It can't be written as JSON.
pub(crate) fn result<T: Serialize + std::fmt::Display>(result: &T, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(result)?);
    } else {
        anstream::println!("{result}");
    }
    Ok(())
}

/// Durations from a microsecond to a minute, to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Percentiles {
    /// How many were measured.
    pub(crate) n: u64,
    /// The median.
    pub(crate) p50_ms: f64,
    /// 9 of 10 are at or under it.
    pub(crate) p90_ms: f64,
    /// 99 of 100 are at or under it.
    pub(crate) p99_ms: f64,
    /// The slowest.
    pub(crate) max_ms: f64,
}

impl Times {
    /// None yet.
    ///
    /// # Errors
    /// Never, with these bounds; the histogram's own type says it could.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 60_000_000, 3)?))
    }

    /// Adds one; what is longer than a minute counts as a minute.
    pub(crate) fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// What there is so far.
    pub(crate) fn percentiles(&self) -> Percentiles {
        if self.0.is_empty() {
            return Percentiles::default();
        }
        let at = |quantile: f64| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        Percentiles {
            n: self.0.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: self.0.max() as f64 / 1_000.0,
        }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50_ms, p90_ms, p99_ms, max_ms, .. } = self;
        write!(f, "p50 {p50_ms:.1} ms · p90 {p90_ms:.1} ms · p99 {p99_ms:.1} ms · max {max_ms:.1} ms")
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
