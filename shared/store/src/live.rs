//! Live figures: what `measure` keeps of the `metrics` topic, and what `GET /api/recommendations/metrics/live` shows.
//!
//! Pure: a record comes in, the figures change. Every event is counted once, by its source offset.

use std::collections::BTreeMap;

use freshet_events::EventType;
use freshet_events::metrics::{DEAD, Listed, MetricsRecord, Outcome, STRATEGIES};
use serde::{Deserialize, Serialize};

/// Minutes that are kept.
const MINUTES: i64 = 60;
/// Seconds that are kept.
const SECONDS: i64 = 60;
/// The window of [`Live::events_per_second`], seconds.
const RATE_WINDOW_S: i64 = 10;
/// Histogram buckets: bucket b holds durations up to 0.1 · 1.25^b milliseconds.
const BUCKETS: u32 = 72;

/// The figures that one partition of the `metrics` topic has led to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Live {
    /// Offsets counted, by function, topic generation and source partition.
    pub watermarks: BTreeMap<String, u64>,
    /// Since the beginning.
    pub total: Figures,
    /// Since the beginning, by event type.
    pub by_type: BTreeMap<String, u64>,
    /// Since the beginning, by strategy.
    pub by_strategy: BTreeMap<String, StrategyFigures>,
    /// By minute since the epoch.
    pub minutes: BTreeMap<i64, Figures>,
    /// Events by second since the epoch.
    pub seconds: BTreeMap<i64, u64>,
    /// When the last batch was done, milliseconds since the epoch.
    pub last_update_ms: i64,
}

/// Sums.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Figures {
    /// Events processed.
    pub events: u64,
    /// Records given up.
    pub dead: u64,
    /// Events that chose a product while a list was known.
    pub choices: u64,
    /// … whose product was in that list.
    pub hits: u64,
    /// Sum of the events' processing times, milliseconds.
    pub duration_ms: f64,
    /// Events by processing time: logarithmic buckets.
    pub histogram: BTreeMap<u32, u64>,
}

/// Sums of one strategy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StrategyFigures {
    /// Events of persons on it.
    pub events: u64,
    /// Choices of persons with a list of it.
    pub choices: u64,
    /// … that were in the list.
    pub hits: u64,
    /// Clicks that name it.
    pub clicks: u64,
    /// Exposures that name it.
    pub exposures: u64,
}

impl Live {
    /// Counts a record. False: nothing in it was new.
    pub fn apply(&mut self, record: &MetricsRecord) -> bool {
        let mut counted = Figures::default();
        for partition in &record.outcomes {
            let key = format!("{}:{}:{}", record.function, record.generation, partition.partition);
            let mut mark = self.watermarks.get(&key).copied();
            for outcome in &partition.events {
                if mark.is_none_or(|mark| outcome.offset > mark) {
                    mark = Some(outcome.offset);
                    self.count(outcome, &mut counted);
                }
            }
            if let Some(mark) = mark {
                self.watermarks.insert(key, mark);
            }
        }
        // Dead letters are outcomes too (event type 255), so a batch without a new outcome has nothing new at all.
        if counted.events + counted.dead == 0 {
            return false;
        }
        let duration = if record.duration_ms.is_finite() { record.duration_ms.max(0.0) } else { 0.0 };
        counted.duration_ms = duration * counted.events as f64;
        if counted.events > 0 {
            counted.histogram.insert(bucket(duration), counted.events);
        }
        self.total.add(&counted);
        let minute = record.at.div_euclid(60_000);
        self.minutes.entry(minute).or_default().add(&counted);
        let second = record.at.div_euclid(1_000);
        *self.seconds.entry(second).or_default() += counted.events;
        self.last_update_ms = self.last_update_ms.max(record.at);
        let newest = self.last_update_ms;
        self.minutes.retain(|at, _| *at > newest.div_euclid(60_000) - MINUTES);
        self.seconds.retain(|at, _| *at > newest.div_euclid(1_000) - SECONDS);
        true
    }

    fn count(&mut self, outcome: &Outcome, figures: &mut Figures) {
        let Some(event_type) = EventType::ALL.get(usize::from(outcome.event_type)) else {
            // A double counts for nothing.
            figures.dead += u64::from(outcome.event_type == DEAD);
            return;
        };
        figures.events += 1;
        *self.by_type.entry(event_type.as_str().to_owned()).or_default() += 1;
        let strategy = self.by_strategy.entry(strategy_name(outcome.strategy)).or_default();
        strategy.events += 1;
        if outcome.listed != Listed::Unknown {
            strategy.choices += 1;
            figures.choices += 1;
        }
        if outcome.listed == Listed::Yes {
            strategy.hits += 1;
            figures.hits += 1;
        }
        match event_type {
            EventType::RecommendationClick => {
                self.by_strategy.entry(strategy_name(outcome.clicked)).or_default().clicks += 1;
            }
            EventType::RecommendationView => {
                self.by_strategy.entry(strategy_name(outcome.clicked)).or_default().exposures += 1;
            }
            _ => {}
        }
    }

    /// Adds the figures of another partition of the `metrics` topic.
    pub fn merge(&mut self, other: &Self) {
        self.watermarks.extend(other.watermarks.iter().map(|(key, mark)| (key.clone(), *mark)));
        self.total.add(&other.total);
        add_all(&mut self.by_type, &other.by_type);
        add_all(&mut self.seconds, &other.seconds);
        for (minute, figures) in &other.minutes {
            self.minutes.entry(*minute).or_default().add(figures);
        }
        for (name, figures) in &other.by_strategy {
            let sum = self.by_strategy.entry(name.clone()).or_default();
            sum.events += figures.events;
            sum.choices += figures.choices;
            sum.hits += figures.hits;
            sum.clicks += figures.clicks;
            sum.exposures += figures.exposures;
        }
        self.last_update_ms = self.last_update_ms.max(other.last_update_ms);
    }

    /// Events per second over the last ten whole seconds before `now_ms`.
    pub fn events_per_second(&self, now_ms: i64) -> f64 {
        let now = now_ms.div_euclid(1_000);
        let events: u64 = self.seconds.range(now - RATE_WINDOW_S..now).map(|(_, events)| events).sum();
        events as f64 / RATE_WINDOW_S as f64
    }

    /// The figures of the minutes that are kept.
    pub fn recent(&self, now_ms: i64) -> Figures {
        let since = now_ms.div_euclid(60_000) - MINUTES;
        let mut recent = Figures::default();
        self.minutes.range(since + 1..).for_each(|(_, figures)| recent.add(figures));
        recent
    }
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.dead += other.dead;
        self.choices += other.choices;
        self.hits += other.hits;
        self.duration_ms += other.duration_ms;
        add_all(&mut self.histogram, &other.histogram);
    }

    /// Share of choices that had been recommended; `None` while there was no choice.
    pub fn precision(&self) -> Option<f64> {
        (self.choices > 0).then(|| self.hits as f64 / self.choices as f64)
    }

    /// Mean processing time of an event, milliseconds.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.events > 0).then(|| self.duration_ms / self.events as f64)
    }

    /// The processing time that the share `q` of the events stays under, milliseconds, to 25%.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let events: u64 = self.histogram.values().sum();
        let mut left = (events as f64 * q).ceil() as u64;
        self.histogram.iter().find_map(|(bucket, events)| {
            left = left.saturating_sub(*events);
            (left == 0).then(|| bound_ms(*bucket))
        })
    }
}

fn add_all<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += count;
    }
}

fn strategy_name(code: u8) -> String {
    (*STRATEGIES.get(usize::from(code)).unwrap_or(&STRATEGIES[0])).to_owned()
}

fn bucket(duration_ms: f64) -> u32 {
    if duration_ms <= 0.1 {
        0
    } else {
        ((duration_ms / 0.1).ln() / 1.25_f64.ln()).ceil().min(f64::from(BUCKETS)) as u32
    }
}

fn bound_ms(bucket: u32) -> f64 {
    0.1 * 1.25_f64.powi(bucket.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use freshet_events::metrics::PartitionOutcomes;

    fn record(offsets: std::ops::Range<u64>, listed: Listed) -> MetricsRecord {
        let outcome = |offset| Outcome { offset, event_type: 0, strategy: 3, listed, clicked: 0 };
        MetricsRecord {
            function: "recommend".into(),
            at: 1_790_000_000_000,
            generation: 1,
            records: offsets.end - offsets.start,
            dead: 0,
            duration_ms: 4.0,
            capacity: BTreeMap::new(),
            outcomes: vec![PartitionOutcomes { partition: 2, events: offsets.map(outcome).collect() }],
        }
    }

    #[test]
    fn a_redelivered_or_overlapping_record_counts_each_event_once() {
        let mut live = Live::default();
        assert!(live.apply(&record(0..10, Listed::Yes)));
        assert!(!live.apply(&record(0..10, Listed::Unknown)));
        assert!(live.apply(&record(5..20, Listed::No)));
        assert_eq!((live.total.events, live.total.choices, live.total.hits), (20, 20, 10));
        assert_eq!(live.by_strategy["hybrid"].events, 20);
        assert_eq!(live.total.precision(), Some(0.5));
    }

    #[test]
    fn clicks_count_for_the_strategy_they_name() {
        let mut live = Live::default();
        let mut click = record(0..1, Listed::Yes);
        click.outcomes[0].events[0] =
            Outcome { offset: 0, event_type: 4, strategy: 3, listed: Listed::Yes, clicked: 1 };
        live.apply(&click);
        assert_eq!((live.by_strategy["collaborative"].clicks, live.by_strategy["hybrid"].clicks), (1, 0));
    }

    #[test]
    fn a_double_counts_for_nothing_and_a_dead_letter_as_one() {
        let mut live = Live::default();
        let mut others = record(0..2, Listed::Unknown);
        others.outcomes[0].events[0].event_type = freshet_events::metrics::DOUBLE;
        others.outcomes[0].events[1].event_type = DEAD;
        assert!(live.apply(&others));
        assert_eq!((live.total.events, live.total.dead), (0, 1));
    }

    #[test]
    fn quantiles_are_within_a_quarter() {
        let mut live = Live::default();
        live.apply(&record(0..100, Listed::Unknown));
        let p99 = live.total.quantile_ms(0.99).unwrap();
        assert!((4.0..=5.0).contains(&p99), "{p99}");
        assert_eq!(live.total.mean_ms(), Some(4.0));
    }

    #[test]
    fn a_second_partition_of_metrics_adds_up() {
        let (mut one, mut two) = (Live::default(), Live::default());
        one.apply(&record(0..10, Listed::Yes));
        two.apply(&record(0..5, Listed::No));
        one.merge(&two);
        assert_eq!((one.total.events, one.total.hits), (15, 10));
        assert!((one.events_per_second(1_790_000_005_000) - 1.5).abs() < 1e-9);
    }
}
