//! What came of the events.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::output::{Percentiles, Times, thousands};
use crate::style::{BOLD, GOOD, WARN, paint};

/// Different reasons that are counted apart.
const MAX_REASONS: usize = 20;
/// Where the others are counted.
const OTHER_REASONS: &str = "other reasons";

/// Counts while events are sent.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    started: Instant,
    sent: u64,
    acknowledged: u64,
    clicks: u64,
    retries: u64,
    refused: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    times: Times,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// It is in Kafka.
    Acknowledged,
    /// It is not, and sending it again would not help.
    Refused(String),
    /// Nobody knows: no answer, or a failure, at the last attempt too.
    Unknown(String),
}

impl Tally {
    /// Starts the clock.
    ///
    /// # Errors
    /// See [`Times::new`].
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            started: Instant::now(),
            sent: 0,
            acknowledged: 0,
            clicks: 0,
            retries: 0,
            refused: BTreeMap::new(),
            unknown: BTreeMap::new(),
            times: Times::new()?,
        })
    }

    /// Counts an event; `time` is that of its last attempt.
    pub(crate) fn count(&mut self, fate: Fate, time: Duration) {
        self.sent += 1;
        match fate {
            Fate::Acknowledged => {
                self.acknowledged += 1;
                self.times.record(time);
            }
            Fate::Refused(reason) => count_reason(&mut self.refused, reason),
            Fate::Unknown(reason) => count_reason(&mut self.unknown, reason),
        }
    }

    /// Counts attempts after the first.
    pub(crate) fn count_retries(&mut self, retries: u64) {
        self.retries += retries;
    }

    /// Counts a click on a recommendation that was shown.
    pub(crate) fn count_click(&mut self) {
        self.clicks += 1;
    }

    /// Events in Kafka.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The sum of it.
    pub(crate) fn summary(&self, seed: u64, interrupted: bool) -> Summary {
        let seconds = self.started.elapsed().as_secs_f64();
        Summary {
            seed,
            interrupted,
            sent: self.sent,
            acknowledged: self.acknowledged,
            recommendation_clicks: self.clicks,
            retries: self.retries,
            refused: self.refused.clone(),
            unknown: self.unknown.clone(),
            seconds,
            events_per_second: if seconds > 0.0 { self.acknowledged as f64 / seconds } else { 0.0 },
            request: self.times.percentiles(),
        }
    }
}

fn count_reason(reasons: &mut BTreeMap<String, u64>, reason: String) {
    let known = reasons.contains_key(&reason) || reasons.len() < MAX_REASONS;
    *reasons.entry(if known { reason } else { OTHER_REASONS.to_owned() }).or_default() += 1;
}

/// The result of `freshet simulate`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    seed: u64,
    interrupted: bool,
    sent: u64,
    acknowledged: u64,
    recommendation_clicks: u64,
    retries: u64,
    refused: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    seconds: f64,
    events_per_second: f64,
    request: Percentiles,
}

impl Summary {
    /// Was nothing sent?
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == 0
    }

    /// Is every event that was sent in Kafka?
    pub(crate) fn all_acknowledged(&self) -> bool {
        self.sent == self.acknowledged
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        let style = if self.all_acknowledged() { GOOD } else { WARN };
        let acknowledged = paint(style, thousands(self.acknowledged));
        writeln!(f, "{}         {}", paint(BOLD, "sent"), thousands(self.sent))?;
        writeln!(f, "{} {acknowledged}", paint(BOLD, "acknowledged"))?;
        for (what, reasons) in [("refused", &self.refused), ("unknown", &self.unknown)] {
            let total: u64 = reasons.values().sum();
            if total > 0 {
                writeln!(f, "{}      {}", paint(BOLD, what), paint(WARN, thousands(total)))?;
            }
            for (reason, count) in reasons {
                writeln!(f, "  {} × {reason}", thousands(*count))?;
            }
        }
        if self.recommendation_clicks > 0 {
            writeln!(
                f,
                "{}       {} on recommendations",
                paint(BOLD, "clicks"),
                thousands(self.recommendation_clicks)
            )?;
        }
        if self.retries > 0 {
            writeln!(f, "{}      {}", paint(BOLD, "retries"), thousands(self.retries))?;
        }
        writeln!(f, "{}         {:.1} events/s in {:.1} s", paint(BOLD, "rate"), self.events_per_second, self.seconds)?;
        writeln!(f, "{}      {}", paint(BOLD, "request"), self.request)?;
        write!(f, "{}         {}", paint(BOLD, "seed"), self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_each_fate_and_each_reason_within_bounds() {
        let mut tally = Tally::new().unwrap();
        for ms in 1..=100 {
            tally.count(Fate::Acknowledged, Duration::from_millis(ms));
        }
        for number in 0..1_000 {
            tally.count(Fate::Refused(format!("400 reason {number}")), Duration::ZERO);
        }
        tally.count(Fate::Unknown("no answer".into()), Duration::ZERO);
        let summary = tally.summary(7, true);
        assert_eq!((summary.sent, summary.acknowledged), (1_101, 100));
        assert_eq!(summary.refused.len(), MAX_REASONS + 1);
        assert_eq!(summary.refused.values().sum::<u64>(), 1_000);
        assert!((49.0..=51.0).contains(&summary.request.p50_ms), "{:?}", summary.request);
        assert!((98.0..=100.0).contains(&summary.request.p99_ms), "{:?}", summary.request);
        assert!(!summary.all_acknowledged());
        let text = summary.to_string();
        assert!(text.contains("interrupted") && text.contains("980 × other reasons"), "{text}");
    }
}
