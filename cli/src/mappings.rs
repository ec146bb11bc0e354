//! `freshet mappings`: the event source mappings of the `freshet up` that runs, as it tells them in its data folder.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use freshet_localstack::lock;
use freshet_localstack::mapping::{MappingState, MappingStatus};
use serde::{Deserialize, Serialize};

use crate::args::{MappingsArgs, Usage};
use crate::output::{self, thousands};
use crate::style::{BOLD, DIM, GOOD, WARN, paint};

/// Where `freshet up` tells them, in its data folder; written every second.
pub(crate) const FILE: &str = "mappings.json";

/// The mappings.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mappings {
    mappings: Vec<MappingStatus>,
}

/// Tells them to whoever looks; never half of it.
///
/// # Errors
/// The folder can't be written.
pub(crate) fn write(data_dir: &Path, mappings: &[MappingStatus]) -> std::io::Result<()> {
    let text = serde_json::to_vec(&Mappings { mappings: mappings.to_vec() })?;
    let file = data_dir.join(FILE);
    let new = file.with_extension("json.new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, file)
}

/// Ends that: nothing runs there any more.
pub(crate) fn forget(data_dir: &Path) {
    // Where there is nothing, there is nothing to end.
    let _ = std::fs::remove_file(data_dir.join(FILE));
}

/// Runs the command.
///
/// # Errors
/// Nothing runs there.
pub(crate) fn run(args: &MappingsArgs, json: bool) -> anyhow::Result<ExitCode> {
    let folder = args.data_dir.display();
    if !lock::is_taken(&args.data_dir).with_context(|| format!("--data-dir: {folder}"))? {
        return Err(Usage(format!("no `freshet up` runs on {folder}: start one, or name its --data-dir")).into());
    }
    let text = match std::fs::read(args.data_dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Usage(format!("the `freshet up` on {folder} is only starting")).into());
        }
        other => other.with_context(|| format!("--data-dir: {folder}"))?,
    };
    let mappings: Mappings = serde_json::from_slice(&text).with_context(|| format!("{folder}/{FILE}"))?;
    output::result(&mappings, json)?;
    Ok(ExitCode::SUCCESS)
}

impl fmt::Display for Mappings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.mappings.iter().map(|mapping| mapping.id.len()).max().unwrap_or(0).max("mapping".len());
        let head = format!(
            "{:<width$}  {:<9}{:>9}{:>10}{:>12}{:>10}{:>9}{:>10}  topic",
            "mapping", "state", "lag", "batches", "records", "filtered", "retries", "given up"
        );
        write!(f, "{}", paint(BOLD, head))?;
        for mapping in &self.mappings {
            let style = match mapping.state {
                MappingState::Enabled => GOOD,
                MappingState::Creating | MappingState::Enabling | MappingState::Disabling => WARN,
                MappingState::Disabled => DIM,
            };
            let lag = thousands(u64::try_from(mapping.lag).unwrap_or(0));
            let [batches, records, filtered, retries, given_up] =
                [mapping.batches, mapping.records, mapping.filtered, mapping.retries, mapping.given_up].map(thousands);
            write!(
                f,
                "\n{:<width$}  {}{lag:>9}{batches:>10}{records:>12}{filtered:>10}{retries:>9}{given_up:>10}  {}",
                mapping.id,
                paint(style, format!("{:<9}", format!("{:?}", mapping.state))),
                mapping.topic,
            )?;
            if mapping.last_processing_result.starts_with("PROBLEM") {
                write!(f, "\n  {}", paint(WARN, &mapping.last_processing_result))?;
            }
        }
        Ok(())
    }
}
