//! What came of the events.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::output::{Percentiles, Times, thousands};
use crate::style::{BOLD, DIM, GOOD, WARN, paint};

/// Different reasons that are counted apart.
const MAX_REASONS: usize = 20;
/// Parts of a run whose hits are told apart.
const QUARTERS: usize = 4;
/// Where the others are counted.
const OTHER_REASONS: &str = "other reasons";

/// Counts while events are sent.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    started: Instant,
    sent: u64,
    acknowledged: u64,
    clicks: u64,
    exposures: u64,
    retries: u64,
    refused: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    times: Times,
    /// Acknowledged events by second.
    by_second: BTreeMap<u64, u64>,
    /// Looks at a list: before which event, and whether it held what was wanted.
    looks: Vec<(u64, bool)>,
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
            exposures: 0,
            retries: 0,
            refused: BTreeMap::new(),
            unknown: BTreeMap::new(),
            times: Times::new()?,
            by_second: BTreeMap::new(),
            looks: Vec::new(),
        })
    }

    /// Counts an event; `time` is that of its last attempt.
    pub(crate) fn count(&mut self, fate: Fate, time: Duration) {
        self.sent += 1;
        match fate {
            Fate::Acknowledged => {
                self.acknowledged += 1;
                *self.by_second.entry(self.started.elapsed().as_secs()).or_default() += 1;
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

    /// Counts an acknowledged exposure: a list that was on the screen. It comes on top of the events that were asked for.
    pub(crate) fn count_exposure(&mut self) {
        self.exposures += 1;
    }

    /// Counts a look at the list just before event number `index`: did it hold what the shopper wanted?
    pub(crate) fn count_look(&mut self, index: u64, hit: bool) {
        self.looks.push((index, hit));
    }

    /// Hits by quarter of the events so far.
    fn quarters(&self) -> Vec<Quarter> {
        if self.looks.is_empty() {
            return Vec::new();
        }
        let mut quarters = [(0, 0); QUARTERS];
        for (index, hit) in &self.looks {
            let at = (*index * QUARTERS as u64 / self.sent.max(1)) as usize;
            let (looks, hits) = &mut quarters[at.min(QUARTERS - 1)];
            *looks += 1;
            *hits += u64::from(*hit);
        }
        quarters.map(|(looks, hits)| Quarter::new(looks, hits)).into()
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
            exposures: self.exposures,
            retries: self.retries,
            refused: self.refused.clone(),
            unknown: self.unknown.clone(),
            seconds,
            events_per_second: if seconds > 0.0 { self.acknowledged as f64 / seconds } else { 0.0 },
            busiest_second: self.by_second.values().copied().max().unwrap_or(0),
            request: self.times.percentiles(),
            hit_rate: self.quarters(),
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
    exposures: u64,
    retries: u64,
    refused: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    seconds: f64,
    events_per_second: f64,
    busiest_second: u64,
    request: Percentiles,
    hit_rate: Vec<Quarter>,
}

/// A quarter of the run: how often what a shopper wanted was in the list they had just before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Quarter {
    looks: u64,
    hits: u64,
    rate: Option<f64>,
}

impl Quarter {
    fn new(looks: u64, hits: u64) -> Self {
        Self { looks, hits, rate: (looks > 0).then(|| hits as f64 / looks as f64) }
    }
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
                "{}       {} on recommendations; {} lists looked at, each an event on top",
                paint(BOLD, "clicks"),
                thousands(self.recommendation_clicks),
                thousands(self.exposures)
            )?;
        }
        if self.retries > 0 {
            writeln!(f, "{}      {}", paint(BOLD, "retries"), thousands(self.retries))?;
        }
        let busiest = thousands(self.busiest_second);
        writeln!(
            f,
            "{}         {:.1} events/s in {:.1} s, {busiest} in the busiest second",
            paint(BOLD, "rate"),
            self.events_per_second,
            self.seconds
        )?;
        writeln!(f, "{}      {}", paint(BOLD, "request"), self.request)?;
        if !self.hit_rate.is_empty() {
            let rates: Vec<String> = self.hit_rate.iter().map(Quarter::to_string).collect();
            let looks = thousands(self.hit_rate.iter().map(|quarter| quarter.looks).sum());
            let says = paint(DIM, format!("by quarter: what they wanted was in the list ({looks} looks)"));
            writeln!(f, "{}         {} {says}", paint(BOLD, "hits"), rates.join(" → "))?;
        }
        write!(f, "{}         {}", paint(BOLD, "seed"), self.seed)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rate {
            Some(rate) => write!(f, "{:.0}%", rate * 100.0),
            None => f.write_str("–"),
        }
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

    #[test]
    fn hits_are_told_by_quarter_of_what_was_sent() {
        let mut tally = Tally::new().unwrap();
        for index in 0..400 {
            tally.count(Fate::Acknowledged, Duration::from_millis(1));
            if index % 2 == 0 {
                tally.count_look(index, index % 400 >= 100 * (4 - index / 100));
            }
        }
        let summary = tally.summary(7, false);
        assert_eq!(summary.hit_rate.iter().map(|quarter| quarter.looks).collect::<Vec<_>>(), [50; 4]);
        assert_eq!((summary.hit_rate[0].hits, summary.hit_rate[3].hits), (0, 50));
        assert!(summary.to_string().contains("0% → 0% → 100% → 100%"), "{summary}");
        assert!(Tally::new().unwrap().summary(7, false).hit_rate.is_empty());
    }
}
