//! The broker's jars, from Maven Central.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::KafkaError;

/// What is fetched.
const POM: &str = include_str!("../../kafka/pom.xml");
/// Holds the pom that a complete folder was made from.
const COMPLETE: &str = "complete.pom.xml";

/// Fetches the jars into `folder` unless they are there. `progress` is told what takes its time.
///
/// # Errors
/// Maven is missing or fails. A folder that was left half filled is filled anew at the next call.
pub async fn install(folder: &Path, progress: impl FnOnce(&str)) -> Result<(), KafkaError> {
    let marker = folder.join(COMPLETE);
    if std::fs::read_to_string(&marker).is_ok_and(|pom| pom == POM) {
        return Ok(());
    }
    progress("fetching Apache Kafka from Maven Central (35 MB, once)");
    let parent = folder.parent().unwrap_or(Path::new(".")).to_owned();
    std::fs::create_dir_all(&parent).map_err(KafkaError::io(format!("{}", parent.display())))?;
    // Beside the target and renamed when whole, so that two at a time don't meet and a killed one leaves nothing behind.
    let fresh = tempdir_in(&parent)?;
    let pom = fresh.join("pom.xml");
    std::fs::write(&pom, POM).map_err(KafkaError::io(format!("{}", pom.display())))?;
    let result = copy_dependencies(&pom, &fresh).await.and_then(|()| {
        std::fs::rename(&pom, fresh.join(COMPLETE)).map_err(KafkaError::io("the marker of a complete folder"))?;
        if folder.exists() && !std::fs::read_to_string(&marker).is_ok_and(|pom| pom == POM) {
            std::fs::remove_dir_all(folder).map_err(KafkaError::io(format!("{}", folder.display())))?;
        }
        match std::fs::rename(&fresh, folder) {
            // Somebody else was faster with the same jars.
            Err(_) if marker.exists() => Ok(()),
            other => other.map_err(KafkaError::io(format!("{}", folder.display()))),
        }
    });
    let _ = std::fs::remove_dir_all(&fresh);
    result
}

async fn copy_dependencies(pom: &Path, folder: &Path) -> Result<(), KafkaError> {
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(pom)
        .arg("dependency:copy-dependencies")
        .arg("-DincludeScope=runtime")
        .arg(format!("-DoutputDirectory={}", folder.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            let first = text.lines().find(|line| line.contains("ERROR")).unwrap_or("no reason given");
            Err(KafkaError::Install(first.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(KafkaError::MissingProgram {
            program: "Maven (mvn)",
            remedy: "on Debian and Ubuntu: apt-get install -y maven; on macOS: brew install maven",
        }),
        Err(error) => Err(KafkaError::io("mvn")(error)),
    }
}

fn tempdir_in(parent: &Path) -> Result<PathBuf, KafkaError> {
    let folder = parent.join(format!(".kafka-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).map_err(KafkaError::io(format!("{}", folder.display())))?;
    Ok(folder)
}
