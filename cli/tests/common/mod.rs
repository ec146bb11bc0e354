//! A running system, and a terminal to look at it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, unreachable_pub, missing_docs)]

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use freshet_tests::Client;
use freshet_tests::world::{PATIENCE, kafka_jars};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

pub const FRESHET: &str = env!("CARGO_BIN_EXE_freshet");
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);

/// `freshet up --memory` with the sample catalogue.
pub struct System {
    pub client: Client,
    pub api: String,
    pub kafka: String,
    pub folder: TempDir,
    _up: tokio::process::Child,
}

impl System {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let (up, said) = up(&template, folder.path(), &[]).await;
        let field = |name: &str| said[name].as_str().unwrap().to_owned();
        let (api, kafka) = (field("api"), field("kafka"));
        let client = Client::new(&api, &kafka, &field("dynamodb"), &field("topicGeneration"));
        Self { client, api, kafka, folder, _up: up }
    }

    pub fn data_dir(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }
}

/// `freshet up --memory` of a template, once it says that it is up, and what it says.
pub async fn up(template: &Path, data_dir: &Path, more: &[&str]) -> (tokio::process::Child, Value) {
    let mut up = Command::new(FRESHET)
        .args(["up", "--json", "--memory", "--port", "0", "--template"])
        .arg(template)
        .arg("--data-dir")
        .arg(data_dir)
        .arg("--kafka-jars")
        .arg(kafka_jars())
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let mut text = String::new();
    let said = async {
        loop {
            text.push_str(&lines.next_line().await.unwrap().expect("freshet up ended"));
            if let Ok(said) = serde_json::from_str::<Value>(&text) {
                return said;
            }
        }
    };
    let said = tokio::time::timeout(PATIENCE, said).await.expect("freshet up says that it is up");
    (up, said)
}

/// A program in a terminal of its own.
pub struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    /// All that was ever written to it.
    raw: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Its modes before the program.
    before: String,
}

impl Terminal {
    pub fn run(args: &[&str], (columns, rows): (u16, u16), env: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(FRESHET);
        command.args(args);
        command.env("TERM", "xterm-256color");
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        env.iter().for_each(|(name, value)| command.env(name, value));
        let before = modes(&*pty.master);
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let screen =
            Arc::new(Mutex::new(vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap(), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut output = pty.master.try_clone_reader().unwrap();
        let (shown, kept) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the program is the end of the reading.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..count]);
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { screen, raw, keys, master: pty.master, child, before }
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let (high, wide) = (NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap());
        self.screen.lock().unwrap().screen_mut().set_size(high, wide);
        self.master.resize(size(columns, rows)).unwrap();
    }

    pub async fn until(&self, what: &str, is: impl Fn(&str) -> bool) {
        let started = Instant::now();
        while !is(&self.text()) {
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}:\n{}", self.text());
            tokio::time::sleep(LOOK).await;
        }
    }

    pub async fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contains(text)).await;
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).unwrap();
    }

    /// Its exit code, once it has ended and everything it wrote is on the screen.
    pub async fn ended(&mut self) -> u32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(started.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The terminal is as it was: its modes, its own screen, its cursor.
    pub async fn is_restored(&self) {
        self.until("the terminal's own screen", |_| {
            let parser = self.screen.lock().unwrap();
            !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
        })
        .await;
        assert_eq!(modes(&*self.master), self.before);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// Echo, line editing, signals and the like.
fn modes(master: &(dyn MasterPty + Send)) -> String {
    let modes = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.local_flags)
}
