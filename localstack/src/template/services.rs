//! `AWS::SQS::Queue`, `AWS::SecretsManager::Secret` and `AWS::SSM::Parameter`.

use std::collections::BTreeMap;

use super::TemplateError;
use super::model::{GeneratedSecret, Queue, Redrive, Secret, SecretValue, SsmParameter, Stack};
use super::names::physical_name;
use super::properties::Properties;
use super::yaml::{Node, Value};

/// Attributes of `CreateQueue` that are properties of the same name.
const QUEUE_TEXTS: [&str; 3] = ["DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId"];
const QUEUE_FLAGS: [&str; 3] = ["ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled"];
/// With the least and the most that SQS takes.
const QUEUE_NUMBERS: [(&str, i64, i64); 6] = [
    ("DelaySeconds", 0, 900),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];
/// `SecureString` can't be made by CloudFormation.
const PARAMETER_KINDS: [&str; 2] = ["String", "StringList"];

/// Adds the resource to the stack; false: it is of another type.
pub(crate) fn read(properties: &Properties<'_, '_>, kind: &str, stack: &mut Stack) -> Result<bool, TemplateError> {
    let id = properties.resource.to_owned();
    match kind {
        "AWS::SQS::Queue" => drop(stack.queues.insert(id, queue(properties)?)),
        "AWS::SecretsManager::Secret" => stack.secrets.push(secret(properties)?),
        "AWS::SSM::Parameter" => stack.parameters.push(parameter(properties)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn queue(properties: &Properties<'_, '_>) -> Result<Queue, TemplateError> {
    let mut attributes = BTreeMap::new();
    for name in QUEUE_TEXTS {
        attributes.extend(properties.text(name)?.map(|text| (name.to_owned(), text)));
    }
    for name in QUEUE_FLAGS {
        attributes.extend(properties.flag(name)?.map(|flag| (name.to_owned(), flag.to_string())));
    }
    for (name, least, most) in QUEUE_NUMBERS {
        attributes.extend(properties.number(name, least, most)?.map(|number| (name.to_owned(), number.to_string())));
    }
    let fifo = properties.flag("FifoQueue")?.unwrap_or(false);
    if !fifo {
        // SQS refuses the attribute with any other value than true.
        attributes.remove("FifoQueue");
    }
    let redrive = redrive(properties)?;
    if let Some(redrive) = &redrive {
        let policy = serde_json::json!({
            "deadLetterTargetArn": redrive.target_arn,
            "maxReceiveCount": redrive.maximum_receives,
        });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    if let Some(policy) = properties.get("RedriveAllowPolicy")? {
        attributes.insert("RedriveAllowPolicy".to_owned(), policy.json().to_string());
    }
    let name = physical_name(properties.scope, properties.resource)?;
    if fifo != name.strip_suffix(".fifo").is_some() {
        let line = properties.line("QueueName");
        let message = format!("the name of a FIFO queue, and of no other, ends in .fifo; \"{name}\" came");
        return Err(properties.error("QueueName", line, message));
    }
    let seconds = properties.number("VisibilityTimeout", 0, 43_200)?;
    Ok(Queue {
        logical_id: properties.resource.to_owned(),
        name,
        fifo,
        redrive,
        visibility_timeout_s: seconds.and_then(|seconds| u32::try_from(seconds).ok()),
        attributes,
    })
}

fn redrive(properties: &Properties<'_, '_>) -> Result<Option<Redrive>, TemplateError> {
    let Some(policy) = properties.get("RedrivePolicy")? else { return Ok(None) };
    if !matches!(policy.value, Value::Map(_)) {
        let message = format!("a mapping was expected; {} came", policy.came());
        return Err(properties.error("RedrivePolicy", policy.line, message));
    }
    let inner = Properties { prefix: "RedrivePolicy.", node: &policy, ..*properties };
    let target_arn = inner.required("deadLetterTargetArn")?;
    let receives = inner.number("maxReceiveCount", 1, 1_000)?.and_then(|receives| u32::try_from(receives).ok());
    // SQS's own default.
    Ok(Some(Redrive { target_arn, maximum_receives: receives.unwrap_or(10) }))
}

fn secret(properties: &Properties<'_, '_>) -> Result<Secret, TemplateError> {
    let value = match properties.get("GenerateSecretString")? {
        Some(node) => SecretValue::Generated(generated(properties, &node)?),
        None => SecretValue::Text(properties.text("SecretString")?.unwrap_or_default()),
    };
    let name = physical_name(properties.scope, properties.resource)?;
    Ok(Secret { logical_id: properties.resource.to_owned(), name, value })
}

fn generated(properties: &Properties<'_, '_>, node: &Node) -> Result<GeneratedSecret, TemplateError> {
    let inner = Properties { prefix: "GenerateSecretString.", node, ..*properties };
    let flag = |name: &str, otherwise: bool| inner.flag(name).map(|flag| flag.unwrap_or(otherwise));
    let within = match (inner.text("SecretStringTemplate")?, inner.text("GenerateStringKey")?) {
        (Some(template), Some(key)) => Some((template, key)),
        (None, None) => None,
        _ => {
            let message = "it goes together with SecretStringTemplate; one of them came";
            return Err(inner.error("GenerateStringKey", node.line, message));
        }
    };
    let length = inner.number("PasswordLength", 1, 4_096)?.and_then(|length| u32::try_from(length).ok());
    Ok(GeneratedSecret {
        length: length.unwrap_or(32),
        exclude_characters: inner.text("ExcludeCharacters")?.unwrap_or_default(),
        exclude_lowercase: flag("ExcludeLowercase", false)?,
        exclude_uppercase: flag("ExcludeUppercase", false)?,
        exclude_numbers: flag("ExcludeNumbers", false)?,
        exclude_punctuation: flag("ExcludePunctuation", false)?,
        include_space: flag("IncludeSpace", false)?,
        require_each_included_type: flag("RequireEachIncludedType", true)?,
        within,
    })
}

fn parameter(properties: &Properties<'_, '_>) -> Result<SsmParameter, TemplateError> {
    let kind = properties.text("Type")?.unwrap_or_else(|| "String".to_owned());
    if !PARAMETER_KINDS.contains(&kind.as_str()) {
        let message = format!("String or StringList was expected; \"{kind}\" came");
        return Err(properties.error("Type", properties.line("Type"), message));
    }
    let name = physical_name(properties.scope, properties.resource)?;
    Ok(SsmParameter { logical_id: properties.resource.to_owned(), name, kind, value: properties.required("Value")? })
}
