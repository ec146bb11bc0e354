//! Lists to open sockets: from the event's request to the message in every shopper's hands.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::memory::{self, Peak};
use super::{Own, OwnOptions};
use crate::args::PushArgs;
use crate::output::{self, Percentiles, Times};
use crate::style::{BOLD, WARN, paint};

/// Sockets opened at one time.
const OPENING: usize = 32;
/// How long the last lists may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Push {
    sockets: u32,
    lists_per_second: f64,
    sent: u64,
    arrived: u64,
    /// The event's request leaves → its list is in the socket's hands.
    request_to_socket: Percentiles,
    peak_memory: Vec<Peak>,
    interrupted: bool,
}

/// When each event left, by its id; taken out when its list arrives.
type Waiting = Arc<Mutex<HashMap<String, Instant>>>;

/// Runs the command.
///
/// # Errors
/// The system does not start, or refuses an event or a socket.
pub(super) async fn run(args: PushArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    let options = OwnOptions::new(args.template.clone(), args.binaries.clone());
    let Some(own) = Own::start(options, stop).await? else { return Ok(()) };
    let result = match own.make_ready().await {
        Ok(()) => measure(&own, &args, stop).await,
        Err(error) => Err(error),
    };
    own.stop().await;
    output::result(&result?, json)
}

async fn measure(own: &Own, args: &PushArgs, stop: &CancellationToken) -> anyhow::Result<Push> {
    ready(own).await?;
    let waiting = Waiting::default();
    let times = Arc::new(Mutex::new(Times::new()?));
    let mut listeners = JoinSet::new();
    let url = own.cloud.websocket_url();
    let bar = output::bar(Some(u64::from(args.sockets)), "sockets");
    let mut opening = futures::stream::iter(0..args.sockets).map(|number| open(&url, number)).buffer_unordered(OPENING);
    while let Some(socket) = opening.next().await {
        listeners.spawn(listen(socket?, Arc::clone(&waiting), Arc::clone(&times)));
        bar.inc(1);
    }
    bar.finish_and_clear();

    let interval = Duration::from_secs_f64(1.0 / args.rate);
    let total = (args.rate * args.seconds).ceil() as u32;
    let bar = output::bar(Some(u64::from(total)), "lists");
    let started = tokio::time::Instant::now();
    let mut requests = JoinSet::new();
    let mut sent = 0_u32;
    for number in 0..total {
        tokio::select! {
            () = tokio::time::sleep_until(started + interval * number) => {}
            () = stop.cancelled() => break,
        }
        let (api, waiting) = (own.api.clone(), Arc::clone(&waiting));
        let user = number % args.sockets;
        requests.spawn(async move {
            let id = format!("push-{number}");
            let event = json!({"eventId": id, "userId": user_id(user), "eventType": "product_view",
                               "productId": (1 + number % 40).to_string()});
            lock(&waiting).insert(id, Instant::now());
            let answer = api.post("/events/track", &event, None).await?;
            ensure!(answer.is_ok(), "{}", answer.reason());
            Ok(())
        });
        sent += 1;
        bar.inc(1);
    }
    while let Some(request) = requests.join_next().await {
        request??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let deadline = Instant::now() + PATIENCE;
    while !lock(&waiting).is_empty() && Instant::now() < deadline && !stop.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bar.finish_and_clear();
    let missing = lock(&waiting).len() as u64;
    let mut peak_memory = vec![memory::peak("local cloud (with DynamoDB and the clients' ends)", std::process::id())];
    for function in own.cloud.status().functions {
        peak_memory.extend(function.pids.iter().map(|pid| memory::peak(&function.logical_id.to_lowercase(), *pid)));
    }
    listeners.abort_all();
    let request_to_socket = times.lock().unwrap_or_else(PoisonError::into_inner).percentiles();
    Ok(Push {
        sockets: args.sockets,
        lists_per_second: f64::from(sent) / seconds,
        sent: u64::from(sent),
        arrived: u64::from(sent) - missing,
        request_to_socket,
        peak_memory,
        interrupted: stop.is_cancelled(),
    })
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn user_id(number: u32) -> String {
    format!("socket-{number}")
}

/// The mapping of the lists begins at the end of their topic: it must have its partitions before the first event.
async fn ready(own: &Own) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mappings = own.cloud.status().mappings;
        let lists = mappings.iter().find(|mapping| mapping.topic == "recommendations");
        if lists.is_some_and(|mapping| !mapping.partitions.is_empty()) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "nothing reads the topic recommendations");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(url: &str, number: u32) -> anyhow::Result<Socket> {
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.context("a socket")?;
    let subscribe = json!({"action": "subscribe_recommendations", "userId": user_id(number)});
    socket.send(Message::text(subscribe.to_string())).await?;
    match socket.next().await {
        Some(Ok(Message::Text(text))) if text.contains("subscribed") => Ok(socket),
        other => bail!("socket {number} was not subscribed: {other:?}"),
    }
}

async fn listen(mut socket: Socket, waiting: Waiting, times: Arc<Mutex<Times>>) {
    while let Some(Ok(message)) = socket.next().await {
        let arrived = Instant::now();
        let Message::Text(text) = message else { continue };
        let Ok(list) = serde_json::from_str::<Value>(&text) else { continue };
        let Some(event) = list["metadata"]["causedBy"].as_str() else { continue };
        if let Some(left) = lock(&waiting).remove(event) {
            times.lock().unwrap_or_else(PoisonError::into_inner).record(arrived - left);
        }
    }
}

impl fmt::Display for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        let (sockets, rate) = (self.sockets, self.lists_per_second);
        writeln!(f, "{} {sockets} open sockets, {rate:.0} lists/s", paint(BOLD, "push"))?;
        writeln!(f, "  arrived                  {} of {}", self.arrived, self.sent)?;
        writeln!(f, "  event's request → socket {}", self.request_to_socket)?;
        let peaks: Vec<String> = self.peak_memory.iter().map(ToString::to_string).collect();
        write!(f, "  peak memory: {}", peaks.join(" · "))
    }
}
