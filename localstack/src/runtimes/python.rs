//! Python functions: AWS's own runtime interface client in a virtual environment with what the function asks for.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::Surroundings;
use super::cache::{self, quoted};
use super::error::RuntimeError;

/// AWS's runtime interface client, the newest for each Python.
const CLIENTS: [(u32, &str); 3] = [(10, "awslambdaric==4.2.2"), (9, "awslambdaric==3.0.2"), (0, "awslambdaric==2.2.1")];
const REMEDY: &str = "on Debian and Ubuntu: apt-get install -y python3 python3-venv; on macOS: brew install python";
/// Lambda's Python brings it along.
const SDK: &str = "boto3";

/// An environment that a function runs in.
pub(super) struct Environment {
    python: PathBuf,
    /// What the template asks for, and what there is.
    wanted: String,
    version: String,
}

/// The environment of the function in `folder`; made where it is missing.
pub(super) async fn environment(
    folder: &Path,
    wanted: &str,
    around: Surroundings<'_>,
) -> Result<Environment, RuntimeError> {
    let interpreter = Interpreter::find(wanted).await?;
    let requirements = folder.join("requirements.txt");
    let text = match std::fs::read_to_string(&requirements) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(RuntimeError::io(requirements)(error)),
    };
    let sdk = if asks_for_the_sdk(&text) { None } else { Some(SDK) };
    let client = interpreter.client();
    // Another folder's requirements may name files beside them.
    let place = if text.contains("./") || text.contains("-r ") { folder.to_string_lossy() } else { "".into() };
    let made_from = format!("{} of {}\n{client}\n{sdk:?}\n{place}\n{text}", interpreter.version, interpreter.home);
    let kind = format!("python-{}", interpreter.version);
    let made = cache::folder(around.cache, &kind, &made_from, async |fresh| {
        (around.progress)(&format!(
            "installing awslambdaric and requirements for Python {} (once)",
            interpreter.version
        ));
        let what = format!("a virtual environment of Python {}", interpreter.version);
        run(Command::new(&interpreter.program).args(["-m", "venv"]).arg(fresh), &what).await?;
        let mut pip = Command::new(fresh.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", client]).args(sdk);
        if !text.trim().is_empty() {
            pip.arg("-r").arg(&requirements);
        }
        run(pip.current_dir(folder), &format!("pip, with {}", requirements.display())).await
    })
    .await?;
    Ok(Environment { python: made.join("bin/python"), wanted: wanted.to_owned(), version: interpreter.version })
}

impl Environment {
    /// The shell script that starts the function, as `bootstrap` does in Lambda's own image.
    pub(super) fn bootstrap(&self, folder: &Path, cache: &Path) -> String {
        format!(
            "#!/bin/sh\n\
             export LAMBDA_TASK_ROOT={folder} PYTHONUNBUFFERED=1\n\
             # Compiled files stay out of the function's folder, which is read-only in Lambda.\n\
             export PYTHONPYCACHEPREFIX={compiled} PYTHONPATH={folder}${{PYTHONPATH:+:$PYTHONPATH}}\n\
             cd {folder} && exec {python} -m awslambdaric \"$_HANDLER\"\n",
            folder = quoted(folder),
            compiled = quoted(&cache.join("compiled")),
            python = quoted(&self.python),
        )
    }

    /// Worth saying: another Python than the template's.
    pub(super) fn remark(&self) -> Option<String> {
        let is_other = self.version != self.wanted;
        is_other.then(|| format!("Python {} is not installed; {} runs it here", self.wanted, self.version))
    }
}

/// boto3 or botocore is named, in whatever version.
fn asks_for_the_sdk(requirements: &str) -> bool {
    requirements.lines().any(|line| {
        let name: String = line.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        matches!(name.to_ascii_lowercase().as_str(), "boto3" | "botocore")
    })
}

struct Interpreter {
    program: String,
    /// Such as `3.11`.
    version: String,
    /// Where it is installed: an environment is tied to that.
    home: String,
}

impl Interpreter {
    /// That of the version wanted, else any Python 3.
    async fn find(wanted: &str) -> Result<Self, RuntimeError> {
        for program in [format!("python{wanted}"), "python3".to_owned()] {
            let mut command = Command::new(&program);
            command
                .args(["-c", "import sys; print('%d.%d %s' % (*sys.version_info[:2], sys.base_prefix))"])
                .stdin(Stdio::null());
            let Ok(output) = command.kill_on_drop(true).output().await else { continue };
            let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if let Some((version, home)) =
                told.split_once(' ').filter(|_| output.status.success() && told.starts_with("3."))
            {
                return Ok(Self { program, version: version.to_owned(), home: home.to_owned() });
            }
        }
        Err(RuntimeError::NoInterpreter { program: format!("Python {wanted}"), remedy: REMEDY })
    }

    fn client(&self) -> &'static str {
        let minor = self.version.strip_prefix("3.").and_then(|minor| minor.parse().ok()).unwrap_or(0);
        CLIENTS.iter().find(|(least, _)| minor >= *least).map_or(CLIENTS[2].1, |(_, client)| client)
    }
}

async fn run(command: &mut Command, what: &str) -> Result<(), RuntimeError> {
    let failed = |message: String| RuntimeError::Install { what: what.to_owned(), message };
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let said = text.lines().rfind(|line| line.contains("ERROR") || line.contains("Error"));
    Err(failed(said.or_else(|| text.lines().next_back()).unwrap_or("it failed without a word").trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_left_to_requirements_that_name_it() {
        assert!(asks_for_the_sdk("requests\nBoto3>=1.26 # pinned\n") && asks_for_the_sdk("botocore"));
        assert!(!asks_for_the_sdk("# boto3\nboto3-stubs\nrequests==2"));
    }

    #[test]
    fn each_python_gets_the_newest_client_that_runs_on_it() {
        let client = |version: &str| {
            Interpreter { program: String::new(), version: version.to_owned(), home: String::new() }.client()
        };
        assert_eq!(client("3.13"), "awslambdaric==4.2.2");
        assert_eq!(client("3.9"), "awslambdaric==3.0.2");
        assert_eq!(client("3.8"), "awslambdaric==2.2.1");
    }
}
