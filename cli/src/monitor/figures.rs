//! The figures: those of `GET /api/recommendations/metrics/live`, counted by the same code from the same topic.

use std::collections::BTreeMap;

use freshet_events::{MetricsRecord, iso8601};
use freshet_store::live::{Live, StrategyFigures};
use freshet_stream::groups::GroupState;
use serde::Serialize;

/// Seconds and minutes that are shown.
pub(crate) const SHOWN: i64 = 60;
/// The function whose batches are persons' events.
const RECOMMEND: &str = "recommend";

/// Counts what functions say of their batches.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    live: Live,
    /// Processing time by second since the epoch: sum over the events, and their number.
    latency: BTreeMap<i64, (f64, u64)>,
}

/// All figures at one moment, named as the API names them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moment {
    /// Events a second over the last ten seconds.
    pub(crate) events_per_second: f64,
    /// Mean processing time of the last hour.
    pub(crate) mean_processing_ms: Option<f64>,
    /// 99 of 100 events of the last hour are at or under it.
    pub(crate) p99_processing_ms: Option<f64>,
    /// Share of choices that were in the list shown before.
    pub(crate) precision: Option<f64>,
    /// … of the last hour.
    pub(crate) recent_precision: Option<f64>,
    /// Events processed.
    pub(crate) total_events: u64,
    /// Records given up.
    pub(crate) dead_letters: u64,
    /// By strategy.
    pub(crate) strategies: BTreeMap<String, Strategy>,
    /// Records that wait, over all groups.
    pub(crate) lag: i64,
    /// Records that wait, by group; -1: it can't be read.
    pub(crate) lag_by_group: BTreeMap<String, i64>,
    /// When the last batch was done.
    pub(crate) last_update: Option<String>,
}

/// Figures of one strategy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Strategy {
    /// Events of persons on it.
    pub(crate) events: u64,
    /// Choices of persons with a list of it.
    pub(crate) choices: u64,
    /// … that were in the list.
    pub(crate) hits: u64,
    /// Hits of choices.
    pub(crate) precision: Option<f64>,
    /// Clicks that name it.
    pub(crate) clicks: u64,
    /// Exposures that name it.
    pub(crate) exposures: u64,
    /// Clicks of exposures.
    pub(crate) click_rate: Option<f64>,
}

impl Figures {
    /// Counts a batch.
    pub(crate) fn apply(&mut self, record: &MetricsRecord) {
        let before = self.live.total.events;
        if !self.live.apply(record) || record.function != RECOMMEND {
            return;
        }
        let new = self.live.total.events - before;
        let second = self.latency.entry(record.at.div_euclid(1_000)).or_default();
        second.0 += record.duration_ms.max(0.0) * new as f64;
        second.1 += new;
        let newest = self.live.last_update_ms.div_euclid(1_000);
        self.latency.retain(|at, _| *at > newest - SHOWN);
    }

    /// The figures at `now_ms`, beside the lag of `groups`.
    pub(crate) fn at(&self, now_ms: i64, groups: &[GroupState]) -> Moment {
        let (live, recent) = (&self.live, self.live.recent(now_ms));
        Moment {
            events_per_second: live.events_per_second(now_ms),
            mean_processing_ms: recent.mean_ms(),
            p99_processing_ms: recent.quantile_ms(0.99),
            precision: live.total.precision(),
            recent_precision: recent.precision(),
            total_events: live.total.events,
            dead_letters: live.total.dead,
            strategies: live.by_strategy.iter().map(|(name, figures)| (name.clone(), strategy(figures))).collect(),
            lag: groups.iter().map(|group| group.lag.max(0)).sum(),
            lag_by_group: groups.iter().map(|group| (group.group.clone(), group.lag)).collect(),
            last_update: (live.last_update_ms > 0).then(|| iso8601(live.last_update_ms)),
        }
    }

    /// Choices and hits since the beginning.
    pub(crate) fn choices(&self) -> (u64, u64) {
        (self.live.total.choices, self.live.total.hits)
    }

    /// Events by second, the last [`SHOWN`] whole ones before `now_ms`.
    pub(crate) fn rates(&self, now_ms: i64) -> Vec<u64> {
        let now = now_ms.div_euclid(1_000);
        (now - SHOWN..now).map(|second| self.live.seconds.get(&second).copied().unwrap_or(0)).collect()
    }

    /// Mean processing time by second, microseconds; `None`: nothing was processed.
    pub(crate) fn latencies(&self, now_ms: i64) -> Vec<Option<u64>> {
        let now = now_ms.div_euclid(1_000);
        let mean = |(sum, events): &(f64, u64)| (*events > 0).then(|| (sum / *events as f64 * 1_000.0) as u64);
        (now - SHOWN..now).map(|second| self.latency.get(&second).and_then(mean)).collect()
    }

    /// Precision by minute, per mille, with the minute that runs; `None`: nobody chose.
    pub(crate) fn precisions(&self, now_ms: i64) -> Vec<Option<u64>> {
        let now = now_ms.div_euclid(60_000);
        let of = |minute| Some((self.live.minutes.get(&minute)?.precision()? * 1_000.0) as u64);
        (now - SHOWN + 1..=now).map(of).collect()
    }
}

fn strategy(figures: &StrategyFigures) -> Strategy {
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    Strategy {
        events: figures.events,
        choices: figures.choices,
        hits: figures.hits,
        precision: share(figures.hits, figures.choices),
        clicks: figures.clicks,
        exposures: figures.exposures,
        click_rate: share(figures.clicks, figures.exposures),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use freshet_events::metrics::{Listed, Outcome, PartitionOutcomes};

    /// A batch of `events` events from `offset` on, of which every second one was in the list.
    pub(crate) fn batch(at: i64, offset: u64, events: u64, duration_ms: f64) -> MetricsRecord {
        let outcome = |offset: u64| Outcome {
            offset,
            event_type: if offset.is_multiple_of(10) { 4 } else { 0 },
            strategy: 3,
            listed: if offset.is_multiple_of(2) { Listed::Yes } else { Listed::No },
            clicked: 3,
        };
        MetricsRecord {
            function: RECOMMEND.to_owned(),
            at,
            generation: 1,
            records: events,
            dead: 0,
            duration_ms,
            capacity: BTreeMap::new(),
            outcomes: vec![PartitionOutcomes {
                partition: 0,
                events: (offset..offset + events).map(outcome).collect(),
            }],
        }
    }

    #[test]
    fn the_figures_are_those_of_the_api_and_a_redelivered_batch_changes_none() {
        let (mut figures, now) = (Figures::default(), 1_790_000_060_000);
        for _ in 0..3 {
            figures.apply(&batch(now - 2_500, 0, 100, 4.0));
        }
        let moment = figures.at(now, &[]);
        assert_eq!((moment.total_events, moment.precision, moment.recent_precision), (100, Some(0.5), Some(0.5)));
        assert_eq!((moment.events_per_second, moment.mean_processing_ms), (10.0, Some(4.0)));
        assert_eq!((moment.strategies["hybrid"].clicks, moment.strategies["hybrid"].click_rate), (10, None));
        assert_eq!(
            (figures.rates(now)[57], figures.latencies(now)[57], figures.latencies(now)[58]),
            (100, Some(4_000), None)
        );
        assert_eq!((figures.rates(now).len(), figures.precisions(now).len()), (60, 60));
        assert_eq!(figures.precisions(now)[59], Some(500));
        let json = serde_json::to_value(&moment).unwrap();
        assert_eq!(json["meanProcessingMs"], 4.0);
    }
}
