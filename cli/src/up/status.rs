//! The status line.

use std::time::Instant;

use freshet_localstack::CloudStatus;
use freshet_localstack::mapping::{MappingState, MappingStatus};

use crate::output::thousands;

/// Makes lines of statuses; knows the last one, for rates.
#[derive(Debug, Default)]
pub(crate) struct StatusLine {
    last: Option<(Instant, u64)>,
}

impl StatusLine {
    /// `12.0 events/s · Recommend 0 behind · … · Api 1 process`.
    pub(crate) fn text(&mut self, status: &CloudStatus, now: Instant) -> String {
        // In the shop events come in through one topic; what follows from them is not counted again.
        let of_shop = |mapping: &&MappingStatus| mapping.topic == crate::cloud::USER_EVENTS;
        let is_shop = status.mappings.iter().any(|mapping| of_shop(&mapping));
        let counted = status.mappings.iter().filter(|mapping| !is_shop || of_shop(mapping));
        let events: u64 = counted.map(|mapping| mapping.records).sum();
        let rate = self.last.map_or(0.0, |(then, before)| {
            let seconds = (now - then).as_secs_f64();
            if seconds > 0.0 { events.saturating_sub(before) as f64 / seconds } else { 0.0 }
        });
        self.last = Some((now, events));
        let mut parts = vec![format!("{rate:.0} events/s")];
        for mapping in &status.mappings {
            let (function, lag) = (mapping.function.to_lowercase(), u64::try_from(mapping.lag).unwrap_or(0));
            match mapping.state {
                MappingState::Enabled => parts.push(format!("{function} {} behind", thousands(lag))),
                other => parts.push(format!(
                    "{function} {} ({} behind)",
                    format!("{other:?}").to_lowercase(),
                    thousands(lag)
                )),
            }
        }
        for function in &status.functions {
            if function.init_error.is_some() {
                parts.push(format!("{} does not start", function.logical_id.to_lowercase()));
            } else if function.restarts > 0 {
                parts.push(format!("{} restarted {}×", function.logical_id.to_lowercase(), function.restarts));
            }
        }
        match status.kafka_pid {
            Some(0) => parts.push("kafka is down".to_owned()),
            Some(_) if status.kafka_restarts > 0 => parts.push(format!("kafka restarted {}×", status.kafka_restarts)),
            _ => {}
        }
        parts.join(" · ")
    }
}
