//! kill -9 in mid-batch, again and again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::support::{Place, Topic, broker, numbers, run, until};

const KILLS: usize = 50;
const PARTITIONS: i32 = 4;
const RECORDS: usize = 1_500;

/// What a journal says: batches that were begun, and those that were answered.
#[derive(Default)]
struct Journal {
    begun: Vec<Vec<Place>>,
    done: Vec<Vec<Place>>,
}

impl Journal {
    fn read(path: &Path) -> Self {
        let mut journal = Self::default();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // A line that is being written has no end yet.
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        for line in whole.lines() {
            let (what, places) = line.split_once(' ').unwrap();
            let place = |text: &str| {
                let (partition, offset) = text.split_once(':').unwrap();
                (partition.parse().unwrap(), offset.parse().unwrap())
            };
            let places = places.split(' ').map(place).collect();
            if what == "done" { journal.done.push(places) } else { journal.begun.push(places) }
        }
        journal
    }

    fn answered(&self) -> BTreeSet<Place> {
        self.done.iter().flatten().copied().collect()
    }
}

/// A mapping in a process of its own, which does not outlive the test.
struct Running(Child);

impl Running {
    /// kill -9.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(servers: &str, topic: &str, journal: &Path) -> Running {
    let examples = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples");
    let mut command = Command::new(examples.join("test_mapping"));
    Running(command.args([servers, topic]).arg(journal).stdin(Stdio::null()).spawn().unwrap())
}

/// What the group has committed, by partition.
fn committed(servers: &str, topic: &str) -> Vec<i64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", format!("group-{topic}"));
    let consumer: BaseConsumer = config.create().unwrap();
    let mut asked = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        asked.add_partition(topic, partition);
    }
    let found = consumer.committed_offsets(asked, Duration::from_secs(20)).unwrap();
    let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    found.elements().iter().map(|element| offset(element.offset())).collect()
}

#[test]
fn fifty_kills_in_mid_batch_skip_nothing_and_commit_nothing_unanswered() {
    run(async {
        let servers = broker().await.bootstrap_servers();
        let topic = Topic::new(PARTITIONS.cast_unsigned()).await;
        for partition in 0..PARTITIONS {
            topic.send(partition, numbers(0..RECORDS)).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for life in 0..KILLS {
            let before = Journal::read(&path);
            let mut child = spawn(&servers, &topic.name, &path);
            // A few batches are answered; then it is killed as soon as one is open.
            until("an open batch", || {
                let now = Journal::read(&path);
                let open = now.begun.len() - before.begun.len() > now.done.len() - before.done.len();
                now.done.len() > before.done.len() + life % 3 && open
            })
            .await;
            child.kill();
            let answered = Journal::read(&path).answered();
            for (partition, offset) in (0..).zip(committed(&servers, &topic.name)) {
                let missing = (0..offset).find(|below| !answered.contains(&(partition, *below)));
                assert_eq!(missing, None, "life {life}: partition {partition} is committed to {offset}");
            }
        }
        let mut child = spawn(&servers, &topic.name, &path);
        let all = usize::try_from(PARTITIONS).unwrap() * RECORDS;
        until("every record", || Journal::read(&path).answered().len() == all).await;
        child.kill();
        let journal = Journal::read(&path);
        assert!(journal.begun.len() > journal.done.len() + KILLS / 2, "they were killed in mid-batch");
    });
}
