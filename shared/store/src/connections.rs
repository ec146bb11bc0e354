//! Connections: which sockets are to be told of whose lists. Key: person and connection, since every list asks for the
//! sockets of its person; the end of a socket finds its own subscriptions by the index `byConnection`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, ReturnConsumedCapacity, WriteRequest};

use crate::client::Store;
use crate::error::StoreError;

/// Sockets that one person's lists go to.
pub const MAX_SOCKETS_PER_PERSON: i32 = 100;
/// API Gateway closes every socket after two hours: what is left then belongs to nobody, seconds.
const EXPIRY_S: i64 = 2 * 3_600 + 300;
/// The index.
const BY_CONNECTION: &str = "byConnection";
/// Items of one BatchWriteItem, DynamoDB's limit.
const BATCH_WRITE_ITEMS: usize = 25;

impl Store {
    /// Subscribes a socket to a person's lists.
    pub async fn subscribe(&self, user_id: &str, connection_id: &str, now_ms: i64) -> Result<(), StoreError> {
        let table = &self.tables.connections;
        let answer = self
            .client
            .put_item()
            .table_name(table)
            .item("userId", AttributeValue::S(user_id.to_owned()))
            .item("connectionId", AttributeValue::S(connection_id.to_owned()))
            .item("expiresAt", AttributeValue::N((now_ms / 1_000 + EXPIRY_S).to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("PutItem", table, user_id, e))?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }

    /// The sockets that a person's lists go to: one read, whether there are any or not.
    pub async fn sockets_of(&self, user_id: &str) -> Result<Vec<String>, StoreError> {
        let table = &self.tables.connections;
        let answer = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", AttributeValue::S(user_id.to_owned()))
            .projection_expression("connectionId")
            .limit(MAX_SOCKETS_PER_PERSON)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", table, user_id, e))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.items.unwrap_or_default().iter().filter_map(|item| text(item, "connectionId")).collect())
    }

    /// The persons that a socket is subscribed to.
    pub async fn subscriptions_of(&self, connection_id: &str) -> Result<Vec<String>, StoreError> {
        let table = &self.tables.connections;
        let answer = self
            .client
            .query()
            .table_name(table)
            .index_name(BY_CONNECTION)
            .key_condition_expression("connectionId = :connection")
            .expression_attribute_values(":connection", AttributeValue::S(connection_id.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", table, connection_id, e))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.items.unwrap_or_default().iter().filter_map(|item| text(item, "userId")).collect())
    }

    /// Ends one subscription; it need not be there.
    pub async fn unsubscribe(&self, user_id: &str, connection_id: &str) -> Result<(), StoreError> {
        let table = &self.tables.connections;
        let answer = self
            .client
            .delete_item()
            .table_name(table)
            .set_key(Some(key(user_id, connection_id)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("DeleteItem", table, user_id, e))?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }

    /// Ends these subscriptions, given as person and connection.
    pub async fn unsubscribe_all(&self, subscriptions: &[(&str, &str)]) -> Result<(), StoreError> {
        let table = &self.tables.connections;
        let delete = |(user_id, connection_id): &(&str, &str)| {
            let request = DeleteRequest::builder().set_key(Some(key(user_id, connection_id))).build().ok()?;
            Some(WriteRequest::builder().delete_request(request).build())
        };
        for chunk in subscriptions.chunks(BATCH_WRITE_ITEMS) {
            let requests: Vec<WriteRequest> = chunk.iter().filter_map(delete).collect();
            let answer = self
                .client
                .batch_write_item()
                .request_items(table, requests)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("BatchWriteItem", table, "", e))?;
            // What stays unprocessed is removed by the first list that finds the socket gone, or by its expiry.
            answer.consumed_capacity().iter().for_each(|consumed| self.meter.write(Some(consumed)));
        }
        Ok(())
    }
}

fn key(user_id: &str, connection_id: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("userId".to_owned(), AttributeValue::S(user_id.to_owned())),
        ("connectionId".to_owned(), AttributeValue::S(connection_id.to_owned())),
    ])
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}
