//! Writes of documents: many in a request, each with a condition of its own.
//!
//! [BatchExecuteStatement](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html)
//! is the one batch of DynamoDB's whose writes can have conditions; it costs what 25 single writes cost and is no transaction.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementRequest, ReturnConsumedCapacity,
};
use futures::stream::{self, StreamExt as _};

use crate::backoff::{ROUNDS, pause};
use crate::client::Store;
use crate::document::{BATCH_GET_KEYS, CONCURRENCY, Consistency, Document, Raw};
use crate::error::StoreError;

/// The API operation.
const OPERATION: &str = "BatchExecuteStatement";
/// Statements of a batch, DynamoDB's limit.
const BATCH: usize = 25;

/// A document to write.
#[derive(Debug, Clone)]
pub struct Put {
    id: String,
    bytes: Vec<u8>,
    watermarks: Vec<u8>,
    seen: Option<Vec<u8>>,
    expires_at: i64,
}

/// What became of a statement.
enum Outcome {
    Written,
    /// It is not what it was computed from any more.
    Conflict,
    /// Throttled or failed inside: once more.
    Again(String),
    Failed(String),
}

impl Store {
    /// The write of `document`, computed from what was read with the watermarks `seen`.
    pub fn put_of<T: Document>(&self, id: &str, document: &T, seen: Option<Vec<u8>>, now_ms: i64) -> Put {
        Put {
            id: id.to_owned(),
            bytes: document.encode(),
            watermarks: document.watermarks(),
            seen,
            expires_at: now_ms / 1_000 + T::EXPIRY_S,
        }
    }

    /// Writes documents, no two with one id, each only over what it was computed from. Returns the outcome of each, in the
    /// order given.
    pub async fn put<T: Document>(&self, puts: Vec<Put>) -> Vec<Result<(), StoreError>> {
        let table = T::table(&self.tables);
        let batches = puts.chunks(BATCH).map(|batch| self.put_batch(table, batch)).collect::<Vec<_>>();
        let batches = stream::iter(batches).buffered(CONCURRENCY);
        batches.collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    async fn put_batch(&self, table: &str, puts: &[Put]) -> Vec<Result<(), StoreError>> {
        let mut outcomes: Vec<Outcome> = puts.iter().map(|_| Outcome::Again(String::new())).collect();
        for round in 0..=ROUNDS {
            let open: Vec<usize> = (0..puts.len()).filter(|at| matches!(outcomes[*at], Outcome::Again(_))).collect();
            if open.is_empty() {
                break;
            }
            if round > 0 {
                pause(round).await;
            }
            match self.execute(table, open.iter().map(|at| &puts[*at])).await {
                Ok(answers) => open.into_iter().zip(answers).for_each(|(at, answer)| outcomes[at] = answer),
                // The client has tried it again already.
                Err(message) => {
                    open.into_iter().for_each(|at| outcomes[at] = Outcome::Failed(message.clone()));
                    break;
                }
            }
        }
        self.settle(table, puts, &outcomes).await
    }

    /// One request; the outcome of each statement.
    async fn execute<'p>(&self, table: &str, puts: impl Iterator<Item = &'p Put>) -> Result<Vec<Outcome>, String> {
        let statements: Result<Vec<BatchStatementRequest>, _> = puts.map(|put| self.statement(table, put)).collect();
        let statements = statements.map_err(|error| error.to_string())?;
        let count = statements.len();
        let request = self.client.batch_execute_statement().set_statements(Some(statements));
        let answer = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
        let answer = answer.map_err(|error| aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())?;
        answer.consumed_capacity().iter().for_each(|consumed| self.meter.write(Some(consumed)));
        let outcomes: Vec<Outcome> =
            answer.responses().iter().map(|response| Outcome::of(response.error.as_ref())).collect();
        if outcomes.len() == count {
            Ok(outcomes)
        } else {
            Err(format!("{} answers to {count} statements", outcomes.len()))
        }
    }

    fn statement(&self, table: &str, put: &Put) -> Result<BatchStatementRequest, aws_sdk_dynamodb::error::BuildError> {
        let binary = |bytes: &Vec<u8>| AttributeValue::B(Blob::new(bytes.clone()));
        let key = AttributeValue::S(self.key(&put.id));
        let (document, watermarks) = (binary(&put.bytes), binary(&put.watermarks));
        let expires_at = AttributeValue::N(put.expires_at.to_string());
        let request = match &put.seen {
            // Fails where there is one.
            None => BatchStatementRequest::builder()
                .statement(format!(r#"INSERT INTO "{table}" VALUE {{'pk': ?, 'd': ?, 'w': ?, 'expiresAt': ?}}"#))
                .set_parameters(Some(vec![key, document, watermarks, expires_at])),
            Some(seen) => BatchStatementRequest::builder()
                .statement(format!(r#"UPDATE "{table}" SET d = ? SET w = ? SET expiresAt = ? WHERE pk = ? AND w = ?"#))
                .set_parameters(Some(vec![document, watermarks, expires_at, key, binary(seen)])),
        };
        request.build()
    }

    /// A conflict may be our own write, whose answer was lost and which was then tried again.
    async fn settle(&self, table: &str, puts: &[Put], outcomes: &[Outcome]) -> Vec<Result<(), StoreError>> {
        const { assert!(BATCH <= BATCH_GET_KEYS) };
        let conflicts = || puts.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Conflict));
        let ids: Vec<String> = conflicts().map(|(put, _)| put.id.clone()).collect();
        let stored =
            if ids.is_empty() { Ok(Vec::new()) } else { self.get_chunk(table, ids, Consistency::Strong).await };
        let result = |(put, outcome): (&Put, &Outcome)| {
            let unavailable = |message: &dyn std::fmt::Display| StoreError::Unavailable {
                operation: OPERATION,
                table: table.to_owned(),
                message: format!("{}: {message}", put.id),
            };
            let is_ours = |(id, raw): &(String, Raw)| *id == put.id && raw.watermarks == put.watermarks;
            match (outcome, &stored) {
                (Outcome::Written, _) => Ok(()),
                (Outcome::Conflict, Ok(stored)) if stored.iter().any(is_ours) => Ok(()),
                (Outcome::Conflict, Ok(_)) => {
                    Err(StoreError::Conflict { table: table.to_owned(), key: put.id.clone() })
                }
                (Outcome::Conflict, Err(error)) => Err(unavailable(error)),
                (Outcome::Again(message) | Outcome::Failed(message), _) => Err(unavailable(message)),
            }
        };
        puts.iter().zip(outcomes).map(result).collect()
    }
}

impl Outcome {
    fn of(error: Option<&BatchStatementError>) -> Self {
        use BatchStatementErrorCodeEnum as Code;
        let Some(error) = error else { return Self::Written };
        let code = error.code().map_or("no code", BatchStatementErrorCodeEnum::as_str);
        let message = || format!("{code}: {}", error.message().unwrap_or_default());
        match error.code() {
            Some(Code::ConditionalCheckFailed | Code::DuplicateItem) => Self::Conflict,
            Some(
                Code::InternalServerError
                | Code::ProvisionedThroughputExceeded
                | Code::RequestLimitExceeded
                | Code::ThrottlingError
                | Code::TransactionConflict,
            ) => Self::Again(message()),
            _ => Self::Failed(message()),
        }
    }
}
