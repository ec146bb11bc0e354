//! The HTTP API, as the commands call it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use freshet_events::Product;
use serde_json::Value;

/// How long one request may take: the gateway's own limit.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// Products of one page.
const PAGE: usize = 1_000;
/// Products read at the most.
const MAX_PRODUCTS: usize = 100_000;

/// A client of one API.
#[derive(Debug, Clone)]
pub(crate) struct ApiClient {
    http: reqwest::Client,
    base: String,
}

/// An answer: status and body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// The JSON body; a text where it is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// 200 to 299.
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Why it was refused, in the API's words.
    pub(crate) fn reason(&self) -> String {
        let said = self.body["error"].as_str().or_else(|| self.body["message"].as_str()).or_else(|| self.body.as_str());
        format!("{} {}", self.status, said.unwrap_or("without a reason"))
    }
}

impl ApiClient {
    /// A client of the API at `base`, such as `http://127.0.0.1:3001/api`.
    ///
    /// # Errors
    /// `base` is not an http(s) URL.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let base = base.trim_end_matches('/');
        let url = reqwest::Url::parse(base).with_context(|| format!("--api: expected a URL, got {base:?}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("--api: expected http:// or https://, got {base:?}");
        }
        let base = if url.path() == "/" { format!("{base}/api") } else { base.to_owned() };
        let http = reqwest::Client::builder().timeout(DEADLINE).connect_timeout(CONNECT).no_proxy().build()?;
        Ok(Self { http, base })
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// GET `path`, such as `/health`.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.answer(self.http.get(self.url(path))).await
    }

    /// POST `body` to `path`, with the administrators' token where one is given.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> anyhow::Result<Answer> {
        let request = self.http.post(self.url(path)).json(body);
        self.answer(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
    }

    /// The list of `user`.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn recommendations(&self, user: &str) -> anyhow::Result<Answer> {
        let mut url = reqwest::Url::parse(&self.url("/recommendations/"))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(user);
        }
        self.answer(self.http.get(url)).await
    }

    /// All products.
    ///
    /// # Errors
    /// No answer, or one that is not a list of products.
    pub(crate) async fn products(&self) -> anyhow::Result<Vec<Product>> {
        let mut products: Vec<Product> = Vec::new();
        loop {
            let path = format!("/products?limit={PAGE}&offset={}", products.len());
            let mut answer = self.get(&path).await?;
            if !answer.is_ok() {
                bail!("GET {}{path}: {}", self.base, answer.reason());
            }
            let page: Vec<Product> = serde_json::from_value(answer.body["data"].take())
                .with_context(|| format!("GET {}{path}: not a list of products", self.base))?;
            let last = page.len() < PAGE;
            products.extend(page);
            if last || products.len() >= MAX_PRODUCTS {
                return Ok(products);
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await.map_err(|error| unreachable(&self.base, &error))?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|error| unreachable(&self.base, &error))?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).chars().take(200).collect()));
        Ok(Answer { status, body })
    }
}

/// The innermost reason: `Connection refused` rather than `error sending request`.
fn unreachable(base: &str, error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let hint = if error.is_connect() { " (is `freshet up` running?)" } else { "" };
    anyhow::anyhow!("no answer from {base}: {cause}{hint}")
}
