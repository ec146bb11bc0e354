//! What the website asks for beside lists: companions of a product, being forgotten, operations.
#![allow(clippy::unwrap_used)]

use freshet_engine::Person;
use freshet_stream::Message;
use freshet_tests::check::check;
use freshet_tests::{Setup, World};
use serde_json::{Value, json};

async fn world() -> World {
    World::start(Setup::default()).await.unwrap()
}

fn event(user: &str, kind: &str, product: &str) -> Value {
    json!({"userId": user, "eventType": kind, "productId": product})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_has_companions_by_content_and_by_what_people_did() {
    let world = world().await;
    let products = json!({"products": [
        {"id": "lamp", "name": "Desk lamp", "category": "Lamps", "price": "$20"},
        {"id": "torch", "name": "Desk torch", "category": "Lamps", "price": "$25"},
        {"id": "shade", "name": "Paper shade", "category": "Shades", "price": "$9"},
        {"id": "gone", "name": "Desk lamp, old", "category": "Lamps", "price": "$20", "available": false},
    ]});
    world.post("/api/products/import", &products).await.unwrap();
    for shopper in 0..3 {
        for product in ["lamp", "shade", "gone"] {
            world.track(&event(&format!("s{shopper}"), "purchase", product)).await.unwrap();
        }
    }
    world.settle().await.unwrap();
    let ids = |body: &Value| -> Vec<String> {
        body["data"].as_array().unwrap().iter().map(|i| i["productId"].as_str().unwrap().to_owned()).collect()
    };
    let similar = world
        .until("the imported products", async || {
            let (_, body) = world.get("/api/products/lamp/similar").await?;
            Ok((body["data"] != json!([])).then_some(body))
        })
        .await
        .unwrap();
    assert_eq!(ids(&similar), ["torch"], "neither itself nor what can't be had");
    assert_eq!(
        (&similar["data"][0]["because"], &similar["data"][0]["reason"]),
        (&json!("similar"), &json!("Similar to Desk lamp"))
    );
    let (status, together) = world.get("/api/products/lamp/bought-together?limit=5").await.unwrap();
    assert_eq!((status, ids(&together)), (200, vec!["shade".to_owned()]));
    assert_eq!(together["data"][0]["because"], "bought_together");
    assert_eq!(world.get("/api/products/nothing/similar").await.unwrap().0, 404);
    let popular = world
        .until("the popularity", async || {
            let (_, body) = world.get("/api/popular?category=Lamps&window=day").await?;
            Ok((body["data"] != json!([])).then_some(body))
        })
        .await
        .unwrap();
    assert_eq!(ids(&popular), ["lamp"], "neither another category nor what can't be had");
    assert_eq!(popular["data"][0]["because"], "popular_in_category");
    let (status, body) = world.get("/api/popular?window=year").await.unwrap();
    assert_eq!((status, &body["field"]), (400, &json!("window")));
    let (status, body) = world.get("/api/products/lamp/bought-together?limit=0").await.unwrap();
    assert_eq!((status, &body["field"]), (400, &json!("limit")));
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_person_is_a_stranger_and_nothing_of_them_comes_back() {
    let world = world().await;
    let id = world.track(&event("a/b", "product_view", "1")).await.unwrap();
    // An id with a slash: the path is decoded once.
    world.list_after("a%2Fb", &id).await.unwrap();
    world.store().subscribe("a/b", "AAAAAAAAAAAAAAA=", 1_790_000_000_000).await.unwrap();
    let (status, body) = world.delete("/api/users/a%2Fb").await.unwrap();
    assert_eq!((status, &body["userId"]), (200, &json!("a/b")));
    let (_, list) = world.get("/api/recommendations/a%2Fb").await.unwrap();
    assert_eq!(list["message"], "No recommendations available yet");
    assert!(world.store().sockets_of("a/b").await.unwrap().is_empty());
    let person = world.store().get_one::<Person>("a/b").await.unwrap().unwrap();
    assert!(person.history().is_empty() && person.list.is_none());
    // The same event again changes nothing; a new one begins a new profile.
    let again = json!({"userId": "a/b", "eventType": "product_view", "productId": "1", "eventId": id});
    world.track(&again).await.unwrap();
    let new = world.track(&event("a/b", "product_view", "2")).await.unwrap();
    world.list_after("a%2Fb", &new).await.unwrap();
    let person = world.store().get_one::<Person>("a/b").await.unwrap().unwrap();
    assert_eq!(person.history().iter().map(|past| past.item.to_string()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(world.delete("/api/users/never-seen").await.unwrap().0, 200);
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_looked_at_replayed_and_dropped() {
    let world = world().await;
    let mend = event("survivor", "product_view", "1");
    let poison = [b"{broken".to_vec(), b"also broken".to_vec(), mend.to_string().into_bytes()];
    let message =
        |value: &Vec<u8>| Message { topic: "user-events".into(), key: "survivor".into(), value: value.clone() };
    world.producer().unwrap().send_all(&poison.iter().map(message).collect::<Vec<_>>()).await.unwrap();
    world.settle().await.unwrap();
    let letters = async |wanted: usize| {
        let what = format!("{wanted} dead letters");
        let found = world.until(&what, async || {
            let (status, body) = world.get_as_admin("/api/operations/dead-letters").await?;
            let data = body["data"].as_array().cloned().unwrap_or_default();
            Ok((status == 200 && data.len() == wanted).then_some(data))
        });
        found.await.unwrap()
    };
    // All three: the third lacks what the API adds (eventId, timestamp).
    let all = letters(3).await;
    assert!(all.iter().all(|letter| letter["topic"] == "user-events-dead" && letter["reason"].is_string()), "{all:?}");
    let (_, seen) = world.get("/api/operations/dead-letters").await.unwrap();
    assert!(seen["data"][0]["value"].is_null(), "what people did is for administrators");
    let place = |letter: &Value| json!({"topic": letter["topic"], "partition": letter["partition"], "offset": letter["offset"]});
    assert_eq!(world.post("/api/operations/dead-letters/drop", &place(&all[0])).await.unwrap().0, 200);
    let two = letters(2).await;
    let (status, body) = world.post("/api/operations/dead-letters/replay", &place(&two[0])).await.unwrap();
    assert_eq!((status, &body["message"]), (200, &json!("replayed")));
    // It fails again, and is a new letter; the old one is settled.
    world.settle().await.unwrap();
    let now = letters(2).await;
    assert!(now.iter().all(|letter| letter["offset"] != two[0]["offset"]), "{now:?}");
    for (body, field) in [
        (json!({"topic": "user-events", "partition": 0, "offset": 0}), "topic"),
        (json!({"topic": "user-events-dead", "partition": "x", "offset": 0}), "partition"),
    ] {
        let (status, answer) = world.post("/api/operations/dead-letters/replay", &body).await.unwrap();
        assert_eq!((status, &answer["field"]), (400, &json!(field)), "{answer}");
    }
    let none = json!({"topic": "user-events-dead", "partition": 0, "offset": 999});
    assert_eq!(world.post("/api/operations/dead-letters/replay", &none).await.unwrap().0, 404);

    let id = world.track(&event("neo", "product_view", "1")).await.unwrap();
    world.list_after("neo", &id).await.unwrap();
    let events = world.until("the event among the last ones", async || {
        let (_, body) = world.get_as_admin("/api/operations/events?limit=5").await?;
        Ok(body["data"].as_array().is_some_and(|data| data.iter().any(|e| e["userId"] == "neo")).then_some(body))
    });
    let events = events.await.unwrap();
    assert_eq!(
        (&events["data"][0]["eventType"], &events["data"][0]["productId"]),
        (&json!("product_view"), &json!("1"))
    );
    let (_, masked) = world.get("/api/operations/events").await.unwrap();
    assert!(masked["data"][0]["userId"].is_null());
    check(&world).await.unwrap();
    world.cloud.stop().await;
}
