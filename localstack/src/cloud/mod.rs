//! The whole local cloud: read the template, start everything in its order, stop it in the reverse one.

mod setup;

use std::net::TcpListener;
use std::sync::Arc;

use serde::Serialize;

use crate::dynamodb::{self, Server, Storage};
use crate::endpoint::{self, Endpoint};
use crate::error::CloudError;
use crate::functions::{FunctionStatus, Functions, Invoke};
use crate::invoke_api::{InvokeApi, InvokeApiOptions};
use crate::kafka::{Broker, topics};
use crate::mapping::{Mapping, MappingOptions, MappingStatus};
use crate::options::{KafkaChoice, Options};
use crate::template;
use crate::template::model::{Note, Stack};
use crate::websocket::{self, WebSocketGateway};
use setup::{
    fingerprint, function_arn, kept_port, lock, prepare, read, run_functions, start_kafka, supervisor_options,
    wanted_topics,
};

/// Everything as it is now.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudStatus {
    /// The event source mappings.
    pub mappings: Vec<MappingStatus>,
    /// The functions.
    pub functions: Vec<FunctionStatus>,
    /// Open WebSockets.
    pub sockets: usize,
    /// The broker's process; `None`: it is not ours.
    pub kafka_pid: Option<u32>,
    /// How often our broker came back.
    pub kafka_restarts: u32,
}

/// A running local cloud. Dropping it kills what it started; [`stop`](Self::stop) ends it cleanly.
pub struct LocalCloud {
    mappings: Vec<Mapping>,
    gateways: Vec<crate::gateway::Gateway>,
    websockets: Vec<WebSocketGateway>,
    invoke_api: Option<InvokeApi>,
    functions: Arc<Functions>,
    dynamodb: Option<Server>,
    kafka: Option<Broker>,
    stack: Stack,
    bootstrap_servers: String,
    dynamodb_endpoint: String,
    created_topics: Vec<String>,
    services: Option<Endpoint>,
    /// Held as long as this runs.
    _lock: std::fs::File,
}

impl LocalCloud {
    /// Starts everything; what was started is ended again where something fails.
    ///
    /// # Errors
    /// What is missing or wrong, and what mends it.
    pub async fn start(mut options: Options) -> Result<Self, CloudError> {
        let lock = lock(&options.data_dir)?;
        let services = options.services_endpoint.as_deref().map(Endpoint::new).transpose()?;
        let dynamodb = match &options.dynamodb_endpoint {
            Some(_) => None,
            None if options.memory => Some(Server::start(Storage::Memory, 0)?),
            None => Some(Server::start(Storage::File(&options.data_dir.join("dynamodb.sqlite")), 0)?),
        };
        let dynamodb_endpoint =
            options.dynamodb_endpoint.clone().or_else(|| dynamodb.as_ref().map(Server::endpoint)).unwrap_or_default();
        let kafka_port = match &options.kafka {
            KafkaChoice::Managed { port } => kept_port(&options.data_dir, *port)?,
            KafkaChoice::External(_) => 0,
        };
        let bootstrap_servers = match &options.kafka {
            KafkaChoice::Managed { .. } => format!("127.0.0.1:{kafka_port}"),
            KafkaChoice::External(servers) => servers.clone(),
        };
        if let Some(services) = &services {
            let declared = template::parameters(&options.template)?;
            let found = endpoint::resolve(services, &declared, &options.parameters).await?;
            options.parameters.extend(found);
        }
        // The template is read before anything slow: its mistakes show at once.
        let mut stack = read(&options, &bootstrap_servers, &dynamodb_endpoint)?;
        let runnable = prepare(&options, &mut stack).await?;
        match &services {
            Some(services) => endpoint::create(services, &stack).await?,
            None => endpoint::tell_missing(&stack),
        }
        let kafka = start_kafka(&options, kafka_port).await?;
        let tables: Vec<_> = stack.tables.values().cloned().collect();
        let created_topics = topics::ensure(&bootstrap_servers, &wanted_topics(&options, &stack)).await?;
        dynamodb::create_tables(&dynamodb_endpoint, &tables).await?;

        let listener =
            if stack.websocket_apis.is_empty() { None } else { Some(websocket::listen(options.websocket_port)?) };
        let connections = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let invoke_listener = websocket::listen(options.invoke_port)?;
        let invokes = invoke_listener.local_addr().ok();
        let supervisor =
            supervisor_options(&options, runnable, &dynamodb_endpoint, services.as_ref(), connections, invokes);
        let functions = Arc::new(run_functions(&options, &stack, supervisor).await?);
        let invoke: Arc<dyn Invoke> = Arc::clone(&functions) as Arc<dyn Invoke>;
        let mut cloud = Self {
            mappings: Vec::new(),
            gateways: Vec::new(),
            websockets: Vec::new(),
            invoke_api: None,
            functions,
            dynamodb,
            kafka,
            stack,
            bootstrap_servers,
            dynamodb_endpoint,
            created_topics,
            services,
            _lock: lock,
        };
        if let Err(error) = cloud.connect(&options, listener, invoke_listener, invoke).await {
            cloud.stop().await;
            return Err(error);
        }
        Ok(cloud)
    }

    /// Starts what triggers the functions: mappings and gateways.
    async fn connect(
        &mut self,
        options: &Options,
        mut websocket: Option<TcpListener>,
        invokes: TcpListener,
        invoke: Arc<dyn Invoke>,
    ) -> Result<(), CloudError> {
        let lambda = InvokeApiOptions::new(self.stack.functions.values().cloned().collect());
        self.invoke_api = Some(InvokeApi::start(lambda, invokes, Arc::clone(&invoke))?);
        let instance = format!("freshet-{:x}", fingerprint(&options.data_dir));
        for mapping in &self.stack.mappings {
            let mut mapping = mapping.clone();
            mapping.enabled &= options.mappings;
            let options = MappingOptions {
                partial_failures: options.partial_failures,
                instance: Some(instance.clone()),
                function_arn: self.stack.functions.get(&mapping.function).map(function_arn),
                endpoint: self.services.clone(),
                ..MappingOptions::new(&self.bootstrap_servers)
            };
            self.mappings.push(Mapping::start(mapping, options, Arc::clone(&invoke)).await?);
        }
        if let Some(api) = &self.invoke_api {
            api.set_mappings(self.mappings.iter().map(Mapping::handle).collect());
        }
        let mut port = options.http_port;
        for api in self.stack.http_apis.values() {
            self.gateways.push(crate::gateway::Gateway::start(api.clone(), port, Arc::clone(&invoke)).await?);
            // Further APIs of a template get what is free.
            port = 0;
        }
        for api in self.stack.websocket_apis.values() {
            let listener = websocket.take().map_or_else(|| websocket::listen(0), Ok)?;
            let limits = websocket::Limits::default();
            self.websockets.push(WebSocketGateway::start(api.clone(), limits, listener, Arc::clone(&invoke))?);
        }
        Ok(())
    }

    /// `http://127.0.0.1:port` of the first HTTP API, and its stage where that has a name.
    pub fn http_url(&self) -> String {
        self.gateways.first().map(crate::gateway::Gateway::url).unwrap_or_default()
    }

    /// `ws://127.0.0.1:port` of the first WebSocket API; empty: the template has none.
    pub fn websocket_url(&self) -> String {
        self.websockets.first().map(|gateway| format!("ws://{}", gateway.address())).unwrap_or_default()
    }

    /// Where each HTTP API listens, by logical id.
    pub fn http_urls(&self) -> Vec<(&str, String)> {
        let urls = self.gateways.iter().map(crate::gateway::Gateway::url);
        self.stack.http_apis.keys().map(String::as_str).zip(urls).collect()
    }

    /// Where each WebSocket API listens, by logical id.
    pub fn websocket_urls(&self) -> Vec<(&str, String)> {
        let urls = self.websockets.iter().map(|gateway| format!("ws://{}", gateway.address()));
        self.stack.websocket_apis.keys().map(String::as_str).zip(urls).collect()
    }

    /// `http://127.0.0.1:port` of Lambda's Invoke API.
    pub fn invoke_url(&self) -> String {
        self.invoke_api.as_ref().map(|api| format!("http://{}", api.address())).unwrap_or_default()
    }

    /// DynamoDB's endpoint.
    pub fn dynamodb_endpoint(&self) -> String {
        self.dynamodb_endpoint.clone()
    }

    /// Kafka's brokers.
    pub fn bootstrap_servers(&self) -> String {
        self.bootstrap_servers.clone()
    }

    /// Topics that did not exist before this start.
    pub fn created_topics(&self) -> &[String] {
        &self.created_topics
    }

    /// What the template asks for and this can't do.
    pub fn notes(&self) -> &[Note] {
        &self.stack.notes
    }

    /// The template, resolved.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Everything as it is now.
    pub fn status(&self) -> CloudStatus {
        CloudStatus {
            mappings: self.mappings.iter().map(Mapping::status).collect(),
            functions: self.functions.status(),
            sockets: self.websockets.iter().map(WebSocketGateway::connections).sum(),
            kafka_pid: self.kafka_pid(),
            kafka_restarts: self.kafka.as_ref().map_or(0, Broker::restarts),
        }
    }

    /// Process ids of a function at present, by logical id or name.
    pub fn function_pids(&self, function: &str) -> Vec<u32> {
        self.functions.pids(function)
    }

    /// The broker's process at present, 0 while it is down; `None`: it is not ours.
    pub fn kafka_pid(&self) -> Option<u32> {
        self.kafka.as_ref().map(Broker::pid)
    }

    /// Invokes a function by its logical id.
    pub fn functions(&self) -> Arc<Functions> {
        Arc::clone(&self.functions)
    }

    /// Stops everything in the reverse order, within 5 s.
    pub async fn stop(self) {
        for gateway in self.gateways {
            gateway.stop().await;
        }
        for gateway in self.websockets {
            gateway.stop().await;
        }
        if let Some(api) = self.invoke_api {
            api.stop().await;
        }
        futures::future::join_all(self.mappings.into_iter().map(Mapping::stop)).await;
        self.functions.stop().await;
        let kafka = async {
            if let Some(kafka) = self.kafka {
                kafka.stop().await;
            }
        };
        let dynamodb = async {
            if let Some(dynamodb) = self.dynamodb {
                dynamodb.stop().await;
            }
        };
        tokio::join!(kafka, dynamodb);
    }
}
