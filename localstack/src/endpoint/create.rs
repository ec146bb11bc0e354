//! Queues, secrets and parameters of a template, made where they are missing. Done again, it changes nothing.

use serde_json::{Map, Value, json};

use super::request::CallError;
use super::{Endpoint, EndpointError};
use crate::template::model::{GeneratedSecret, Queue, Secret, SecretValue, SsmParameter, Stack};

/// Makes what `stack` has of them.
///
/// # Errors
/// Names the resource, and why there is none.
pub(crate) async fn create(endpoint: &Endpoint, stack: &Stack) -> Result<(), EndpointError> {
    let mut urls = Vec::new();
    for queue in stack.queues.values() {
        let url = queue_url(endpoint, queue).await;
        urls.push(url.map_err(|error| endpoint.failed(format!("queue {}", queue.name), &error))?);
    }
    // Only now is every dead-letter queue there that another one names.
    for (queue, url) in stack.queues.values().zip(urls) {
        let set = set_attributes(endpoint, queue, &url).await;
        set.map_err(|error| endpoint.failed(format!("queue {}", queue.name), &error))?;
    }
    for secret in &stack.secrets {
        let made = make_secret(endpoint, secret).await;
        made.map_err(|error| endpoint.failed(format!("secret {}", secret.name), &error))?;
    }
    for parameter in &stack.parameters {
        let put = put_parameter(endpoint, parameter).await;
        put.map_err(|error| endpoint.failed(format!("parameter {}", parameter.name), &error))?;
    }
    Ok(())
}

/// Says what of `stack` is not made where there is no endpoint.
pub(crate) fn tell_missing(stack: &Stack) {
    let queues = stack.queues.keys();
    let secrets = stack.secrets.iter().map(|secret| &secret.logical_id);
    let parameters = stack.parameters.iter().map(|parameter| &parameter.logical_id);
    let names: Vec<&str> = queues.chain(secrets).chain(parameters).map(String::as_str).collect();
    if !names.is_empty() {
        let resources = names.join(", ");
        tracing::warn!(
            resources,
            "queues, secrets and parameters are not made: no endpoint of such services was named"
        );
    }
}

/// The queue's URL; what can't be changed later is all that is asked for.
async fn queue_url(endpoint: &Endpoint, queue: &Queue) -> Result<String, CallError> {
    let attributes = if queue.fifo { json!({"FifoQueue": "true"}) } else { json!({}) };
    let made = endpoint.sqs("CreateQueue", &json!({"QueueName": queue.name, "Attributes": attributes})).await?;
    Ok(made["QueueUrl"].as_str().unwrap_or_default().to_owned())
}

async fn set_attributes(endpoint: &Endpoint, queue: &Queue, url: &str) -> Result<(), CallError> {
    let changeable = queue.attributes.iter().filter(|(name, _)| *name != "FifoQueue");
    let attributes: Map<String, Value> = changeable.map(|(name, value)| (name.clone(), json!(value))).collect();
    if attributes.is_empty() {
        return Ok(());
    }
    endpoint.sqs("SetQueueAttributes", &json!({"QueueUrl": url, "Attributes": attributes})).await.map(drop)
}

/// A secret that is there keeps a generated value, and gets the template's own.
async fn make_secret(endpoint: &Endpoint, secret: &Secret) -> Result<(), CallError> {
    let is_there = match endpoint.secrets_manager("DescribeSecret", &json!({"SecretId": secret.name})).await {
        Ok(_) => true,
        Err(error) if error.is("ResourceNotFound") => false,
        Err(error) => return Err(error),
    };
    let text = match &secret.value {
        SecretValue::Generated(_) if is_there => return Ok(()),
        SecretValue::Generated(generated) => generate(endpoint, generated).await?,
        SecretValue::Text(text) => text.clone(),
    };
    let token = uuid::Uuid::new_v4().to_string();
    let (operation, mut input) = if is_there {
        ("PutSecretValue", json!({"SecretId": secret.name, "ClientRequestToken": token}))
    } else {
        ("CreateSecret", json!({"Name": secret.name, "ClientRequestToken": token}))
    };
    if !text.is_empty() {
        input["SecretString"] = Value::from(text);
    } else if is_there {
        return Ok(());
    }
    endpoint.secrets_manager(operation, &input).await.map(drop)
}

async fn generate(endpoint: &Endpoint, wanted: &GeneratedSecret) -> Result<String, CallError> {
    let mut input = json!({
        "PasswordLength": wanted.length,
        "ExcludeLowercase": wanted.exclude_lowercase,
        "ExcludeUppercase": wanted.exclude_uppercase,
        "ExcludeNumbers": wanted.exclude_numbers,
        "ExcludePunctuation": wanted.exclude_punctuation,
        "IncludeSpace": wanted.include_space,
        "RequireEachIncludedType": wanted.require_each_included_type,
    });
    if !wanted.exclude_characters.is_empty() {
        input["ExcludeCharacters"] = Value::from(wanted.exclude_characters.as_str());
    }
    let made = endpoint.secrets_manager("GetRandomPassword", &input).await?;
    let password = made["RandomPassword"].as_str().unwrap_or_default();
    let Some((template, key)) = &wanted.within else { return Ok(password.to_owned()) };
    let mut whole: Map<String, Value> = serde_json::from_str(template)
        .map_err(|error| CallError::Unreachable(format!("SecretStringTemplate is no JSON object: {error}")))?;
    whole.insert(key.clone(), Value::from(password));
    Ok(Value::Object(whole).to_string())
}

async fn put_parameter(endpoint: &Endpoint, parameter: &SsmParameter) -> Result<(), CallError> {
    let input = json!({"Name": parameter.name, "Value": parameter.value, "Type": parameter.kind, "Overwrite": true});
    endpoint.ssm("PutParameter", &input).await.map(drop)
}
