//! Our own template: its parameters, its topics' generation, the sample catalogue, the website.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use freshet_localstack::LocalCloud;
use serde::Serialize;

use super::state::{self, State};
use super::{API_FILE, DATA_DIR, Session, found, sample, site};
use crate::api_client::ApiClient;
use crate::args::UpArgs;
use crate::cloud::{self, Setup, Shop, WATERMARKED};
use crate::style::{BOLD, DIM, GOOD, paint};

/// What is up, for the banner and for machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Up {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    api: String,
    socket: String,
    lambda: String,
    health: String,
    dynamodb: String,
    kafka: String,
    data_dir: PathBuf,
    admin_token_file: PathBuf,
    topic_generation: String,
    imported_products: u64,
    started_in_seconds: f64,
    #[serde(skip)]
    temporary: bool,
}

/// Whom the API lets in.
struct Access {
    /// The administrators' token.
    token: String,
    /// Of websites.
    origins: Vec<String>,
}

/// Runs it until somebody stops it.
///
/// # Errors
/// What is missing or wrong, and what mends it.
pub(super) async fn run(session: &Session<'_>, state: &State) -> anyhow::Result<()> {
    let opening = hold_site(session.args).await?;
    let origins = opening.as_ref().map_or_else(|| expected_origins(session.args), site::Opening::origins);
    let access = Access { token: state.admin_token()?, origins };
    let Some((cloud, generation)) = start(session, &access, state).await? else {
        session.spinner.finish_and_clear();
        return Ok(());
    };
    let served = serve(session, &cloud, opening, &access, generation, state).await;
    session.end(cloud).await;
    served
}

async fn serve(
    session: &Session<'_>,
    cloud: &LocalCloud,
    opening: Option<site::Opening>,
    access: &Access,
    topic_generation: String,
    state: &State,
) -> anyhow::Result<()> {
    let api = ApiClient::new(&format!("{}/api", cloud.http_url()))?;
    std::fs::write(session.data_dir.join(API_FILE), api.base())
        .with_context(|| format!("--data-dir: {}", session.data_dir.display()))?;
    let ready = async {
        sample::until_healthy(&api).await?;
        if session.args.no_sample { Ok(0) } else { sample::load(&api, &access.token).await }
    };
    let imported_products = tokio::select! {
        imported = ready => imported?,
        () = session.stop.cancelled() => return Ok(()),
    };
    let addresses = site::Addresses { api: api.base().to_owned(), socket: cloud.websocket_url() };
    let site = opening.map(|opening| opening.serve(addresses));
    let up = Up {
        site: site.as_ref().map(site::Site::url),
        api: api.base().to_owned(),
        socket: cloud.websocket_url(),
        lambda: cloud.invoke_url(),
        health: format!("{}/health", api.base()),
        dynamodb: cloud.dynamodb_endpoint(),
        kafka: cloud.bootstrap_servers(),
        admin_token_file: state.token_file(),
        data_dir: session.data_dir.clone(),
        topic_generation,
        imported_products,
        started_in_seconds: session.seconds(),
        temporary: session.temporary,
    };
    // Without one of its functions the shop is not whole: that is always told.
    let is_missing = |id: &str| cloud.stack().lines.contains_key(id) && !cloud.stack().functions.contains_key(id);
    for note in cloud.notes().iter().filter(|note| session.args.verbose || is_missing(&note.resource)) {
        session.terminal.print(&paint(DIM, note.to_string()));
    }
    session.serve(cloud, &up).await
}

/// The cloud, and the generation of its topics; `None`: stopped meanwhile.
async fn start(session: &Session<'_>, access: &Access, state: &State) -> anyhow::Result<Option<(LocalCloud, String)>> {
    let found = found::look(&session.kafka(), &session.data_dir).await?;
    let mut generation = state.topic_generation(&found)?;
    loop {
        let shop = Shop {
            origins: access.origins.clone(),
            topic_generation: generation.clone(),
            admin_token_sha256: state::sha256(&access.token),
        };
        let setup = Setup { shop: Some(shop), ..session.setup() };
        let Some(cloud) = cloud::start(setup, &session.stop).await? else { return Ok(None) };
        let anew = cloud.created_topics().iter().any(|topic| WATERMARKED.contains(&topic.as_str()));
        if !(anew && found.topics_exist) {
            return Ok(Some((cloud, generation)));
        }
        // They were there a moment ago and had to be made: another generation, or old watermarks would swallow new events.
        cloud.stop().await;
        generation = state.topic_generation(&state::Found { topics_exist: false, ..found.clone() })?;
    }
}

/// Holds the website's port, where there is a website.
async fn hold_site(args: &UpArgs) -> anyhow::Result<Option<site::Opening>> {
    let folder = if args.no_site { None } else { site::folder(args.site.as_deref(), &args.template) };
    match folder {
        Some(folder) => site::Opening::listen(&folder, args.website_port()).await.map(Some),
        None => Ok(None),
    }
}

/// Where a website of somebody else's would be: `npm run dev` takes the port that ours would have.
fn expected_origins(args: &UpArgs) -> Vec<String> {
    match args.website_port() {
        0 => Vec::new(),
        port => site::origins(port),
    }
}

impl std::fmt::Display for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = format!("started in {:.1} s", self.started_in_seconds);
        writeln!(f, "\n{} {}", paint(GOOD, "Freshet is up"), paint(DIM, seconds))?;
        if let Some(site) = &self.site {
            writeln!(f, "  {}    {}", paint(BOLD, "shop"), site)?;
        }
        writeln!(f, "  {}     {}", paint(BOLD, "API"), self.api)?;
        writeln!(f, "  {}  {}", paint(BOLD, "socket"), self.socket)?;
        writeln!(f, "  {}  {}", paint(BOLD, "lambda"), self.lambda)?;
        writeln!(f, "  {}  {}", paint(BOLD, "health"), self.health)?;
        writeln!(f, "  {}   {} · DynamoDB {}", paint(BOLD, "Kafka"), self.kafka, self.dynamodb)?;
        let gone = if self.temporary { " (gone at the end)" } else { "" };
        writeln!(f, "  {}    {}{gone}", paint(BOLD, "data"), self.data_dir.display())?;
        writeln!(f, "  {}   {} (for writes to the catalogue)", paint(BOLD, "token"), self.admin_token_file.display())?;
        if self.imported_products > 0 {
            writeln!(f, "  {}  {} products", paint(BOLD, "sample"), self.imported_products)?;
        }
        writeln!(f, "\n  curl {}/products", self.api)?;
        writeln!(
            f,
            "  curl {}/events/track -H 'content-type: application/json' \\\n       \
             -d '{{\"userId\":\"me\",\"eventType\":\"product_view\",\"productId\":\"1\"}}'",
            self.api
        )?;
        writeln!(f, "  curl {}/recommendations/me", self.api)?;
        writeln!(f, "  freshet simulate --api {}", self.api)?;
        if self.data_dir == Path::new(DATA_DIR) {
            writeln!(f, "  freshet monitor")?;
        } else {
            writeln!(f, "  freshet monitor --data-dir {}", self.data_dir.display())?;
        }
        write!(f, "\nCtrl-C stops")
    }
}
