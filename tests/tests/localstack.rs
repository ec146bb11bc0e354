//! SQS, Secrets Manager and Systems Manager from LocalStack, everything else from this machine. No Docker.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use freshet_localstack::template::Settings;
use freshet_localstack::{LocalCloud, Options};
use freshet_stream::{Message, Producer};
use freshet_tests::localstack::{LocalStack, json_call};
use freshet_tests::world::{Client, http_client, kafka, kafka_jars};
use freshet_tests::{Setup, World};
use serde_json::{Value, json};

const TEMPLATE: &str = "templates/localstack/template.yaml";

async fn cloud(folder: &Path, localstack: &LocalStack) -> LocalCloud {
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(TEMPLATE);
    let mut options = Options::new(template, folder.to_owned(), folder.to_owned(), kafka_jars());
    "orders-test".clone_into(&mut options.stack_name);
    options.memory = true;
    (options.http_port, options.websocket_port, options.partitions) = (0, 0, 1);
    options.services_endpoint = Some(localstack.url().to_owned());
    LocalCloud::start(options).await.unwrap()
}

/// The next message of a queue, taken out of it.
async fn receive(client: &Client, localstack: &LocalStack, queue: &str) -> String {
    let what = format!("a message in {queue}");
    let found = client.until(&what, async || {
        let url = localstack.call("AmazonSQS.GetQueueUrl", &json!({"QueueName": queue})).await?["QueueUrl"].clone();
        let got = localstack.call("AmazonSQS.ReceiveMessage", &json!({"QueueUrl": url, "WaitTimeSeconds": 1})).await?;
        let Some(message) = got["Messages"].get(0) else { return Ok(None) };
        let taken = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        localstack.call("AmazonSQS.DeleteMessage", &taken).await?;
        Ok(message["Body"].as_str().map(str::to_owned))
    });
    found.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_uses_localstacks_services_and_what_it_fails_lands_in_the_queue() {
    let localstack = LocalStack::start().await.unwrap();
    let greeting = json!({"Name": "/freshet-test/greeting", "Value": "order", "Type": "String"});
    localstack.call("AmazonSSM.PutParameter", &greeting).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cloud = self::cloud(folder.path(), &localstack).await;
    let (bootstrap, dynamodb) = (cloud.bootstrap_servers(), cloud.dynamodb_endpoint());
    let client = Client::new("", &bootstrap, &dynamodb, "none");
    let message = |value: &str| Message { topic: "orders".into(), key: "k".into(), value: value.as_bytes().to_vec() };
    let messages = ["first", "poison", "last"].map(message);
    Producer::new(kafka(&bootstrap)).unwrap().send_all(&messages).await.unwrap();

    // Of the template: the greeting by a parameter of the template, the place by one of the store, and a made-up secret.
    for offset in [0, 2] {
        let done = receive(&client, &localstack, "orders-test-Done").await;
        assert_eq!(done, format!("order {offset} from Cologne, secret complete"));
    }
    let letter: Value = serde_json::from_str(&receive(&client, &localstack, "orders-test-Failed").await).unwrap();
    assert_eq!(letter["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], 2);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:orders-test-Work";
    assert_eq!(letter["requestContext"]["functionArn"], arn);
    assert_eq!(letter["responseContext"]["functionError"], "Unhandled");
    let info = &letter["KafkaBatchInfo"];
    assert_eq!((&info["batchSize"], &info["bootstrapServers"]), (&json!(1), &json!(bootstrap)));
    assert_eq!(info["eventSourceArn"], "arn:aws:kafka:us-east-1:000000000000:cluster/local/1");
    let records = &info["recordsInfo"]["orders-0"];
    assert_eq!((&records["firstRecordOffset"], &records["lastRecordOffset"]), (&json!("1"), &json!("1")));
    assert_eq!(letter["payload"], Value::Null, "a queue is told where the records are, not what they are");

    // The table is on this machine, not in LocalStack.
    let scan = json!({"TableName": "orders-test-Orders", "Select": "COUNT"});
    let items = json_call(&http_client(), &dynamodb, "DynamoDB_20120810.Scan", &scan).await.unwrap();
    assert_eq!(items["Count"], 2);

    // Attributes of the queue are the template's, and a second start changes nothing.
    let secret = json!({"SecretId": "freshet-test/password"});
    let before = localstack.call("secretsmanager.GetSecretValue", &secret).await.unwrap();
    cloud.stop().await;
    let cloud = self::cloud(folder.path(), &localstack).await;
    let after = localstack.call("secretsmanager.GetSecretValue", &secret).await.unwrap();
    assert_eq!(before["SecretString"], after["SecretString"], "what was generated stays");
    let url = localstack.call("AmazonSQS.GetQueueUrl", &json!({"QueueName": "orders-test-Done"})).await.unwrap();
    let asked = json!({"QueueUrl": url["QueueUrl"], "AttributeNames": ["All"]});
    let attributes = localstack.call("AmazonSQS.GetQueueAttributes", &asked).await.unwrap();
    assert_eq!(attributes["Attributes"]["VisibilityTimeout"], "60");
    let redrive: Value = serde_json::from_str(attributes["Attributes"]["RedrivePolicy"].as_str().unwrap()).unwrap();
    assert_eq!(redrive["deadLetterTargetArn"], "arn:aws:sqs:us-east-1:000000000000:orders-test-Failed");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_template_runs_with_localstack_beside_it() {
    let localstack = LocalStack::start().await.unwrap();
    let setup = Setup { services_endpoint: Some(localstack.url().to_owned()), ..Setup::default() };
    let world = World::start(setup).await.unwrap();
    let event = json!({"userId": "visitor", "eventType": "product_view", "productId": "lamp"});
    let event = world.track(&event).await.unwrap();
    world.list_after("visitor", &event).await.unwrap();
    world.settle().await.unwrap();
    freshet_tests::check::check(&world).await.unwrap();
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudformation_in_localstack_reads_our_template() {
    let localstack = LocalStack::start().await.unwrap();
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let parameters = [
        "MskClusterArn=arn:aws:kafka:us-east-1:000000000000:cluster/local/1",
        "KafkaBootstrapServers=127.0.0.1:9092",
        "KafkaSecurity=PLAINTEXT",
    ];
    let table = localstack.cloudformation(&template, &parameters).unwrap();
    println!("{table}");
    let stack = freshet_localstack::template::read(&template, &settings(&parameters)).unwrap();
    let has =
        |id: &str, kind: &str| table.lines().any(|line| line.split_whitespace().take(2).eq([id, kind].into_iter()));
    // Two readers of one file: what ours finds, theirs has as well.
    assert!(stack.functions.keys().all(|id| has(id, "AWS::Lambda::Function")));
    assert!(stack.tables.keys().all(|id| has(id, "AWS::DynamoDB::Table")));
    assert_eq!(table.matches("AWS::Lambda::EventSourceMapping").count(), stack.mappings.len());
}

fn settings(parameters: &[&str]) -> Settings {
    let parameters = parameters.iter().filter_map(|pair| pair.split_once('='));
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Settings { parameters, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_where_nobody_answers_is_told_with_the_resource() {
    let folder = tempfile::tempdir().unwrap();
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(TEMPLATE);
    let mut options = Options::new(template, folder.path().to_owned(), folder.path().to_owned(), kafka_jars());
    options.memory = true;
    options.services_endpoint = Some("http://127.0.0.1:1".to_owned());
    let error = LocalCloud::start(options).await.err().unwrap().to_string();
    assert!(error.contains("http://127.0.0.1:1") && error.contains("/freshet-test/greeting"), "{error}");
}
