//! The loop of a mapping: poll, close batches, invoke, commit.
//!
//! One task owns all books, so that there is nothing to lock and one order of things. Offsets are committed only for what was
//! answered; a crash at any moment delivers the rest again.

mod settle;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use rdkafka::error::KafkaResult;
use tokio_util::sync::CancellationToken;

use super::MappingOptions;
use super::batcher::{Batch, Batcher, Part};
use super::ledger::{Ledger, Pushed};
use super::on_failure::{Condition, Destination};
use super::record::Record;
use super::scaling::Scaling;
use super::source::{Event, OpenError, Source};
use super::status::{MappingState, Shared};
use super::switch::Switch;
use crate::functions::{Invoke, Outcome};
use crate::template::model::KafkaMapping;

/// How long a batch in flight may take to be answered once the mapping is told to stop.
const GRACE: Duration = Duration::from_secs(2);
/// Between two tries of a commit, or of joining the group, that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// The same problem is told once in this time.
const QUIET: Duration = Duration::from_secs(5);

/// What the loop waited for.
enum Next {
    Opened(Result<Source, OpenError>),
    Event(Event),
    Fetched(i32, KafkaResult<Record>),
    Answered(Batch, Outcome),
    GivenUp(Part),
    Tick,
    Due,
    Closing,
}

/// Everything a mapping has.
pub(super) struct Poller {
    mapping: KafkaMapping,
    options: MappingOptions,
    batcher: Arc<Batcher>,
    scaling: Scaling,
    destination: Option<Destination>,
    invoke: Arc<dyn Invoke>,
    status: Shared,
    closing: CancellationToken,
    /// `None` while it is being opened.
    source: Option<Source>,
    opening: Option<BoxFuture<'static, Result<Source, OpenError>>>,
    ledgers: BTreeMap<i32, Ledger>,
    /// The last epoch or group of a retry.
    last_id: u64,
    in_flight: FuturesUnordered<BoxFuture<'static, (Batch, Outcome)>>,
    giving_up: FuturesUnordered<BoxFuture<'static, Part>>,
    told: Option<(String, Instant)>,
}

impl Poller {
    pub(super) fn new(switch: &Switch, closing: CancellationToken, source: Option<Source>) -> Self {
        let (mapping, options) = (switch.mapping.clone(), switch.options.clone());
        Self {
            batcher: Arc::new(Batcher::new(&mapping, &options.bootstrap_servers)),
            scaling: Scaling::new(&mapping, options.scaling_interval, Instant::now()),
            destination: switch.destination.clone(),
            mapping,
            options,
            invoke: Arc::clone(&switch.invoke),
            status: switch.status.clone(),
            closing,
            source,
            opening: None,
            ledgers: BTreeMap::new(),
            last_id: 0,
            in_flight: FuturesUnordered::new(),
            giving_up: FuturesUnordered::new(),
            told: None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut tick = tokio::time::interval(AGAIN);
        loop {
            self.forget_lost();
            self.dispatch();
            match self.next(&mut tick).await {
                Next::Opened(opened) => self.opened(opened),
                Next::Event(Event::Failed(error)) => self.problem(&format!("reading: {error}")),
                Next::Event(Event::Stale(reason)) => self.reopen(&reason),
                Next::Fetched(partition, record) => self.fetched(partition, record),
                Next::Answered(batch, outcome) => self.settle(batch, &outcome),
                Next::GivenUp(part) => self.given_up(&part),
                Next::Tick => self.tick(),
                Next::Due => {}
                Next::Closing => return self.finish().await,
            }
        }
    }

    async fn next(&mut self, tick: &mut tokio::time::Interval) -> Next {
        let due = self.next_due();
        let Self { source, opening, ledgers, batcher, in_flight, giving_up, closing, .. } = self;
        let source = source.as_ref();
        let wanted = |partition: i32| ledgers.get(&partition).is_none_or(|ledger| !batcher.has_enough(ledger));
        tokio::select! {
            event = event(source) => Next::Event(event),
            (partition, record) = fetch(source, wanted) => Next::Fetched(partition, record),
            Some((batch, outcome)) = in_flight.next() => Next::Answered(batch, outcome),
            Some(part) = giving_up.next() => Next::GivenUp(part),
            opened = open(opening) => Next::Opened(opened),
            _ = tick.tick() => Next::Tick,
            () = sleep_until(due) => Next::Due,
            () = closing.cancelled() => Next::Closing,
        }
    }

    /// Waits a moment for what is in flight, commits, and leaves the group.
    async fn finish(mut self) {
        let deadline = tokio::time::Instant::now() + GRACE;
        while let Ok(Some((batch, outcome))) = tokio::time::timeout_at(deadline, self.in_flight.next()).await {
            self.settle(batch, &outcome);
        }
        if let Some(source) = self.source {
            source.close(positions(&self.ledgers)).await;
        }
    }

    fn opened(&mut self, opened: Result<Source, OpenError>) {
        self.opening = None;
        match opened {
            Ok(source) => self.source = Some(source),
            Err(OpenError::NoTopic) => self.problem(&format!("there is no topic {}", self.mapping.topic)),
            Err(OpenError::Refused(reason)) => self.problem(&format!("joining the group: {reason}")),
        }
    }

    /// Joins the group anew.
    fn reopen(&mut self, reason: &str) {
        self.problem(&format!("joining the group again: {reason}"));
        self.status.update(|status| status.state = MappingState::Enabling);
        self.source = None;
        let all: Vec<i32> = self.ledgers.keys().copied().collect();
        self.forget(&all);
    }

    /// Every half second: what failed and has no other occasion, and whether the pollers are enough.
    fn tick(&mut self) {
        self.scale(Instant::now());
        if self.source.is_none() && self.opening.is_none() {
            let (mapping, options, status) = (self.mapping.clone(), self.options.clone(), self.status.clone());
            self.opening = Some(Box::pin(Source::open(mapping, options, status)));
        }
        // The last batch of a lull must not stay uncommitted because the broker was away just then.
        if self.source.as_ref().is_some_and(Source::commit_failed) {
            self.forget_lost();
            self.commit();
        }
    }

    fn scale(&mut self, now: Instant) {
        if self.scaling.is_due(now) {
            let partitions = self.source.iter().flat_map(Source::partitions).count();
            self.scaling.look(self.status.get().lag, partitions, now);
        }
        self.status.update(|status| status.pollers = self.scaling.pollers());
    }

    fn forget_lost(&mut self) {
        let lost = self.source.as_ref().map(Source::lost).unwrap_or_default();
        self.forget(&lost);
    }

    /// Partitions that came or went begin with clean books; answers to their old batches are worth nothing. As long as one of
    /// those is in flight no other of the same partition is.
    fn forget(&mut self, partitions: &[i32]) {
        for partition in partitions {
            if self.ledgers.remove(partition).is_some_and(|ledger| ledger.in_flight) {
                let epoch = self.next_id();
                self.ledgers.insert(*partition, Ledger::held_up(epoch));
            }
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Takes a record, and whatever else is here already: a window of 0 delivers that as one batch.
    fn fetched(&mut self, partition: i32, record: KafkaResult<Record>) {
        self.forget_lost();
        self.push(partition, record);
        let partitions: Vec<i32> = self.source.iter().flat_map(Source::partitions).collect();
        for partition in partitions {
            while self.ledgers.get(&partition).is_none_or(|ledger| !self.batcher.has_enough(ledger)) {
                let Some(record) = self.source.as_ref().and_then(|source| source.take(partition)) else { break };
                self.push(partition, record);
            }
        }
    }

    fn push(&mut self, partition: i32, record: KafkaResult<Record>) {
        let record = match record {
            Ok(record) => record,
            Err(error) => return self.problem(&format!("reading partition {partition}: {error}")),
        };
        if !self.ledgers.contains_key(&partition) {
            let epoch = self.next_id();
            self.ledgers.insert(partition, Ledger::new(epoch));
        }
        let Some(ledger) = self.ledgers.get_mut(&partition) else { return };
        if let Pushed::Rewound(record) = ledger.push(record) {
            self.problem(&format!("partition {partition} begins anew at offset {}", record.offset));
            self.forget(&[partition]);
            let epoch = self.next_id();
            self.ledgers.entry(partition).or_insert_with(|| Ledger::new(epoch)).push(record);
        }
    }

    /// Closes batches while there is a free poller and a batch is due.
    fn dispatch(&mut self) {
        let now = Instant::now();
        while let Some(part) = self.batcher.take_oversized(&mut self.ledgers, now) {
            self.status.update(|status| status.oversized += 1);
            self.give_up(part, Condition::PayloadTooLarge, 0);
        }
        while let Some((part, failures)) = self.batcher.take_expired(&mut self.ledgers, now) {
            self.give_up(part, Condition::RecordAgeExceeded, failures);
        }
        while self.has_free_poller() && self.batcher.due(&self.ledgers, now).is_some_and(|due| due <= now) {
            let Some(batch) = self.batcher.close(&mut self.ledgers, now) else { return };
            if !batch.is_delivered() {
                // Nothing of it passes a filter: it is done without anybody.
                self.in_flight.push(Box::pin(async move { (batch, Outcome::Response(Bytes::new())) }));
                continue;
            }
            let (invoke, function) = (Arc::clone(&self.invoke), self.mapping.function.clone());
            self.in_flight.push(Box::pin(async move {
                let outcome = invoke.invoke(&function, batch.payload.clone()).await;
                (batch, outcome)
            }));
        }
    }

    fn has_free_poller(&self) -> bool {
        self.in_flight.len() < self.scaling.pollers() as usize
    }

    fn next_due(&self) -> Option<Instant> {
        if self.has_free_poller() { self.batcher.due(&self.ledgers, Instant::now()) } else { None }
    }
}

fn positions(ledgers: &BTreeMap<i32, Ledger>) -> impl Iterator<Item = (i32, i64)> {
    ledgers.iter().filter_map(|(partition, ledger)| Some((*partition, ledger.position?)))
}

async fn event(source: Option<&Source>) -> Event {
    match source {
        Some(source) => source.event().await,
        None => std::future::pending().await,
    }
}

async fn fetch(source: Option<&Source>, wanted: impl Fn(i32) -> bool) -> (i32, KafkaResult<Record>) {
    match source {
        Some(source) => source.fetch(wanted).await,
        None => std::future::pending().await,
    }
}

async fn open(opening: &mut Option<BoxFuture<'static, Result<Source, OpenError>>>) -> Result<Source, OpenError> {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
