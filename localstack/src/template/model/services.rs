//! Queues, secrets and parameters of a template: made at an endpoint that has such services.

use std::collections::BTreeMap;

/// An SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Logical id.
    pub logical_id: String,
    /// `QueueName`, or `<stack>-<logical id>`; that of a FIFO queue ends in `.fifo`.
    pub name: String,
    /// `FifoQueue`.
    pub fifo: bool,
    /// `RedrivePolicy`: where messages go that are received too often.
    pub redrive: Option<Redrive>,
    /// `VisibilityTimeout` in seconds (0–43,200; SQS's default is 30).
    pub visibility_timeout_s: Option<u32>,
    /// The attributes of `CreateQueue`, in its names and as text: all of the above and the rest.
    pub attributes: BTreeMap<String, String>,
}

/// `RedrivePolicy` of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// `deadLetterTargetArn`.
    pub target_arn: String,
    /// `maxReceiveCount` (1–1,000).
    pub maximum_receives: u32,
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Logical id.
    pub logical_id: String,
    /// `Name`, or `<stack>-<logical id>`.
    pub name: String,
    /// What it holds.
    pub value: SecretValue,
}

/// What a secret holds.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// `SecretString`; empty where the template gives none.
    Text(String),
    /// `GenerateSecretString`: what `GetRandomPassword` makes.
    Generated(GeneratedSecret),
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // It stays out of logs.
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Generated(generated) => f.debug_tuple("Generated").field(generated).finish(),
        }
    }
}

/// `GenerateSecretString`, in the terms of `GetRandomPassword`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// `PasswordLength` (1–4,096; default 32).
    pub length: u32,
    /// `ExcludeCharacters`.
    pub exclude_characters: String,
    /// `ExcludeLowercase`.
    pub exclude_lowercase: bool,
    /// `ExcludeUppercase`.
    pub exclude_uppercase: bool,
    /// `ExcludeNumbers`.
    pub exclude_numbers: bool,
    /// `ExcludePunctuation`.
    pub exclude_punctuation: bool,
    /// `IncludeSpace`.
    pub include_space: bool,
    /// `RequireEachIncludedType` (default true).
    pub require_each_included_type: bool,
    /// `SecretStringTemplate` (a JSON object) and `GenerateStringKey`: the password becomes a field of that object.
    pub within: Option<(String, String)>,
}

/// A parameter of Systems Manager's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsmParameter {
    /// Logical id.
    pub logical_id: String,
    /// `Name`, or `<stack>-<logical id>`.
    pub name: String,
    /// `Type`: `String` or `StringList`.
    pub kind: String,
    /// `Value`.
    pub value: String,
}
