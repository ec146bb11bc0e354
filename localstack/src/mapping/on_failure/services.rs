//! A queue of SQS, a topic of SNS or a bucket of S3 at the endpoint of such services: one document for all records.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Loss;
use super::document::Facts;
use crate::endpoint::{Call, CallError, Endpoint};

/// How often a document is sent at the most.
const TRIES: u32 = 8;
/// After the first try; doubled each time.
const AGAIN: Duration = Duration::from_millis(250);

/// Where to send.
#[derive(Clone)]
pub(super) struct Target {
    endpoint: Endpoint,
    kind: Kind,
    arn: String,
}

#[derive(Clone)]
enum Kind {
    Queue { account: String, name: String },
    Topic,
    Bucket(String),
}

impl Target {
    /// What `arn` names; `None`: no kind of destination that AWS has for Kafka.
    pub(super) fn new(arn: &str, endpoint: &Endpoint) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, _region, account, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let kind = match service {
            "sqs" => Kind::Queue { account: account.to_owned(), name: name.to_owned() },
            "sns" => Kind::Topic,
            "s3" => Kind::Bucket(name.to_owned()),
            _ => return None,
        };
        Some(Self { endpoint: endpoint.clone(), kind, arn: arn.to_owned() })
    }

    /// Returns when it is acknowledged. `Err`: it never will be.
    pub(super) async fn send(&self, facts: &Facts, loss: &Loss<'_>) -> Result<(), String> {
        let mut document = facts.of_batch(loss, &uuid::Uuid::new_v4().to_string());
        if let Kind::Bucket(_) = self.kind {
            // A bucket takes what no payload can hold, too.
            let event = loss.batcher.payload(std::slice::from_ref(loss.part));
            document["payload"] = Value::from(String::from_utf8_lossy(&event).into_owned());
        }
        let key = object_key(&facts.mapping, &loss.batcher.identifier(loss.part.partition));
        let mut wait = AGAIN;
        for attempt in 1.. {
            match self.send_once(&document, &key).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_final() || attempt >= TRIES => return Err(format!("{}: {error}", self.arn)),
                Err(error) => {
                    tracing::warn!(to = self.arn, %error, "the on-failure destination can't be reached");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
            }
        }
        Ok(())
    }

    async fn send_once(&self, document: &Value, key: &str) -> Result<(), CallError> {
        match &self.kind {
            Kind::Queue { account, name } => {
                let queue = json!({"QueueName": name, "QueueOwnerAWSAccountId": account});
                let url = self.endpoint.sqs("GetQueueUrl", &queue).await?["QueueUrl"].clone();
                let message = json!({"QueueUrl": url, "MessageBody": document.to_string()});
                self.endpoint.sqs("SendMessage", &message).await.map(drop)
            }
            Kind::Topic => {
                let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                let (arn, message) = (encode(&self.arn), encode(&document.to_string()));
                let form = format!("Action=Publish&Version=2010-03-31&TopicArn={arn}&Message={message}");
                let headers = [("content-type", "application/x-www-form-urlencoded")];
                let call = Call { service: "sns", method: "POST", path: "/", headers: &headers };
                self.endpoint.call(call, form.into_bytes()).await.map(drop)
            }
            Kind::Bucket(bucket) => {
                let path = format!("/{bucket}/{key}");
                let headers = [("content-type", "application/json")];
                let call = Call { service: "s3", method: "PUT", path: &path, headers: &headers };
                self.endpoint.call(call, document.to_string().into_bytes()).await.map(drop)
            }
        }
    }
}

/// As Lambda names objects of its stream sources: the mapping and its partition, the day, the time and a random id.
fn object_key(mapping: &str, partition: &str) -> String {
    let format = format_description!("[year]/[month]/[day]/[year]-[month]-[day]T[hour].[minute].[second]");
    let at = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    // The mapping's id stands where AWS has a UUID, and is no folder of folders.
    format!("aws/lambda/{}/{partition}/{at}-{}", mapping.replace('/', "-"), uuid::Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_told_by_their_arns() {
        let endpoint = Endpoint::new("http://127.0.0.1:4566").unwrap();
        let kind = |arn: &str| Target::new(arn, &endpoint).map(|target| target.kind);
        let queue = kind("arn:aws:sqs:us-east-1:000000000000:dead");
        assert!(matches!(queue, Some(Kind::Queue { account, name }) if account == "000000000000" && name == "dead"));
        assert!(matches!(kind("arn:aws:sns:us-east-1:000000000000:dead"), Some(Kind::Topic)));
        assert!(matches!(kind("arn:aws:s3:::dead"), Some(Kind::Bucket(name)) if name == "dead"));
        for other in ["arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:sqs", ""] {
            assert!(kind(other).is_none(), "{other}");
        }
    }

    #[test]
    fn an_object_is_named_by_mapping_partition_and_time() {
        let key = object_key("Work/Orders", "orders-3");
        let parts: Vec<&str> = key.split('/').collect();
        assert_eq!((parts.len(), &parts[..4]), (8, ["aws", "lambda", "Work-Orders", "orders-3"].as_slice()));
        assert!(parts[7].starts_with(&format!("{}-{}-{}T", parts[4], parts[5], parts[6])), "{key}");
    }
}
