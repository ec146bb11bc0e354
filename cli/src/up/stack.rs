//! Any other SAM template: what of it runs here, and where.

use std::collections::BTreeMap;
use std::path::PathBuf;

use freshet_localstack::LocalCloud;
use freshet_localstack::template::Parameter;
use serde::Serialize;

use super::Session;
use crate::cloud::{self, Setup};
use crate::style::{BOLD, DIM, GOOD, WARN, paint};

/// What is up, for the banner and for machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Up {
    http_apis: BTreeMap<String, Api>,
    websocket_apis: BTreeMap<String, String>,
    functions: Vec<String>,
    lambda: String,
    /// `topic → function`.
    mappings: Vec<Route>,
    dynamodb: String,
    kafka: String,
    outputs: BTreeMap<String, String>,
    notes: Vec<String>,
    data_dir: PathBuf,
    started_in_seconds: f64,
    #[serde(skip)]
    temporary: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Api {
    url: String,
    routes: Vec<Route>,
}

/// What leads to a function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    from: String,
    function: String,
}

/// Runs it until somebody stops it.
///
/// # Errors
/// What is missing or wrong, and what mends it.
pub(super) async fn run(session: &Session<'_>, declared: &[Parameter]) -> anyhow::Result<()> {
    let mut setup = session.setup();
    let stand_ins = cloud::stand_ins(declared, &setup.parameters);
    setup.parameters.splice(..0, stand_ins.clone());
    let Some(cloud) = cloud::start(Setup { shop: None, ..setup }, &session.stop).await? else {
        session.spinner.finish_and_clear();
        return Ok(());
    };
    let missing = stand_ins.iter().map(|(name, value)| {
        format!("parameter {name} has neither value nor default: {value} stands for it; --param {name}=… gives one")
    });
    let served = session.serve(&cloud, &up(session, &cloud, missing)).await;
    session.end(cloud).await;
    served
}

fn up(session: &Session<'_>, cloud: &LocalCloud, notes: impl Iterator<Item = String>) -> Up {
    let stack = cloud.stack();
    let route = |from: String, function: &String| Route { from, function: function.clone() };
    let api = |(id, url): (&str, String)| {
        let routes = stack.http_apis.get(id).map(|api| &*api.routes).unwrap_or_default();
        let routes = routes.iter().map(|to| route(format!("{} {}", to.method, to.path), &to.function)).collect();
        (id.to_owned(), Api { url, routes })
    };
    Up {
        http_apis: cloud.http_urls().into_iter().map(api).collect(),
        websocket_apis: cloud.websocket_urls().into_iter().map(|(id, url)| (id.to_owned(), url)).collect(),
        functions: stack.functions.keys().cloned().collect(),
        lambda: cloud.invoke_url(),
        mappings: stack.mappings.iter().map(|mapping| route(mapping.topic.clone(), &mapping.function)).collect(),
        dynamodb: cloud.dynamodb_endpoint(),
        kafka: cloud.bootstrap_servers(),
        outputs: stack.outputs.clone(),
        notes: notes.chain(cloud.notes().iter().map(ToString::to_string)).collect(),
        data_dir: session.data_dir.clone(),
        started_in_seconds: session.seconds(),
        temporary: session.temporary,
    }
}

impl std::fmt::Display for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = format!("started in {:.1} s", self.started_in_seconds);
        writeln!(f, "\n{} {}", paint(GOOD, "The stack is up"), paint(DIM, seconds))?;
        for (id, api) in &self.http_apis {
            writeln!(f, "  {}  {} {}", paint(BOLD, "HTTP API "), api.url, paint(DIM, id))?;
            for route in &api.routes {
                writeln!(f, "             {} → {}", route.from, route.function)?;
            }
        }
        for (id, url) in &self.websocket_apis {
            writeln!(f, "  {}  {url} {}", paint(BOLD, "WebSocket"), paint(DIM, id))?;
        }
        writeln!(f, "  {}  {} · DynamoDB {}", paint(BOLD, "Kafka    "), self.kafka, self.dynamodb)?;
        for mapping in &self.mappings {
            writeln!(f, "             {} → {}", mapping.from, mapping.function)?;
        }
        writeln!(f, "  {}  {}", paint(BOLD, "Lambda   "), self.lambda)?;
        writeln!(f, "             {}", self.functions.join(", "))?;
        let gone = if self.temporary { " (gone at the end)" } else { "" };
        writeln!(f, "  {}  {}{gone}", paint(BOLD, "data     "), self.data_dir.display())?;
        for note in &self.notes {
            writeln!(f, "  {} {note}", paint(WARN, "note"))?;
        }
        write!(f, "\nCtrl-C stops")
    }
}
