//! The result of `freshet bench throughput`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::baseline::IN_FLIGHT;
use super::figures::Function;
use super::memory::Peak;
use crate::output::thousands;
use crate::style::{BOLD, GOOD, WARN, paint};

/// The function whose rate is the rate of the system.
const RECOMMEND: &str = "recommend";

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Throughput {
    pub(super) source: String,
    pub(super) storage: &'static str,
    /// Sessions that went on at the same time; 1: one after the other.
    pub(super) interleaved_sessions: u32,
    pub(super) interrupted: bool,
    /// Events in the topic.
    pub(super) events: u64,
    /// What it took to put them there.
    pub(super) preload_seconds: f64,
    /// What each function said of itself.
    pub(super) functions: BTreeMap<String, Function>,
    /// Batches, or parts of them, that came again.
    pub(super) retries: u64,
    /// Function processes that died.
    pub(super) restarts: u64,
    pub(super) peaks: Vec<Peak>,
    pub(super) baseline: Option<Baseline>,
    /// Our events a second by those of the bare loop.
    pub(super) ratio: Option<f64>,
    /// The bare loop's item is as large as recommend's were on average; else a typical size.
    pub(super) items_weighed: bool,
}

/// The bare loop.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Baseline {
    pub(super) events: u64,
    pub(super) seconds: f64,
    pub(super) events_per_second: f64,
    pub(super) item_bytes: usize,
    pub(super) writes_in_flight: usize,
}

impl Baseline {
    pub(super) fn new(events: u64, seconds: f64, item_bytes: usize) -> Self {
        let events_per_second = events as f64 / seconds.max(f64::EPSILON);
        Self { events, seconds, events_per_second, item_bytes, writes_in_flight: IN_FLIGHT }
    }
}

impl Throughput {
    /// Events a second from the first event of recommend's first batch to the last of its last; `None`: not all were applied.
    pub(super) fn events_per_second(&self) -> Option<f64> {
        let recommend = self.functions.get(RECOMMEND).filter(|recommend| recommend.records >= self.events)?;
        Some(self.events as f64 / recommend.seconds().filter(|seconds| *seconds > 0.0)?)
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        writeln!(
            f,
            "{} {} events ({}, {} at a time), DynamoDB in {}; preloaded in {:.1} s",
            paint(BOLD, "throughput"),
            thousands(self.events),
            self.source,
            if self.interleaved_sessions == 1 {
                "one session".to_owned()
            } else {
                format!("{} sessions", self.interleaved_sessions)
            },
            if self.storage == "disk" { "a file" } else { "memory" },
            self.preload_seconds
        )?;
        let rate = self.events_per_second().map_or_else(
            || paint(WARN, "recommend has not applied all events"),
            |rate| format!("{} events/s", paint(GOOD, format!("{rate:.0}"))),
        );
        writeln!(f, "  Kafka → recommend → DynamoDB  {rate}")?;
        if let Some(baseline) = &self.baseline {
            writeln!(
                f,
                "  bare loop                     {:.0} events/s ({} events, one {}-byte item each, {} writes in flight{})",
                baseline.events_per_second,
                thousands(baseline.events),
                baseline.item_bytes,
                baseline.writes_in_flight,
                if self.items_weighed { "" } else { ", typical size" },
            )?;
        }
        if let Some(ratio) = self.ratio {
            let style = if ratio >= 1.0 { GOOD } else { WARN };
            writeln!(f, "  ratio                         {}", paint(style, format!("{ratio:.2}")))?;
        }
        let first = self.functions.get(RECOMMEND).and_then(|recommend| recommend.first_ms);
        // Of an interrupted run, by the events that were applied.
        let applied =
            self.functions.get(RECOMMEND).map_or(0, |recommend| recommend.records).clamp(1, self.events.max(1));
        for (name, function) in &self.functions {
            let units = function.units();
            let by_event = |units: f64| units / applied as f64;
            let caught_up = first.zip(function.last_ms).map_or(0.0, |(first, last)| (last - first) / 1_000.0);
            writeln!(
                f,
                "  {:<10} {} records in {} batches (mean {:.0}), done after {caught_up:.1} s, per event {:.2} write and {:.2} read units",
                name,
                thousands(function.records),
                thousands(function.batches),
                function.records as f64 / function.batches.max(1) as f64,
                by_event(units.write),
                by_event(units.read),
            )?;
            for (table, units) in &function.capacity {
                writeln!(f, "    {table}: {:.3} write, {:.3} read", by_event(units.write), by_event(units.read))?;
            }
        }
        let dead: u64 = self.functions.values().map(|function| function.dead).sum();
        if dead + self.retries + self.restarts > 0 {
            let text = format!("{dead} dead letters, {} retries, {} restarts", self.retries, self.restarts);
            writeln!(f, "  {}", paint(WARN, text))?;
        }
        let peaks: Vec<String> = self.peaks.iter().map(ToString::to_string).collect();
        write!(f, "  peak memory: {}", peaks.join(" · "))
    }
}
