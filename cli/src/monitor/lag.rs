//! The consumer groups' lag, looked at from outside now and then.

use std::time::Duration;

use freshet_stream::ProducerOptions;
use freshet_stream::groups::{self, Group, GroupState};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cloud::{ITEM_SIGNALS, METRICS, USER_EVENTS};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// How long Kafka may take to tell of one group.
const DEADLINE: Duration = Duration::from_secs(3);

/// The groups of the stack named `stack`.
pub(crate) fn groups(stack: &str) -> Vec<Group> {
    [("recommend", USER_EVENTS), ("learn", ITEM_SIGNALS), ("measure", METRICS)]
        .map(|(function, topic)| Group { group: format!("{stack}-{function}"), topic: topic.to_owned() })
        .into()
}

/// Reads the groups again and again. One that can't be read says why in its state.
pub(crate) fn follow(
    kafka: ProducerOptions,
    groups: Vec<Group>,
    stop: CancellationToken,
) -> mpsc::Receiver<Vec<GroupState>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while !stop.is_cancelled() && !sender.is_closed() {
            let (kafka, asked) = (kafka.clone(), groups.clone());
            let read = move || asked.iter().map(|group| state(&kafka, group)).collect();
            let Ok(states) = tokio::task::spawn_blocking(read).await else { return };
            if sender.send(states).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    });
    receiver
}

fn state(kafka: &ProducerOptions, group: &Group) -> GroupState {
    groups::read(kafka, group, DEADLINE).unwrap_or_else(|error| GroupState {
        group: group.group.clone(),
        topic: group.topic.clone(),
        state: error.to_string(),
        lag: -1,
        partitions: Vec::new(),
    })
}
