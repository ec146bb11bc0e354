//! Which Kafka, and how it is reached.

use std::path::Path;
use std::time::Duration;

use freshet_stream::msk_iam::Signer;
use freshet_stream::{ProducerOptions, Security};
use serde::Deserialize;

use crate::api_client::ApiClient;
use crate::args::{KafkaArgs, KafkaSecurity, Usage};
use crate::up::API_FILE;

/// What to read.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The brokers.
    pub(crate) kafka: ProducerOptions,
    /// Where its products are told of.
    pub(crate) api: Option<ApiClient>,
}

/// What `freshet up` keeps of its Kafka.
#[derive(Deserialize)]
struct Topics {
    kafka: String,
}

/// Finds it; `api` is what somebody named, else the local cloud's own, where one is.
///
/// # Errors
/// [`Usage`]: there is none, or it can't be reached so; and what mends it.
pub(crate) fn find(args: &KafkaArgs, api: Option<&str>) -> anyhow::Result<Target> {
    let (brokers, local_api) = match &args.kafka {
        Some(brokers) => (brokers.clone(), None),
        None => (local(&args.data_dir)?, std::fs::read_to_string(args.data_dir.join(API_FILE)).ok()),
    };
    let api = api.or(local_api.as_deref().map(str::trim)).map(ApiClient::new).transpose()?;
    let security = security(args.security, &args.kafka_options, |name| std::env::var(name).ok())?;
    // The deadline is of producers, and nothing is produced.
    let kafka = ProducerOptions { bootstrap_servers: brokers, security, deadline: Duration::ZERO };
    Ok(Target { kafka, api })
}

/// The Kafka of the local cloud on `data_dir`.
fn local(data_dir: &Path) -> anyhow::Result<String> {
    let read = |name: &str| std::fs::read_to_string(data_dir.join(name)).ok();
    let elsewhere = read("topics.json").and_then(|text| serde_json::from_str::<Topics>(&text).ok());
    if let Some(Topics { kafka }) = elsewhere.filter(|topics| topics.kafka.contains(':')) {
        return Ok(kafka);
    }
    let port = read("kafka.port").and_then(|text| text.trim().parse::<u16>().ok());
    port.map(|port| format!("127.0.0.1:{port}")).ok_or_else(|| {
        let text = format!(
            "no `freshet up` has run on {}: start it here, or name another --data-dir, or the brokers with --kafka \
             (`freshet up --memory` says where its Kafka is)",
            data_dir.display()
        );
        Usage(text).into()
    })
}

fn security(
    how: KafkaSecurity,
    options: &[(String, String)],
    get: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Security> {
    if how != KafkaSecurity::Plaintext && !cfg!(feature = "tls") {
        let text = "--security: this build knows plaintext only: cargo build --release -p freshet --features tls";
        return Err(Usage(text.to_owned()).into());
    }
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(match how {
        KafkaSecurity::Plaintext if options.is_empty() => Security::Plaintext,
        KafkaSecurity::Plaintext | KafkaSecurity::Tls => {
            let protocol = if how == KafkaSecurity::Tls { "ssl" } else { "plaintext" };
            Security::Settings([own("security.protocol", protocol)].into_iter().chain(options.to_vec()).collect())
        }
        KafkaSecurity::MskIam if options.is_empty() => Security::MskIam(Signer::from_env(get)?),
        KafkaSecurity::MskIam => {
            return Err(Usage("--kafka-option: msk-iam takes none".to_owned()).into());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_kafka_is_found_where_up_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = local(folder.path()).unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("--kafka"), "{error}");
        std::fs::write(folder.path().join("kafka.port"), "4711\n").unwrap();
        std::fs::write(folder.path().join("topics.json"), r#"{"cluster":null,"kafka":"managed","generation":"1"}"#)
            .unwrap();
        assert_eq!(local(folder.path()).unwrap(), "127.0.0.1:4711");
        std::fs::write(folder.path().join("topics.json"), r#"{"kafka":"there:9092"}"#).unwrap();
        assert_eq!(local(folder.path()).unwrap(), "there:9092");
    }

    #[test]
    fn settings_of_librdkafka_go_on_top() {
        let options = [("sasl.username".to_owned(), "me".to_owned())];
        let Security::Settings(settings) = security(KafkaSecurity::Plaintext, &options, |_| None).unwrap() else {
            panic!()
        };
        assert_eq!(settings.len(), 2);
        assert_eq!(security(KafkaSecurity::Tls, &[], |_| None).is_ok(), cfg!(feature = "tls"));
    }
}
