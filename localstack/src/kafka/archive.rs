//! An archive of the classes that a start loads (AppCDS): it halves every later start. Made once per Java by a broker of its own
//! that nobody uses, in the background and at the lowest priority, well after the start, so that it is never in the way.

use std::path::Path;
use std::time::Duration;

use super::error::KafkaError;
use super::java::Java;
use super::node::{self, Node};

/// A run shorter than this makes none.
const LATER: Duration = Duration::from_secs(20);
/// Writing it takes a few seconds more than an end does.
const PATIENCE: Duration = Duration::from_mins(1);

/// Makes the archive where it is missing. Giving it up leaves nothing but a folder that the next one removes.
pub(super) async fn make(java: Java, folder: &Path) {
    if java.archive().exists() {
        return;
    }
    tokio::time::sleep(LATER).await;
    let training = folder.join("training");
    let made = train(java, &training).await;
    let _ = std::fs::remove_dir_all(&training);
    if let Err(error) = made {
        tracing::debug!(%error, "no archive of Kafka's classes: starts take longer");
    }
}

async fn train(java: Java, folder: &Path) -> Result<(), KafkaError> {
    let _ = std::fs::remove_dir_all(folder);
    let archive = java.archive();
    let fresh = folder.join("classes.jsa");
    let node =
        Node::prepare(folder, java.patient(), crate::ports::free().map_err(KafkaError::io("a free port"))?).await?;
    let child = node.spawn_until_ready(&[&format!("-XX:ArchiveClassesAtExit={}", fresh.display())]).await?;
    node::end(child, PATIENCE).await;
    // Within one file system or not: a copy beside the target, then a rename, so that nobody reads half of it.
    let beside = archive.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
    let copied = std::fs::copy(&fresh, &beside).and_then(|_| std::fs::rename(&beside, &archive));
    if copied.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    copied.map_err(KafkaError::io(format!("{}", archive.display())))
}
