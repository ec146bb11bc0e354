//! `AWS::Lambda::EventSourceMapping`: Kafka's, read as the events of SAM are; the others are noted.

use super::TemplateError;
use super::function::function_of;
use super::intrinsics::Scope;
use super::kafka_event;
use super::model::Stack;
use super::properties::Properties;
use super::resources::is_made;
use super::yaml::{Node, Value};

/// Adds the mappings to the stack, after its functions.
pub(crate) fn read(scope: &Scope<'_>, stack: &mut Stack) -> Result<(), TemplateError> {
    for (logical_id, resource) in scope.root.get("Resources").map(Node::entries).unwrap_or_default() {
        let kind = resource.get("Type").and_then(Node::text).unwrap_or_default();
        if kind != "AWS::Lambda::EventSourceMapping" || !is_made(scope, logical_id, resource)? {
            continue;
        }
        let Some(node) = resource.get("Properties") else { continue };
        mapping(&Properties { scope, resource: logical_id, prefix: "", node }, stack)?;
    }
    Ok(())
}

fn mapping(properties: &Properties<'_, '_>, stack: &mut Stack) -> Result<(), TemplateError> {
    let own = properties.get("SelfManagedEventSource")?;
    let servers = own.as_ref().and_then(|source| source.get("Endpoints")?.get("KafkaBootstrapServers"));
    let arn = properties.text("EventSourceArn")?;
    let kind = match (&arn, servers) {
        (_, Some(_)) => "SelfManagedKafka",
        (Some(arn), None) if arn.contains(":kafka:") => "MSK",
        (arn, None) => {
            let came = arn.as_deref().unwrap_or("nothing");
            let message = format!("a Kafka source was expected; \"{came}\" came: the mapping is left out");
            properties.scope.note(properties.resource, properties.line("EventSourceArn"), message);
            return Ok(());
        }
    };
    let target = properties.required("FunctionName")?;
    let Some(function) = function_of(stack, &target).and_then(|id| stack.functions.get(&id)) else {
        let message = format!("it invokes no function that runs here; \"{target}\" came: the mapping is left out");
        properties.scope.note(properties.resource, properties.line("FunctionName"), message);
        return Ok(());
    };
    let group = group(properties, kind)?;
    // In the shape of SAM's event, whose other properties have the same names.
    let line = properties.node.line;
    let mut entries = properties.node.entries().to_vec();
    entries.retain(|(name, _)| !matches!(name.as_str(), "ConsumerGroupId" | "KafkaBootstrapServers" | "Stream"));
    entries.extend(servers.map(|servers| ("KafkaBootstrapServers".to_owned(), servers.clone())));
    entries.extend(arn.map(|arn| ("Stream".to_owned(), Node::scalar(properties.line("EventSourceArn"), arn))));
    entries.extend(group.map(|group| ("ConsumerGroupId".to_owned(), group)));
    let node = Node { line, value: Value::Map(entries) };
    let event = Properties { node: &node, ..*properties };
    let mapping = kafka_event::read(&event, kind, properties.resource, function)?;
    stack.mappings.push(mapping);
    Ok(())
}

fn group(properties: &Properties<'_, '_>, kind: &str) -> Result<Option<Node>, TemplateError> {
    let config = match kind {
        "MSK" => "AmazonManagedKafkaEventSourceConfig",
        _ => "SelfManagedKafkaEventSourceConfig",
    };
    Ok(properties.get(config)?.and_then(|config| config.get("ConsumerGroupId").cloned()))
}
