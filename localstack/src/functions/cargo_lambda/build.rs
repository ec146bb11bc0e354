//! The first build of all functions, before their servers: what does not compile is told at the start.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{CARGO_LAMBDA_VERSION, WatchOptions};
use crate::functions::log::{Log, Output};
use crate::functions::process::{Process, Spawner};
use crate::functions::{FunctionsError, SupervisorOptions};

/// cargo-lambda is there and runs.
pub(super) async fn check_program(program: &Path) -> Result<(), FunctionsError> {
    let mut command = Command::new(program);
    command.args(["lambda", "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => {
            Err(FunctionsError::NoCargoLambda { program: program.display().to_string(), version: CARGO_LAMBDA_VERSION })
        }
    }
}

/// The nearest folder with a Cargo.toml, from `folder` upwards.
pub(super) fn workspace(folder: &Path) -> Result<PathBuf, FunctionsError> {
    // A template named without its folder stands in the one that we are in.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = std::path::absolute(folder)?;
    let found = folder.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    found.map(Path::to_owned).ok_or(FunctionsError::NoWorkspace(folder))
}

/// Builds these binaries of the workspace.
pub(super) async fn all(
    spawner: &Spawner,
    workspace: &Path,
    binaries: &[&str],
    options: &SupervisorOptions,
    watch: &WatchOptions,
) -> Result<(), FunctionsError> {
    if binaries.is_empty() {
        return Ok(());
    }
    let said = format!("cargo build --bin {}", binaries.join(" --bin "));
    (watch.progress)(&format!("building the functions: {said}"));
    let mut command = spawner.command(&cargo());
    // Warnings and errors alone.
    command.args(["build", "--quiet"]).args(binaries.iter().flat_map(|name| ["--bin", name])).current_dir(workspace);
    let mut process = Process::start(spawner, command).await?;
    let log = Log::new("cargo", options.log_sink.clone());
    let output = process.output().map(|(stdout, stderr)| Output::forward(log, stdout, stderr));
    let status = process.exit().await;
    if let Some(output) = output {
        output.flush().await;
    }
    if status == "without providing a reason" { Ok(()) } else { Err(FunctionsError::Build { command: said, status }) }
}

/// The cargo that runs us, or the one on the PATH.
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_the_nearest_folder_with_a_manifest() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(workspace(Path::new("")).unwrap(), here);
        assert_eq!(workspace(&here.join("src/functions")).unwrap(), here);
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(matches!(workspace(elsewhere.path()), Err(FunctionsError::NoWorkspace(_))));
    }
}
