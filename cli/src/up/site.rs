//! The website: its built files on a loopback port, told where the API and the socket are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::args::Usage;

/// The page that all paths of the website lead to.
const PAGE: &str = "index.html";

/// Where the page finds the system; the website reads the meta elements of these names.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// Base of the API.
    pub(crate) api: String,
    /// The WebSocket API.
    pub(crate) socket: String,
}

/// A website whose port is held, and not served yet: its origin is known before the API that lets it in.
pub(crate) struct Opening {
    folder: PathBuf,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
}

/// A website that is served. Dropping it ends it.
pub(crate) struct Site {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// The folder of the built website: the one named, or the one beside the template where it was built.
pub(crate) fn folder(named: Option<&Path>, template: &Path) -> Option<PathBuf> {
    let beside = || template.parent().map(|folder| folder.join("website/dist"));
    named.map(Path::to_owned).or_else(|| beside().filter(|folder| folder.join(PAGE).is_file()))
}

/// What a browser may call the origin of a website on `port` of this machine.
pub(crate) fn origins(port: u16) -> Vec<String> {
    ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}")).into()
}

impl Opening {
    /// Holds `port` of 127.0.0.1 (0: any free one) for the website in `folder`.
    ///
    /// # Errors
    /// The folder holds no website, or the port is taken.
    pub(crate) async fn listen(folder: &Path, port: u16) -> anyhow::Result<Self> {
        let page = folder.join(PAGE);
        std::fs::read_to_string(&page).with_context(|| format!("--site: {}", page.display()))?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
            Usage(format!("port {port} of 127.0.0.1 can't be had for the website: {error}; --site-port names another"))
        })?;
        let address = listener.local_addr()?;
        Ok(Self { folder: folder.to_owned(), listener, address })
    }

    /// What a browser calls the website's origin.
    pub(crate) fn origins(&self) -> Vec<String> {
        origins(self.address.port())
    }

    /// Serves it, told where the API and the socket are.
    pub(crate) fn serve(self, addresses: Addresses) -> Site {
        let Self { folder, listener, address } = self;
        let page = Page { file: folder.join(PAGE), addresses };
        let show = get(show).with_state(Arc::new(page));
        let files = ServeDir::new(&folder).append_index_html_on_directories(false).fallback(show.clone());
        let sniff =
            SetResponseHeaderLayer::if_not_present(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let router =
            Router::new().route("/", show.clone()).route("/index.html", show).fallback_service(files).layer(sniff);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the website is no longer served");
            }
        });
        Site { address, task }
    }
}

impl Site {
    /// As people type it.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The page, and what it is told.
struct Page {
    file: PathBuf,
    addresses: Addresses,
}

impl Page {
    /// Read anew each time: a website that is built again is served at the next reload.
    fn read(&self) -> std::io::Result<String> {
        Ok(told(&std::fs::read_to_string(&self.file)?, &self.addresses))
    }
}

/// The page for every path that is no file: the website itself tells them apart.
async fn show(State(page): State<Arc<Page>>, uri: axum::http::Uri) -> Response {
    // A file that is missing must not look like one.
    if Path::new(uri.path()).extension().is_some_and(|kind| kind != "html") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(text) = page.read() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the website is being built").into_response();
    };
    let mut response = Html(text).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn told(page: &str, addresses: &Addresses) -> String {
    let meta = |name: &str, value: &str| format!("<meta name=\"{name}\" content=\"{}\">", value.replace('"', "%22"));
    let (api, socket) = (meta("freshet-api", &addresses.api), meta("freshet-socket", &addresses.socket));
    page.replacen("<head>", &format!("<head>{api}{socket}"), 1)
}
