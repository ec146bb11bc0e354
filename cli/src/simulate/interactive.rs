//! One shopper by hand: user, event, product; the answer, and the list that it made.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_events::{EventType, Product};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::console::{Console, Found, find, kind, kinds, pad, table};
use super::crowd::shown as metadata_of;
use super::look::Shown;
use super::sender::ApiSender;
use super::summary::{Fate, Tally};
use super::{Planned, event_id};
use crate::api_client::ApiClient;
use crate::monitor::clean;
use crate::output;
use crate::stop::INTERRUPTED;
use crate::style::{BOLD, DIM, ERROR, GOOD, WARN, paint};

/// How long a new list may take.
const LIST: Duration = Duration::from_secs(5);
/// Between two questions for it.
const PAUSE: Duration = Duration::from_millis(10);
/// Who shops, until somebody says it.
const FIRST_USER: &str = "1";
/// What ends it.
const QUIT: [&str; 3] = ["q", "quit", "exit"];
/// What is said at the beginning, and on demand.
const HELP: &str = "  Enter takes what is in brackets, q ends, ? shows this.
  A user may be followed by event and product: neo view smart ai
  A product is its id, a part of its name, or its place in the last list: #3. Enter shows the catalogue.";

/// What somebody wants next.
struct Wanted {
    user: String,
    kind: EventType,
    product: String,
    metadata: Map<String, Value>,
}

struct Session<'a> {
    api: &'a ApiClient,
    console: Console,
    products: Vec<Product>,
    user: String,
    kind: EventType,
    /// The list of the user, as it was shown last.
    list: Option<(String, Shown)>,
}

/// Asks until there is no more.
///
/// # Errors
/// There is no API, or no stdin.
pub(crate) async fn run(api: &ApiClient, seed: u64, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let products = api.products().await.context("the catalogue to choose from")?;
    let console = Console::new(json, stop.clone());
    console.say(&format!("{} · {} · {} products", paint(GOOD, "Freshet"), api.base(), products.len()));
    console.say(&paint(DIM, HELP));
    let (user, kind) = (FIRST_USER.to_owned(), EventType::ProductView);
    let mut session = Session { api, console, products, user, kind, list: None };
    let mut tally = Tally::new()?;
    let mut index = 0;
    while let Some(wanted) = session.next().await? {
        let event_id = event_id(seed, index);
        index += 1;
        let Wanted { user, kind, product, metadata } = wanted;
        let planned = Planned { event_id, user_id: user, event_type: kind, product_id: product, metadata, click: None };
        session.send(&planned, &mut tally, json, &stop).await?;
    }
    let summary = tally.summary(seed, stop.is_cancelled());
    if !summary.is_empty() {
        session.console.say("");
        if json {
            println!("{}", serde_json::to_string(&summary)?);
        } else {
            output::result(&summary, false)?;
        }
    }
    Ok(match (stop.is_cancelled(), summary.all_acknowledged()) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

impl Session<'_> {
    /// Who does what with which product; `None`: nobody any more.
    async fn next(&mut self) -> anyhow::Result<Option<Wanted>> {
        let mut rest = loop {
            let Some(text) = self.console.ask(&format!("User [{}]:", clean(&self.user, 40))).await? else {
                return Ok(None);
            };
            if QUIT.contains(&text.as_str()) {
                return Ok(None);
            }
            if text == "?" {
                self.console.say(&paint(DIM, HELP));
                continue;
            }
            let mut words = text.splitn(3, char::is_whitespace).map(str::trim).map(str::to_owned);
            if let Some(user) = words.next().filter(|user| !user.is_empty()) {
                self.user = user;
            }
            break words.collect::<Vec<_>>().into_iter();
        };
        let Some(kind) = self.kind(rest.next()).await? else { return Ok(None) };
        self.kind = kind;
        let Some((product, mut metadata)) = self.product(rest.next()).await? else { return Ok(None) };
        let of_user = self.list.as_ref().filter(|(user, _)| *user == self.user);
        if matches!(kind, EventType::RecommendationClick | EventType::RecommendationView)
            && let Some((_, shown)) = of_user
        {
            metadata = shown.click();
        }
        Ok(Some(Wanted { user: self.user.clone(), kind, product, metadata }))
    }

    async fn kind(&mut self, mut given: Option<String>) -> anyhow::Result<Option<EventType>> {
        loop {
            let text = match given.take() {
                Some(text) => text,
                None => {
                    self.console.say(&kinds());
                    let Some(text) = self.console.ask(&format!("Event [{}]:", self.kind.as_str())).await? else {
                        return Ok(None);
                    };
                    text
                }
            };
            if text.is_empty() {
                return Ok(Some(self.kind));
            }
            if QUIT.contains(&text.as_str()) {
                return Ok(None);
            }
            match kind(&text) {
                Ok(kind) => return Ok(Some(kind)),
                Err(why) => self.console.say(&paint(WARN, format!("  {why}"))),
            }
        }
    }

    async fn product(&mut self, mut given: Option<String>) -> anyhow::Result<Option<(String, Map<String, Value>)>> {
        let mut unknown = None;
        loop {
            let text = match given.take() {
                Some(text) => text,
                None => match self.console.ask("Product:").await? {
                    Some(text) => text,
                    None => return Ok(None),
                },
            };
            if QUIT.contains(&text.as_str()) {
                return Ok(None);
            }
            if text.is_empty() {
                self.console.say(&table(self.products.iter()));
                continue;
            }
            let list = self.list.as_ref().filter(|(user, _)| *user == self.user).map(|(_, list)| list);
            match find(&self.products, list, &text) {
                Found::One(product) => return Ok(Some((product.id.clone(), metadata_of(product)))),
                Found::Listed(id) => return Ok(Some((id.to_owned(), Map::new()))),
                Found::Many(some) => {
                    self.console.say(&table(some.into_iter()));
                    self.console.say(&paint(DIM, "  Which of them?"));
                }
                Found::None if unknown.as_ref() == Some(&text) => return Ok(Some((text, Map::new()))),
                Found::None => {
                    let says = format!("  The shop has no {text:?}; once more sends it all the same.");
                    self.console.say(&paint(WARN, says));
                    unknown = Some(text);
                }
            }
        }
    }

    async fn send(
        &mut self,
        planned: &Planned,
        tally: &mut Tally,
        json: bool,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let before = self.api.recommendations(&planned.user_id).await.ok().and_then(|answer| Shown::read(&answer.body));
        let sender = ApiSender { api: self.api, concurrency: 1, look_every: 1 };
        let sent = Instant::now();
        let (fate, time, retries) = sender.track(planned, stop).await;
        let ms = time.as_secs_f64() * 1_000.0;
        let mut object = json!({"eventId": planned.event_id, "userId": planned.user_id,
            "eventType": planned.event_type, "productId": planned.product_id, "success": fate == Fate::Acknowledged});
        match &fate {
            Fate::Acknowledged => {
                object["acknowledgedMs"] = json!(ms);
                let id = paint(DIM, &planned.event_id);
                self.console.say(&format!("{} in {ms:.1} ms {id}", paint(GOOD, "✓ acknowledged")));
            }
            Fate::Refused(reason) | Fate::Unknown(reason) => {
                object["error"] = json!(reason);
                self.console.say(&format!("{} {}", paint(ERROR, "✗"), clean(reason, 400)));
            }
        }
        let acknowledged = fate == Fate::Acknowledged;
        tally.count_retries(retries);
        tally.count(fate, time);
        if acknowledged && let Some(body) = self.list_after(planned, stop).await {
            let ms = sent.elapsed().as_secs_f64() * 1_000.0;
            object["listMs"] = json!(ms);
            object["recommendations"] = body["data"].clone();
            self.show(planned, &body, before.as_ref(), ms);
            self.list = Shown::read(&body).map(|shown| (planned.user_id.clone(), shown));
        }
        if json {
            println!("{object}");
        }
        Ok(())
    }

    /// The list that the event made; as it is, where the event makes none.
    async fn list_after(&self, planned: &Planned, stop: &CancellationToken) -> Option<Value> {
        let started = Instant::now();
        loop {
            let body = self.api.recommendations(&planned.user_id).await.ok()?.body;
            let makes_none = planned.event_type == EventType::RecommendationView;
            if makes_none || body["metadata"]["causedBy"] == planned.event_id.as_str() {
                return Some(body);
            }
            if started.elapsed() > LIST || stop.is_cancelled() {
                let says = format!("  no new list within {} s: is the function running?", LIST.as_secs());
                self.console.say(&paint(WARN, says));
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn show(&self, planned: &Planned, body: &Value, before: Option<&Shown>, ms: f64) {
        let items = body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let user = clean(&planned.user_id, 40);
        if items.is_empty() {
            self.console.say(&paint(DIM, format!("  No recommendations for {user} yet.")));
            return;
        }
        let algorithm = clean(body["metadata"]["algorithm"].as_str().unwrap_or("?"), 20);
        let head = paint(BOLD, format!("Recommended for {user}"));
        self.console.say(&format!("{head} {}", paint(DIM, format!("by {algorithm}, {ms:.0} ms after the event"))));
        for (item, place) in items.iter().zip(1..) {
            let text = |field: &str, columns| clean(item[field].as_str().unwrap_or(""), columns);
            let id = text("productId", 40);
            let is_new = before.is_some_and(|before| !before.products.contains(&id));
            let name = if item["name"].is_string() { text("name", 32) } else { format!("product {id}") };
            let score = item["score"].as_f64().unwrap_or(0.0) * 100.0;
            self.console.say(&format!(
                "  {} {place:>2}  {}  {}  {:>9}  {score:>3.0}%  {}",
                if is_new { paint(GOOD, "+") } else { " ".to_owned() },
                pad(&name, 32),
                pad(&paint(DIM, text("category", 22)), 22),
                text("price", 9),
                paint(DIM, text("reason", 60)),
            ));
        }
    }
}
