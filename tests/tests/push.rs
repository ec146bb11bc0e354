//! Lists to open sockets, on real parts: API, Kafka, functions, DynamoDB, WebSocket.
#![allow(clippy::unwrap_used)]

use freshet_tests::socket::Socket;
use freshet_tests::{Setup, World};
use serde_json::{Value, json};

async fn world() -> World {
    World::start(Setup::default()).await.unwrap()
}

fn view(user: &str, product: &str) -> Value {
    json!({"userId": user, "eventType": "product_view", "productId": product})
}

/// The mapping begins at the end of the topic: it must have its partitions before the first event.
async fn ready(world: &World) {
    world
        .until("push reads", async || {
            let status = world.cloud.status();
            let push = status.mappings.iter().find(|mapping| mapping.function == "Push");
            Ok(push.filter(|push| push.partitions.len() == 4 && format!("{:?}", push.state) == "Enabled").map(drop))
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tab_of_a_person_gets_the_list_that_get_answers_and_nobody_elses() {
    let world = world().await;
    ready(&world).await;
    let url = world.cloud.websocket_url();
    let mut tabs = [Socket::subscribed(&url, "neo").await.unwrap(), Socket::subscribed(&url, "neo").await.unwrap()];
    let mut other = Socket::subscribed(&url, "trinity").await.unwrap();
    let event = world.track(&view("neo", "1")).await.unwrap();
    let shown = world.list_after("neo", &event).await.unwrap();
    for tab in &mut tabs {
        let pushed = tab.list_after(&event).await.unwrap();
        assert_eq!(pushed["type"], "recommendations");
        for field in ["success", "data", "metadata"] {
            assert_eq!(pushed[field], shown[field], "{field}");
        }
    }
    // Trinity's first message is her own list.
    let event = world.track(&view("trinity", "2")).await.unwrap();
    let pushed = other.next().await.unwrap();
    assert_eq!((&pushed["metadata"]["userId"], &pushed["metadata"]["causedBy"]), (&json!("trinity"), &json!(event)));
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_answered_and_what_it_asks_wrongly_is_refused_by_field() {
    let world = world().await;
    let url = world.cloud.websocket_url();
    let mut socket = Socket::open(&url).await.unwrap();
    assert_eq!(socket.ask(&json!({"action": "ping"})).await.unwrap(), json!({"type": "pong"}));
    for (message, field) in [
        (json!("hello"), "body"),
        (json!({"action": "dance"}), "action"),
        (json!({"action": "subscribe_recommendations"}), "userId"),
        (json!({"action": "$connect"}), "action"),
    ] {
        let answer = socket.ask(&message).await.unwrap();
        assert_eq!((&answer["type"], &answer["field"]), (&json!("error"), &json!(field)), "{answer}");
    }
    // A crawler that wants everybody's lists gets a few.
    for user in 0..10 {
        let answer = socket.ask(&json!({"action": "subscribe_recommendations", "userId": user})).await.unwrap();
        assert_eq!(answer["type"], "subscribed");
    }
    let answer = socket.ask(&json!({"action": "subscribe_recommendations", "userId": 10})).await.unwrap();
    assert_eq!((&answer["type"], &answer["field"]), (&json!("error"), &json!("userId")), "{answer}");
    let answer = socket.ask(&json!({"action": "unsubscribe", "userId": 3})).await.unwrap();
    assert_eq!(answer, json!({"type": "unsubscribed", "userId": "3"}));
    let answer = socket.ask(&json!({"action": "subscribe_recommendations", "userId": 10})).await.unwrap();
    assert_eq!(answer["type"], "subscribed");
    assert_eq!(socket.ask(&json!({"action": "unsubscribe"})).await.unwrap()["type"], "unsubscribed");
    assert!(world.store().sockets_of("10").await.unwrap().is_empty());
    // Too large: this socket is cut off with the reason, others go on.
    let mut other = Socket::open(&url).await.unwrap();
    socket.send("x".repeat(200 * 1_024)).await.unwrap();
    assert!(socket.next().await.unwrap_err().to_string().contains("Message too big"));
    assert_eq!(other.ask(&json!({"action": "ping"})).await.unwrap(), json!({"type": "pong"}));
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_has_gone_is_forgotten_at_its_end_or_at_410() {
    let world = world().await;
    ready(&world).await;
    let url = world.cloud.websocket_url();
    let socket = Socket::subscribed(&url, "neo").await.unwrap();
    assert_eq!(world.store().sockets_of("neo").await.unwrap().len(), 1);
    socket.close().await.unwrap();
    world
        .until("the closed socket's end", async || Ok(world.store().sockets_of("neo").await?.is_empty().then_some(())))
        .await
        .unwrap();
    // A socket whose $disconnect never came: best effort, says API Gateway.
    world.store().subscribe("neo", "AAAAAAAAAAAAAAA=", 1_790_000_000_000).await.unwrap();
    let mut alive = Socket::subscribed(&url, "neo").await.unwrap();
    let event = world.track(&view("neo", "1")).await.unwrap();
    alive.list_after(&event).await.unwrap();
    world
        .until("the dead socket's end", async || Ok((world.store().sockets_of("neo").await?.len() == 1).then_some(())))
        .await
        .unwrap();
    world.cloud.stop().await;
}
