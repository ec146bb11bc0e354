//! How many batches of a mapping run at one time.
//!
//! Provisioned mode has its maximum at once. On demand a mapping begins with one, and every minute gets another while more waits
//! than one round of batches takes, up to one a partition; it loses one where nothing waits or the function was throttled.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html>

use std::time::{Duration, Instant};

use crate::template::model::KafkaMapping;

/// The pollers of a mapping.
#[derive(Debug)]
pub(super) struct Scaling {
    pollers: u32,
    is_on_demand: bool,
    batch_size: i64,
    interval: Duration,
    next_look: Instant,
    throttled: bool,
}

impl Scaling {
    pub(super) fn new(mapping: &KafkaMapping, interval: Duration, now: Instant) -> Self {
        Self {
            pollers: if mapping.provisioned { mapping.maximum_pollers.max(1) } else { 1 },
            is_on_demand: !mapping.provisioned,
            batch_size: i64::from(mapping.batch_size.max(1)),
            interval,
            next_look: now + interval,
            throttled: false,
        }
    }

    /// Batches that may run at one time.
    pub(super) fn pollers(&self) -> u32 {
        self.pollers
    }

    /// The function had no place for a batch.
    pub(super) fn note_throttle(&mut self) {
        self.throttled = true;
    }

    /// Is it time to look at the lag?
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.is_on_demand && now >= self.next_look
    }

    /// Looks at the records that wait in all `partitions`.
    pub(super) fn look(&mut self, lag: i64, partitions: usize, now: Instant) {
        self.next_look = now + self.interval;
        let most = u32::try_from(partitions).unwrap_or(u32::MAX).max(1);
        let is_behind = lag > self.batch_size * i64::from(self.pollers);
        self.pollers = match (std::mem::take(&mut self.throttled), is_behind) {
            (false, true) => self.pollers + 1,
            (false, false) if lag > 0 => self.pollers,
            _ => self.pollers.saturating_sub(1),
        }
        .clamp(1, most);
    }
}
