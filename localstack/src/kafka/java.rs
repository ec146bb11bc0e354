//! Java: found, checked, and started so that it does not outlive this process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{OnceLock, mpsc};

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::error::KafkaError;

/// The oldest Java that Kafka 4 runs on.
const OLDEST: u32 = 17;
const REMEDY: &str = "on Debian and Ubuntu: apt-get install -y openjdk-17-jre-headless; on macOS: brew install openjdk";

/// A Java that is new enough, with Kafka's jars.
#[derive(Debug, Clone)]
pub(super) struct Java {
    jars: PathBuf,
    /// Java's own version, such as `17.0.15`.
    version: String,
    /// Ends a process when the thread that started it ends.
    setpriv: Option<&'static str>,
    is_patient: bool,
}

impl Java {
    /// Looks for it.
    ///
    /// # Errors
    /// It is missing or too old: with the line that installs it.
    pub(super) async fn find(jars: &Path) -> Result<Self, KafkaError> {
        let missing = KafkaError::MissingProgram { program: "Java 17 or later", remedy: REMEDY };
        let Ok(output) = Command::new("java").arg("-version").stdin(Stdio::null()).output().await else {
            return Err(missing);
        };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let Some(version) = text.split('"').nth(1).map(str::to_owned) else { return Err(missing) };
        let major = version.split(['.', '-', '+']).next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < OLDEST) {
            return Err(missing);
        }
        let jars = std::path::absolute(jars).map_err(KafkaError::io("the jars' folder"))?;
        Ok(Self { jars, version, setpriv: find_setpriv().await, is_patient: false })
    }

    /// Where the classes that a start loads lie ready for the next one: of this Java alone.
    pub(super) fn archive(&self) -> PathBuf {
        let version: String =
            self.version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        self.jars.join(format!("classes-{version}.jsa"))
    }

    /// At the lowest priority.
    pub(super) fn patient(self) -> Self {
        Self { is_patient: true, ..self }
    }

    /// `java …` with Kafka's class path, in its own process group.
    pub(super) fn command(&self, folder: &Path, options: &[&str]) -> Command {
        let mut line: Vec<&str> = Vec::new();
        line.extend(self.setpriv.iter().flat_map(|setpriv| [setpriv, "--pdeathsig", "KILL", "--"]));
        line.extend(if self.is_patient { &["nice", "-n", "19"][..] } else { &[] });
        line.push("java");
        let mut command = Command::new(line[0]);
        command.args(&line[1..]);
        command
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"])
            .args(options)
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
            .arg("-cp")
            .arg(format!("{}/*", self.jars.display()))
            .current_dir(folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .process_group(0);
        command
    }
}

/// A setpriv that knows `--pdeathsig`; without one a broker that outlived a kill -9 of its owner is ended at the next start.
async fn find_setpriv() -> Option<&'static str> {
    for path in ["/usr/bin/setpriv", "/bin/setpriv"] {
        let mut command = Command::new(path);
        command.args(["--pdeathsig", "KILL", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().await.is_ok_and(|status| status.success()) {
            return Some(path);
        }
    }
    None
}

type Request = (tokio::runtime::Handle, Command, oneshot::Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lives as long as this process: `--pdeathsig` is tied to the thread, and a runtime may
/// end its own.
pub(super) async fn spawn(command: Command) -> Result<Child, KafkaError> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, receiver) = mpsc::channel::<Request>();
        let serve = move || {
            for (runtime, mut command, reply) in receiver {
                let _runtime = runtime.enter();
                // Where nobody waits any more, the child is dropped and with it killed.
                let _ = reply.send(command.spawn());
            }
        };
        if let Err(error) = std::thread::Builder::new().name("kafka-spawner".to_owned()).spawn(serve) {
            tracing::error!(%error, "no thread to start Kafka in");
        }
        requests
    });
    let gone = || KafkaError::io("java")(std::io::Error::other("there is no thread to start it in"));
    let (reply, answer) = oneshot::channel();
    spawner.send((tokio::runtime::Handle::current(), command, reply)).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?.map_err(KafkaError::io("java"))
}
