//! Node.js functions: a Runtime API client of our own, since AWS's needs a compiler at its installation.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::cache::{self, quoted};
use super::error::RuntimeError;
use crate::template::model::Source;

/// Polls the Runtime API and calls the handler.
const CLIENT: &str = include_str!("node/client.mjs");
const REMEDY: &str = "on Debian and Ubuntu: apt-get install -y nodejs; on macOS: brew install node";
/// In the order in which the client looks for them.
pub(super) const EXTENSIONS: [&str; 3] = [".js", ".mjs", ".cjs"];

/// The shell script that starts the function in `folder`.
pub(super) async fn bootstrap(folder: &Path, cache: &Path) -> Result<String, RuntimeError> {
    let mut node = Command::new("node");
    let found = node.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if !found.is_ok_and(|status| status.success()) {
        return Err(RuntimeError::NoInterpreter { program: "Node.js".to_owned(), remedy: REMEDY });
    }
    let client = cache::folder(cache, "node", CLIENT, async |fresh| {
        let path = fresh.join("client.mjs");
        std::fs::write(&path, CLIENT).map_err(RuntimeError::io(path))
    });
    let client = client.await?.join("client.mjs");
    Ok(format!(
        "#!/bin/sh\nexport LAMBDA_TASK_ROOT={folder}\ncd {folder} && exec node {client}\n",
        folder = quoted(folder),
        client = quoted(&client),
    ))
}

/// Code in the template is a module where it says so.
pub(super) fn inline_name(source: &Source) -> &'static str {
    match source {
        Source::Inline(text) if text.lines().any(|line| line.starts_with("export ") || line.starts_with("import ")) => {
            "index.mjs"
        }
        _ => "index.js",
    }
}

/// Worth saying: packages that are asked for and not there.
pub(super) fn remark(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).ok()?;
    let asks = package.get("dependencies").and_then(|names| names.as_object()).is_some_and(|names| !names.is_empty());
    let missing = asks && !folder.ancestors().any(|folder| folder.join("node_modules").is_dir());
    missing.then(|| format!("its packages are not installed: npm install in {}", folder.display()))
}
