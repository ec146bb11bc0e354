//! Callers that each wait for their answer before they call again: over a connection of their own, or without a gateway.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use freshet_localstack::functions::{Invoke as _, Outcome, Supervisor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::FUNCTION;
use crate::output::Times;

/// The largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
const REQUEST: &[u8] =
    b"GET /bench?a=1 HTTP/1.1\r\nhost: localhost\r\nuser-agent: freshet-bench\r\naccept: */*\r\n\r\n";

/// Whom the callers call.
pub(super) enum Caller {
    /// The gateway, over HTTP.
    Gateway(SocketAddr),
    /// The function's pool.
    Direct(Arc<Supervisor>),
}

/// What is asked of them.
pub(super) struct Load {
    /// Callers at one time.
    pub(super) connections: u32,
    /// Calls a second over all; `None`: as fast as they are answered.
    pub(super) rate: Option<f64>,
    pub(super) turn: Duration,
    pub(super) stop: CancellationToken,
}

impl Load {
    /// Calls for one turn; how many were answered.
    ///
    /// # Errors
    /// An answer that is not a success.
    pub(super) async fn run(&self, caller: &Caller, times: Option<&mut Times>) -> anyhow::Result<u64> {
        let mut callers = JoinSet::new();
        let begin = Instant::now();
        for number in 0..self.connections {
            let mut line = Line::open(caller).await?;
            let (end, stop) = (begin + self.turn, self.stop.clone());
            // Spread over the interval, so that they do not all call at once.
            let interval = self.rate.map(|rate| Duration::from_secs_f64(f64::from(self.connections) / rate));
            let first = begin + interval.unwrap_or_default().mul_f64(f64::from(number) / f64::from(self.connections));
            callers.spawn(async move {
                let mut taken = Vec::new();
                let mut next = first;
                while next < end && !stop.is_cancelled() {
                    tokio::time::sleep_until(next).await;
                    let called = Instant::now();
                    line.call().await?;
                    taken.push(called.elapsed());
                    // Who is late calls at once, and does not catch up.
                    next = interval.map_or_else(Instant::now, |interval| (next + interval).max(Instant::now()));
                }
                anyhow::Ok(taken)
            });
        }
        let mut all = Vec::new();
        while let Some(taken) = callers.join_next().await {
            all.extend(taken??);
        }
        if let Some(times) = times {
            all.iter().for_each(|time| times.record(*time));
        }
        Ok(all.len() as u64)
    }
}

/// One caller's way to the function.
enum Line {
    Http(TcpStream, Vec<u8>),
    Direct(Arc<Supervisor>, Bytes),
}

impl Line {
    async fn open(caller: &Caller) -> anyhow::Result<Self> {
        Ok(match caller {
            Caller::Gateway(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Self::Http(stream, Vec::with_capacity(1_024))
            }
            // An event of the size that the gateway makes of the request.
            Caller::Direct(supervisor) => {
                Self::Direct(Arc::clone(supervisor), Bytes::from(format!("{{\"event\":\"{}\"}}", "x".repeat(900))))
            }
        })
    }

    async fn call(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Http(stream, answer) => {
                stream.write_all(REQUEST).await?;
                read(stream, answer).await
            }
            Self::Direct(supervisor, event) => match supervisor.invoke(FUNCTION, event.clone()).await {
                Outcome::Response(_) => Ok(()),
                other => bail!("an invocation failed: {other:?}"),
            },
        }
    }
}

/// Reads one answer, to the end of its body.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    answer.clear();
    loop {
        ensure!(answer.len() < MAX_ANSWER, "an answer without an end");
        ensure!(stream.read_buf(answer).await? > 0, "the gateway closed a connection");
        let Some(split) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..split])?;
        ensure!(
            head.starts_with("HTTP/1.1 200"),
            "a request was answered with {}",
            head.lines().next().unwrap_or_default()
        );
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("no content-length")?;
        if answer.len() >= split + 4 + length.parse::<usize>()? {
            return Ok(());
        }
    }
}
