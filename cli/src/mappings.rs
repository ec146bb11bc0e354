//! `freshet mappings`: the event source mappings of the `freshet up` that runs, as it tells them in its data folder.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_localstack::lock;
use freshet_localstack::mapping::{MappingState, MappingStatus};
use serde::{Deserialize, Serialize};

use crate::args::{MappingsArgs, Usage};
use crate::output::{self, thousands};
use crate::style::{BOLD, DIM, GOOD, WARN, paint};

/// Where `freshet up` tells them, in its data folder; written every second.
pub(crate) const FILE: &str = "mappings.json";

/// How long a switch may take: a batch in flight is answered first.
const SWITCH: Duration = Duration::from_secs(10);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(100);

/// The mappings.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mappings {
    /// Lambda's API, which switches them.
    lambda: String,
    mappings: Vec<MappingStatus>,
}

/// Tells them to whoever looks; never half of it.
///
/// # Errors
/// The folder can't be written.
pub(crate) fn write(data_dir: &Path, lambda: &str, mappings: &[MappingStatus]) -> std::io::Result<()> {
    let text = serde_json::to_vec(&Mappings { lambda: lambda.to_owned(), mappings: mappings.to_vec() })?;
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
/// Nothing runs there, or there is no mapping of the name that is to be switched.
pub(crate) async fn run(args: &MappingsArgs, json: bool) -> anyhow::Result<ExitCode> {
    let mut told = read(&args.data_dir)?;
    if let Some((id, enabled)) = args.switched() {
        switch(&told, id, enabled).await?;
        told = until_switched(&args.data_dir, id, enabled).await?;
    }
    output::result(&told, json)?;
    Ok(ExitCode::SUCCESS)
}

fn read(data_dir: &Path) -> anyhow::Result<Mappings> {
    let folder = data_dir.display();
    if !lock::is_taken(data_dir).with_context(|| format!("--data-dir: {folder}"))? {
        return Err(Usage(format!("no `freshet up` runs on {folder}: start one, or name its --data-dir")).into());
    }
    let text = match std::fs::read(data_dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Usage(format!("the `freshet up` on {folder} is only starting")).into());
        }
        other => other.with_context(|| format!("--data-dir: {folder}"))?,
    };
    serde_json::from_slice(&text).with_context(|| format!("{folder}/{FILE}"))
}

/// Asks Lambda's API to, as `aws lambda update-event-source-mapping` does.
async fn switch(told: &Mappings, id: &str, enabled: bool) -> anyhow::Result<()> {
    if told.mappings.iter().all(|mapping| mapping.id != id) {
        let known: Vec<&str> = told.mappings.iter().map(|mapping| &*mapping.id).collect();
        return Err(Usage(format!("there is no mapping {id}; there are: {}", known.join(", "))).into());
    }
    let name = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    let url = format!("{}/2015-03-31/event-source-mappings/{name}", told.lambda);
    let request = reqwest::Client::new().put(url).json(&serde_json::json!({ "Enabled": enabled })).timeout(SWITCH);
    let answer = request.send().await.context("the local cloud's Lambda API")?;
    let status = answer.status();
    anyhow::ensure!(status.is_success(), "{id} was not switched: {status} {}", answer.text().await?);
    Ok(())
}

/// As it is once the switch has taken effect, or as far as it is after a while.
async fn until_switched(data_dir: &Path, id: &str, enabled: bool) -> anyhow::Result<Mappings> {
    let began = Instant::now();
    loop {
        let told = read(data_dir)?;
        let state = told.mappings.iter().find(|mapping| mapping.id == id).map(|mapping| mapping.state);
        let wanted = if enabled { MappingState::Enabled } else { MappingState::Disabled };
        if state == Some(wanted) || began.elapsed() > SWITCH {
            return Ok(told);
        }
        tokio::time::sleep(LOOK).await;
    }
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
