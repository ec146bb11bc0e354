//! Documents are written by the batch, each only over what it was computed from.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::path::Path;

use freshet_engine::{Config, Engine, EventKind, Item, Signal, Source};
use freshet_localstack::dynamodb::{Server, Storage, create_tables};
use freshet_localstack::template::{self, Settings};
use freshet_store::{Put, Store, StoreError};
use freshet_tests::world;

/// More than two batches of DynamoDB's.
const DOCUMENTS: usize = 60;
const TABLE: &str = "
Resources:
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: freshet-Items
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
";

/// What an item is after the event at `offset`.
fn after(engine: &Engine, mut item: Item, offset: u64) -> Item {
    let source = Source { generation: 1, partition: 0 };
    let signal = Signal {
        item: "lamp".into(),
        at_ms: 1_000,
        source,
        offset,
        kind: EventKind::ProductView,
        interest: 1.0,
        edges: Vec::new(),
    };
    assert!(engine.learn(&mut item, &signal));
    item
}

fn ids() -> Vec<String> {
    (0..DOCUMENTS).map(|number| format!("item'{number}\"")).collect()
}

/// The outcomes, each 'w'ritten, 'c'onflict or 'f'ailed.
async fn put(store: &Store, puts: Vec<Put>) -> String {
    let letter = |outcome: Result<(), StoreError>| match outcome {
        Ok(()) => 'w',
        Err(StoreError::Conflict { .. }) => 'c',
        Err(_) => 'f',
    };
    store.put::<Item>(puts).await.into_iter().map(letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_read_is_written_over_and_the_others_of_a_batch_are_written() {
    let server = Server::start(Storage::Memory, 0).unwrap();
    let stack = template::parse(TABLE, Path::new("."), &Settings::default()).unwrap();
    create_tables(&server.endpoint(), &stack.tables.into_values().collect::<Vec<_>>()).await.unwrap();
    let store = world::store(&server.endpoint());
    let engine = Engine::new(Config::default());
    let (first, all_written) = (after(&engine, Item::default(), 1), "w".repeat(DOCUMENTS));

    let create = || ids().iter().map(|id| store.put_of(id, &first, None, 0)).collect::<Vec<_>>();
    assert_eq!(put(&store, create()).await, all_written);
    assert_eq!(put(&store, create()).await, all_written, "our own write, whose answer was lost, is no conflict");

    let mut read = store.get::<Item>(&ids()).await.unwrap();
    assert_eq!((read.found.len(), read.corrupt.len()), (DOCUMENTS, 0));
    let (second, elsewhere) = (after(&engine, first.clone(), 2), after(&engine, first.clone(), 3));
    let other = &ids()[30];
    let seen = read.found[other].seen.clone();
    assert_eq!(put(&store, vec![store.put_of(other, &elsewhere, seen, 0)]).await, "w", "another writer");

    let mut update = |id: &String| store.put_of(id, &second, read.found.get_mut(id).unwrap().seen.take(), 0);
    let updates = ids().iter().map(&mut update).collect();
    let expected: String = (0..DOCUMENTS).map(|number| if number == 30 { 'c' } else { 'w' }).collect();
    assert_eq!(put(&store, updates).await, expected);
    let now = store.get::<Item>(&ids()).await.unwrap().found;
    assert!(
        now.iter().all(|(id, stored)| stored.value == if id == other { elsewhere.clone() } else { second.clone() })
    );

    // What was there and is gone, as after its expiry, is no more what was read.
    let gone = store.put_of("gone", &second, Some(vec![1, 2, 3]), 0);
    assert_eq!(put(&store, vec![gone]).await, "c");
    server.stop().await;
    let away = put(&store, ids().iter().map(|id| store.put_of(id, &second, None, 0)).collect()).await;
    assert_eq!(away, "f".repeat(DOCUMENTS));
}
