//! The template's tables, created where missing.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};

use super::DynamoDbError;
use crate::template::model::{Index, Table};

/// Creates the missing ones of `tables` at `endpoint`.
///
/// # Errors
/// Names the table and what was refused.
pub async fn create_tables(endpoint: &str, tables: &[Table]) -> Result<(), DynamoDbError> {
    let client = client(endpoint);
    for table in tables {
        let failed = |message: String| DynamoDbError::Table {
            table: table.name.clone(),
            endpoint: endpoint.to_owned(),
            message,
        };
        match create(&client, table).map_err(|e| failed(e.to_string()))?.send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some("ResourceInUseException") => {}
            Err(error) => return Err(failed(DisplayErrorContext(error).to_string())),
        }
        // Asked for a table that was there as well: a start that was killed in between must not leave it without expiry.
        if let Some(attribute) = &table.ttl_attribute {
            expire(&client, &table.name, attribute).await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn expire(client: &Client, table: &str, attribute: &str) -> Result<(), String> {
    let asked = client.describe_time_to_live().table_name(table).send().await;
    let now = asked.map_err(|e| DisplayErrorContext(e).to_string())?.time_to_live_description;
    if now.and_then(|now| now.attribute_name).as_deref() == Some(attribute) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build();
    let ttl = ttl.map_err(|e| e.to_string())?;
    let request = client.update_time_to_live().table_name(table).time_to_live_specification(ttl);
    request.send().await.map(drop).map_err(|e| DisplayErrorContext(e).to_string())
}

fn client(endpoint: &str) -> Client {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(crate::account::REGION))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

type BuildError = aws_sdk_dynamodb::error::BuildError;
type Create = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn create(client: &Client, table: &Table) -> Result<Create, BuildError> {
    let mut create = client
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.hash_key, table.range_key.as_deref())?));
    for (name, kind) in &table.attributes {
        let kind = ScalarAttributeType::from(kind.as_str());
        create = create
            .attribute_definitions(AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?);
    }
    for index in &table.indexes {
        create = create.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(key_schema(&index.hash_key, index.range_key.as_deref())?))
                .projection(projection(index))
                .build()?,
        );
    }
    for index in &table.local_indexes {
        create = create.local_secondary_indexes(
            LocalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(key_schema(&index.hash_key, index.range_key.as_deref())?))
                .projection(projection(index))
                .build()?,
        );
    }
    if let Some(view) = &table.stream {
        let view = StreamViewType::from(view.as_str());
        create = create
            .stream_specification(StreamSpecification::builder().stream_enabled(true).stream_view_type(view).build()?);
    }
    Ok(create)
}

fn projection(index: &Index) -> Projection {
    let kind = ProjectionType::from(index.projection.as_str());
    let named = Some(index.non_key_attributes.clone()).filter(|named| !named.is_empty());
    Projection::builder().projection_type(kind).set_non_key_attributes(named).build()
}

fn key_schema(hash: &str, range: Option<&str>) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let mut schema = vec![element(hash, KeyType::Hash)?];
    if let Some(range) = range {
        schema.push(element(range, KeyType::Range)?);
    }
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::{Server, Storage};

    #[tokio::test]
    async fn indexes_projections_and_streams_are_made_and_a_second_time_changes_nothing() {
        let server = Server::start(Storage::Memory, 0).unwrap();
        let index = |name: &str, hash_key: &str, projection: &str, attributes: &[&str]| Index {
            name: name.to_owned(),
            hash_key: hash_key.to_owned(),
            range_key: Some("at".to_owned()),
            projection: projection.to_owned(),
            non_key_attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        };
        let attributes = [("id", "S"), ("at", "N"), ("user", "S")];
        let table = Table {
            logical_id: "T".to_owned(),
            name: "history".to_owned(),
            attributes: attributes.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into(),
            hash_key: "id".to_owned(),
            range_key: Some("user".to_owned()),
            indexes: vec![index("by-user", "user", "INCLUDE", &["what"])],
            local_indexes: vec![index("by-time", "id", "KEYS_ONLY", &[])],
            stream: Some("NEW_AND_OLD_IMAGES".to_owned()),
            ttl_attribute: None,
        };
        for _ in 0..2 {
            create_tables(&server.endpoint(), std::slice::from_ref(&table)).await.unwrap();
        }
        let made = client(&server.endpoint()).describe_table().table_name("history").send().await.unwrap();
        let made = made.table.unwrap();
        let global = made.global_secondary_indexes().first().unwrap().projection().unwrap();
        assert_eq!(global.projection_type(), Some(&ProjectionType::Include));
        assert_eq!(global.non_key_attributes(), ["what"]);
        assert_eq!(made.local_secondary_indexes().first().unwrap().index_name(), Some("by-time"));
        let stream = made.stream_specification().unwrap();
        assert_eq!(stream.stream_view_type(), Some(&StreamViewType::NewAndOldImages));
        server.stop().await;
    }
}
