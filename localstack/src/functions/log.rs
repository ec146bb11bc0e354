//! What a function writes, line by line, with the invocation that each line belongs to, and Lambda's own lines about it.
//!
//! A process runs one invocation at a time, so a line belongs to the one that runs, or ran last. Before the next one
//! begins, what the last one has written is read to its end.
//!
//! Source: AWS Lambda developer guide, "Working with Lambda function logs".

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::Outcome;

/// Longer lines are cut: the most that one event of CloudWatch Logs holds.
const MAX_LINE_BYTES: usize = 256 * 1024;
/// `X-Amz-Log-Result` carries the last 4 KB.
const TAIL_BYTES: usize = 4 * 1024;
/// How long reading on may take after an answer.
const FLUSH: Duration = Duration::from_millis(200);

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// The function.
    Function,
    /// Lambda about an invocation: `START`, `END`, `REPORT`, and how it failed.
    Platform,
}

/// One line of a function's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The function's physical name.
    pub function: &'a str,
    /// The invocation it belongs to; `None`: before the first one, or not known.
    pub request_id: Option<&'a str>,
    /// Who wrote it.
    pub source: LogSource,
    /// The line as written, without its end.
    pub text: &'a str,
}

/// Takes each line of the functions' logs.
pub type LogSink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;

/// The log of one process.
pub(crate) struct Log {
    function: Arc<str>,
    sink: Option<LogSink>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    request_id: Option<Arc<str>>,
    /// The end of what was logged since the invocation began, at most twice [`TAIL_BYTES`].
    tail: Vec<u8>,
}

impl Log {
    pub(crate) fn new(function: &str, sink: Option<LogSink>) -> Arc<Self> {
        Arc::new(Self { function: function.into(), sink, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on lines belong to this invocation.
    pub(crate) fn begin(&self, request_id: &str) {
        {
            let mut state = self.state();
            state.request_id = Some(request_id.into());
            state.tail.clear();
        }
        self.write(LogSource::Platform, &format!("START RequestId: {request_id} Version: $LATEST"));
    }

    /// Lambda's lines about an invocation that has ended.
    pub(crate) fn end(&self, report: &Report<'_>) {
        if let Some(words) = report.failure_line() {
            self.write(LogSource::Platform, &words);
        }
        self.write(LogSource::Platform, &format!("END RequestId: {}", report.request_id));
        self.write(LogSource::Platform, &report.line());
    }

    pub(crate) fn write(&self, source: LogSource, text: &str) {
        let request_id = {
            let mut state = self.state();
            state.tail.extend_from_slice(text.as_bytes());
            state.tail.push(b'\n');
            if state.tail.len() > 2 * TAIL_BYTES {
                let drop = state.tail.len() - TAIL_BYTES;
                state.tail.drain(..drop);
            }
            state.request_id.clone()
        };
        let line = LogLine { function: &self.function, request_id: request_id.as_deref(), source, text };
        match &self.sink {
            Some(sink) => sink(&line),
            None if source == LogSource::Platform => {
                tracing::debug!(target: "function", function = line.function, "{text}");
            }
            None => {
                tracing::info!(target: "function", function = line.function, request_id = line.request_id, "{text}");
            }
        }
    }

    /// The last 4 KB since the invocation began, or since the process did.
    pub(crate) fn tail(&self) -> Vec<u8> {
        let state = self.state();
        state.tail[state.tail.len().saturating_sub(TAIL_BYTES)..].to_vec()
    }
}

/// What `REPORT` says of an invocation.
pub(crate) struct Report<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
    /// Of the process, where this was its first invocation.
    pub(crate) init: Option<Duration>,
    pub(crate) memory_mb: u32,
    pub(crate) used_mb: u64,
    pub(crate) outcome: &'a Outcome,
}

impl Report<'_> {
    fn line(&self) -> String {
        use std::fmt::Write as _;
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        // The init phase is billed since August 2025.
        let billed = (ms(self.duration) + self.init.map_or(0.0, ms)).ceil();
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            self.request_id,
            ms(self.duration),
            self.memory_mb,
            self.used_mb
        );
        if let Some(init) = self.init {
            let _ = write!(line, "\tInit Duration: {:.2} ms", ms(init));
        }
        match self.error_type().as_deref() {
            Some("Sandbox.Timedout") => line.push_str("\tStatus: timeout"),
            Some(kind) if kind.starts_with("Runtime.") => {
                let _ = write!(line, "\tStatus: error\tError Type: {kind}");
            }
            _ => {}
        }
        line
    }

    /// How the runtime failed; a function that answers with an error logs it itself.
    fn failure_line(&self) -> Option<String> {
        let kind = self.error_type()?;
        if kind != "Sandbox.Timedout" && !kind.starts_with("Runtime.") {
            return None;
        }
        let words = self.field("errorMessage")?;
        Some(if kind == "Sandbox.Timedout" { words } else { format!("{words} {kind}") })
    }

    fn error_type(&self) -> Option<String> {
        self.field("errorType")
    }

    fn field(&self, name: &str) -> Option<String> {
        let Outcome::FunctionError(body) = self.outcome else { return None };
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }
}

/// Reads a process's output in a task of its own.
pub(crate) struct Output {
    flushes: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl Output {
    pub(crate) fn forward(
        log: Arc<Log>,
        stdout: impl AsyncRead + Send + Unpin + 'static,
        stderr: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let (flushes, mut wishes) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        tokio::spawn(async move {
            let (mut stdout, mut stderr) = (Lines::new(stdout), Lines::new(stderr));
            while !(stdout.ended && stderr.ended) {
                // In this order: a wish is only met when there is nothing to read.
                tokio::select! {
                    biased;
                    () = stdout.read(), if !stdout.ended => stdout.hand_over(&log),
                    () = stderr.read(), if !stderr.ended => stderr.hand_over(&log),
                    Some(done) = wishes.recv() => {
                        let _ = done.send(());
                    }
                }
            }
        });
        Self { flushes }
    }

    /// Waits until what the process has written so far is handed over. What it wrote before it answered is in the pipe
    /// before the answer is in its socket.
    pub(crate) async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        if self.flushes.send(done).is_ok() {
            // An error: all was read to its end.
            let _ = tokio::time::timeout(FLUSH, is_done).await;
        }
    }
}

/// One stream as lines, cut to a bound.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    whole: bool,
    pub(crate) ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { reader: BufReader::new(stream), line: Vec::new(), whole: false, ended: false }
    }

    /// Reads what there is, to the end of a line at most. Loses nothing where it is cancelled.
    pub(crate) async fn read(&mut self) {
        let used = match self.reader.fill_buf().await {
            Ok([]) | Err(_) => {
                self.ended = true;
                self.whole = !self.line.is_empty();
                0
            }
            Ok(buffer) => {
                let newline = buffer.iter().position(|byte| *byte == b'\n');
                let part = newline.map_or(buffer, |at| &buffer[..at]);
                let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
                self.line.extend_from_slice(&part[..part.len().min(room)]);
                self.whole = newline.is_some();
                part.len() + usize::from(newline.is_some())
            }
        };
        self.reader.consume(used);
    }

    /// The line, once it is whole.
    pub(crate) fn take(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.whole) {
            return None;
        }
        let line = std::mem::take(&mut self.line);
        Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
    }

    fn hand_over(&mut self, log: &Log) {
        if let Some(line) = self.take() {
            log.write(LogSource::Function, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::error;
    use bytes::Bytes;

    fn report(outcome: &Outcome, init: Option<Duration>) -> Report<'_> {
        let duration = Duration::from_micros(12_340);
        Report { request_id: "r-1", duration, init, memory_mb: 128, used_mb: 17, outcome }
    }

    #[test]
    fn report_lines_are_as_cloudwatch_shows_them() {
        let fine = Outcome::Response(Bytes::from_static(b"{}"));
        assert_eq!(
            report(&fine, Some(Duration::from_millis(20))).line(),
            "REPORT RequestId: r-1\tDuration: 12.34 ms\tBilled Duration: 33 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\
             Init Duration: 20.00 ms"
        );
        assert_eq!(report(&fine, None).failure_line(), None);
        let killed = error::out_of_memory("r-1");
        assert!(report(&killed, None).line().ends_with("\tStatus: error\tError Type: Runtime.OutOfMemory"));
        let words = "RequestId: r-1 Error: Runtime exited with error: signal: killed Runtime.OutOfMemory";
        assert_eq!(report(&killed, None).failure_line().as_deref(), Some(words));
        assert!(report(&error::timed_out("r-1", 3), None).line().ends_with("\tStatus: timeout"));
        let own = error::failure("Refused", "no");
        assert_eq!(report(&own, None).failure_line(), None, "the function's own error is its own to log");
    }

    #[tokio::test]
    async fn lines_come_whole_up_to_a_bound_and_the_tail_is_the_last_4_kb() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let log = Log::new(
            "f",
            Some(Arc::new(move |line: &LogLine<'_>| {
                sink.lock().unwrap().push((line.request_id.map(str::to_owned), line.text.to_owned()));
            })),
        );
        log.begin("r-1");
        let json = format!("{{\"level\":\"INFO\",\"text\":\"{}\"}}", "x".repeat(100_000));
        let endless = "y".repeat(MAX_LINE_BYTES + 10);
        let written = format!("{json}\r\n{endless}\nlast");
        let output = Output::forward(Arc::clone(&log), std::io::Cursor::new(written.into_bytes()), tokio::io::empty());
        output.flush().await;
        let lines = seen.lock().unwrap();
        assert_eq!(lines[1], (Some("r-1".to_owned()), json));
        assert_eq!(lines[2].1.len(), MAX_LINE_BYTES);
        assert_eq!(lines[3].1, "last");
        assert_eq!(log.tail().len(), TAIL_BYTES);
        assert!(log.tail().ends_with(b"yyy\nlast\n"));
    }
}
