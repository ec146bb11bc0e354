//! What a template asks for, resolved: no intrinsics left, defaults filled in.
//!
//! The reader (`template::read`) makes a [`Stack`] from a SAM template; everything else in this crate runs from it and
//! never looks at YAML again.

mod services;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use services::{GeneratedSecret, Queue, Redrive, Secret, SecretValue, SsmParameter};

pub use super::access::{
    Authorizer, IdentitySource, JwtAuthorizer, LambdaAuthorizer, PayloadFormat, Throttle, Throttling,
};
use crate::pattern::Filter;

/// One template, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stack {
    /// Lambda functions by logical id.
    pub functions: BTreeMap<String, Function>,
    /// Kafka event source mappings, in template order.
    pub mappings: Vec<KafkaMapping>,
    /// HTTP APIs by logical id (`AWS::Serverless::HttpApi`; the implicit one is `ServerlessHttpApi`).
    pub http_apis: BTreeMap<String, HttpApi>,
    /// WebSocket APIs by logical id.
    pub websocket_apis: BTreeMap<String, WebSocketApi>,
    /// DynamoDB tables by logical id.
    pub tables: BTreeMap<String, Table>,
    /// SQS queues by logical id. One may name another as its dead-letter queue.
    pub queues: BTreeMap<String, Queue>,
    /// Secrets, in template order.
    pub secrets: Vec<Secret>,
    /// Parameters of Systems Manager's store, in template order.
    pub parameters: Vec<SsmParameter>,
    /// Where the code of each function is named: its line in the template.
    pub lines: BTreeMap<String, usize>,
    /// The template's `Outputs`, where they could be resolved.
    pub outputs: BTreeMap<String, String>,
    /// What was read and can't be done here: resource, line, and why. Shown once at start.
    pub notes: Vec<Note>,
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id in the template.
    pub logical_id: String,
    /// `FunctionName`, or `<stack>-<logical id>`.
    pub name: String,
    /// How its process is started.
    pub code: Code,
    /// `Handler`, passed as `_HANDLER`.
    pub handler: String,
    /// `Timeout` in seconds (SAM's default 3).
    pub timeout_s: u32,
    /// `MemorySize` in MB (default 128).
    pub memory_mb: u32,
    /// `Environment.Variables`, resolved.
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`: the most processes at one time.
    pub reserved_concurrency: Option<u32>,
}

/// Where a function's program comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Code {
    /// `Metadata.BuildMethod: rust-cargolambda` with `BuildProperties.Binary`: a binary of that name in the binaries folder.
    CargoBinary(String),
    /// A folder or a zip file (`CodeUri`) that holds an executable `bootstrap`.
    Bootstrap(PathBuf),
    /// `Runtime: python3.x`, run by AWS's own runtime interface client.
    Python {
        /// Its code.
        source: Source,
        /// Such as `3.13`.
        version: String,
    },
    /// `Runtime: nodejs…`.
    Node {
        /// Its code.
        source: Source,
    },
}

/// Code of a managed runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder or a zip file.
    Path(PathBuf),
    /// The text of the only file, `index`.
    Inline(String),
}

/// A Kafka event source mapping of a function.
#[derive(Debug, Clone, PartialEq)]
// Each is a setting of its own in the template.
#[allow(clippy::struct_excessive_bools)]
pub struct KafkaMapping {
    /// `<function logical id>/<event name>`.
    pub id: String,
    /// Logical id of the function it invokes.
    pub function: String,
    /// `aws:kafka` (MSK) or `SelfManagedKafka`.
    pub source: KafkaSource,
    /// Topics (Kafka allows one per mapping on AWS).
    pub topic: String,
    /// `ConsumerGroupId`, or a name made of the mapping's id.
    pub consumer_group: String,
    /// Records in one invocation at the most (1–10,000; default 100).
    pub batch_size: u32,
    /// `MaximumBatchingWindowInSeconds` in milliseconds (default 500 ms).
    pub batching_window_ms: u64,
    /// Where a group without committed offsets begins.
    pub starting_position: StartingPosition,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`.
    pub report_batch_item_failures: bool,
    /// `ProvisionedPollerConfig` present. Required for partial failures and bounded retries.
    pub provisioned: bool,
    /// `MaximumPollers` of provisioned mode, else 1: batches of different partitions in flight at one time.
    pub maximum_pollers: u32,
    /// Retries after the first attempt; `None` = for ever.
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` = any age.
    pub maximum_record_age_s: Option<u32>,
    /// `BisectBatchOnFunctionError`.
    pub bisect_on_error: bool,
    /// `FilterCriteria`: records that none of these admits are not delivered; none = all are.
    pub filters: Vec<Filter>,
    /// On-failure destination ARN or `kafka://topic`.
    pub on_failure: Option<String>,
    /// `Enabled` (default true).
    pub enabled: bool,
}

impl KafkaMapping {
    /// A mapping of `function` with Lambda's defaults: on demand, from the oldest record, batches of 100 within half a second.
    pub fn new(function: &str, topic: &str, source: KafkaSource) -> Self {
        Self {
            id: format!("{function}/{topic}"),
            function: function.to_owned(),
            source,
            topic: topic.to_owned(),
            consumer_group: format!("{function}-{topic}"),
            batch_size: 100,
            batching_window_ms: 500,
            starting_position: StartingPosition::TrimHorizon,
            report_batch_item_failures: false,
            provisioned: false,
            maximum_pollers: 1,
            maximum_retry_attempts: None,
            maximum_record_age_s: None,
            bisect_on_error: false,
            filters: Vec::new(),
            on_failure: None,
            enabled: true,
        }
    }
}

/// Which service the mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaSource {
    /// Amazon MSK, with the cluster's ARN as resolved locally.
    Msk {
        /// Stands in `eventSourceArn`.
        arn: String,
    },
    /// Self-managed Kafka, with its bootstrap servers.
    SelfManaged {
        /// Comma-joined.
        bootstrap_servers: String,
    },
}

/// `StartingPosition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// From records that arrive after the mapping was made.
    Latest,
    /// From the oldest record.
    TrimHorizon,
    /// From the first record at or after this time, in milliseconds since the epoch.
    AtTimestamp(i64),
}

/// An HTTP API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HttpApi {
    /// Logical id.
    pub logical_id: String,
    /// `StageName` (default `$default`).
    pub stage: String,
    /// Routes, in template order.
    pub routes: Vec<HttpRoute>,
    /// `CorsConfiguration`; `None`: the gateway leaves CORS to the function.
    pub cors: Option<Cors>,
    /// `Auth.Authorizers` by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// `Auth.DefaultAuthorizer`, of routes that name none.
    pub default_authorizer: Option<String>,
    /// `DefaultRouteSettings` and `RouteSettings`.
    pub throttling: Throttling,
    /// `StageVariables`.
    pub stage_variables: BTreeMap<String, String>,
}

/// One route of an HTTP API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HttpRoute {
    /// Upper-case method, or `ANY`.
    pub method: String,
    /// Path with `{name}` and `{name+}`, or `$default`.
    pub path: String,
    /// Logical id of the function.
    pub function: String,
    /// `TimeoutInMillis` (default and most 30,000).
    pub timeout_ms: u64,
    /// `PayloadFormatVersion`.
    pub payload: PayloadFormat,
    /// Which of the API's authorizers decides; `None`: everybody may call.
    pub authorizer: Option<String>,
    /// `AuthorizationScopes`: one of them must stand in the token.
    pub scopes: Vec<String>,
}

impl HttpRoute {
    /// `$default`, or method and path.
    pub fn key(&self) -> String {
        if self.path == "$default" { self.path.clone() } else { format!("{} {}", self.method, self.path) }
    }
}

/// `CorsConfiguration` of an HTTP API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cors {
    /// Exact origins or `*`.
    pub allow_origins: Vec<String>,
    /// Methods or `*`.
    pub allow_methods: Vec<String>,
    /// Request headers or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers a page may read.
    pub expose_headers: Vec<String>,
    /// `Access-Control-Allow-Credentials`.
    pub allow_credentials: bool,
    /// Seconds a preflight answer may be kept.
    pub max_age_s: Option<u32>,
}

/// A WebSocket API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebSocketApi {
    /// Logical id.
    pub logical_id: String,
    /// `StageName`.
    pub stage: String,
    /// The field of a message that names its route: `$request.body.a.b` is `["a", "b"]`.
    pub action: Vec<String>,
    /// Routes, in template order.
    pub routes: Vec<WebSocketRoute>,
    /// Who may open a socket; `None`: everybody.
    pub authorizer: Option<LambdaAuthorizer>,
    /// `DefaultRouteSettings` and `RouteSettings`.
    pub throttling: Throttling,
    /// `StageVariables`.
    pub stage_variables: BTreeMap<String, String>,
}

/// One route of a WebSocket API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebSocketRoute {
    /// `$connect`, `$disconnect`, `$default` or a value of the selected field.
    pub key: String,
    /// Logical id of the function.
    pub function: String,
    /// It has a route response: the body of the function's answer goes back to the socket.
    pub answers: bool,
    /// How long the function may take, milliseconds (29,000 at the most).
    pub timeout_ms: u64,
}

/// A DynamoDB table, as far as `CreateTable` needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Logical id.
    pub logical_id: String,
    /// `TableName`, or `<stack>-<logical id>`.
    pub name: String,
    /// Attribute names with their types (`S`, `N`, `B`).
    pub attributes: Vec<(String, String)>,
    /// Partition key.
    pub hash_key: String,
    /// Sort key.
    pub range_key: Option<String>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// Local secondary indexes: their partition key is the table's.
    pub local_indexes: Vec<Index>,
    /// `StreamSpecification.StreamViewType`; `None`: no stream.
    pub stream: Option<String>,
    /// `TimeToLiveSpecification.AttributeName` where enabled.
    pub ttl_attribute: Option<String>,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// `IndexName`.
    pub name: String,
    /// Partition key.
    pub hash_key: String,
    /// Sort key.
    pub range_key: Option<String>,
    /// `Projection.ProjectionType`: `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// `Projection.NonKeyAttributes` of an `INCLUDE`.
    pub non_key_attributes: Vec<String>,
}

/// Something the local cloud can't do, said by resource and line.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Logical id of the resource.
    pub resource: String,
    /// Line in the template, from 1.
    pub line: usize,
    /// What and why.
    pub message: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (line {}): {}", self.resource, self.line, self.message)
    }
}
