//! The whole way on real parts: API, Kafka, functions, DynamoDB, API.
#![allow(clippy::unwrap_used)]

use freshet_engine::Person;
use freshet_events::DeadLetter;
use freshet_stream::Message;
use freshet_tests::check::check;
use freshet_tests::{Setup, World, data, log};
use serde_json::{Value, json};

async fn world() -> World {
    World::start(Setup::default()).await.unwrap()
}

fn view(user: &str, product: &str) -> Value {
    json!({"userId": user, "eventType": "product_view", "productId": product})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_sees_what_others_went_on_to() {
    let world = world().await;
    for shopper in 0..5 {
        for product in ["lamp", "shade"] {
            let user = format!("shopper{shopper}");
            let event = world.track(&view(&user, product)).await.unwrap();
            world.list_after(&user, &event).await.unwrap();
        }
    }
    world.settle().await.unwrap();
    let shown = world
        .until("the shade beside the lamp", async || {
            let event = world.track(&view("visitor", "lamp")).await?;
            let body = world.list_after("visitor", &event).await?;
            let data = body["data"].as_array().cloned().unwrap_or_default();
            Ok(data
                .into_iter()
                .find(|item| item["productId"] == "shade" && item["because"] == "viewed")
                .map(|i| (i, body)))
        })
        .await;
    let (item, body) = shown.unwrap();
    assert_eq!(item["becauseProductId"], "lamp");
    assert!(item["reason"].as_str().unwrap().starts_with("Because you viewed"), "{item}");
    let metadata = &body["metadata"];
    assert_eq!((&metadata["userId"], &metadata["algorithm"]), (&json!("visitor"), &json!("hybrid")));
    assert_eq!((&metadata["isStale"], &body["success"]), (&json!(false), &json!(true)));
    assert_eq!(metadata["count"], json!(body["data"].as_array().unwrap().len()));
    assert!(item["score"].as_f64().is_some_and(|score| (0.0..=1.0).contains(&score)));

    for strategy in ["collaborative", "content_based", "hybrid"] {
        let (status, body) =
            world.get(&format!("/api/recommendations/visitor?strategy={strategy}&limit=3")).await.unwrap();
        assert_eq!((status, &body["metadata"]["algorithm"]), (200, &json!(strategy)));
        assert!(body["data"].as_array().unwrap().len() <= 3);
    }
    let (_, unknown) = world.get("/api/recommendations/nobody").await.unwrap();
    assert_eq!(unknown, json!({"success": true, "data": [], "message": "No recommendations available yet"}));
    let (_, popular) = world.get("/api/recommendations/nobody?fallback=popular").await.unwrap();
    assert_eq!(popular["metadata"]["algorithm"], "popular");
    assert!(popular["data"].as_array().is_some_and(|data| !data.is_empty()), "{popular}");
    world.settle().await.unwrap();
    check(&world).await.unwrap();
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds_for_good_and_bad_requests() {
    let world = world().await;
    let (status, body) = world.get("/api/health").await.unwrap();
    assert_eq!((status, &body["status"]), (200, &json!("OK")), "{body}");

    for (event, field) in [
        (json!({"eventType": "product_view", "productId": "1"}), "userId"),
        (json!({"userId": "u", "eventType": "looked", "productId": "1"}), "eventType"),
        (json!({"userId": "u", "eventType": "product_view", "productId": {}}), "productId"),
        (json!({"userId": "u", "eventType": "product_view", "productId": "1", "metadata": 5}), "metadata"),
    ] {
        let (status, body) = world.post("/api/events/track", &event).await.unwrap();
        assert_eq!((status, &body["success"]), (400, &json!(false)));
        let error = body["error"].as_str().unwrap();
        assert!(error.starts_with(field) && error.contains("expected") && error.contains("got"), "{error}");
    }
    let large =
        json!({"userId": "u", "eventType": "product_view", "productId": "1", "metadata": {"x": "y".repeat(300_000)}});
    assert_eq!(world.post("/api/events/track", &large).await.unwrap().0, 413);

    let mut events: Vec<Value> = (0..100).map(|n| view(&format!("batch{n}"), "1")).collect();
    events[41]["eventType"] = json!("nonsense");
    let (status, body) = world.post("/api/events/track/batch", &json!({"events": events})).await.unwrap();
    assert_eq!((status, &body["accepted"], &body["refused"]), (200, &json!(99), &json!(1)));
    assert_eq!(body["results"][41]["field"], "eventType");
    events.push(view("u", "1"));
    let (status, body) = world.post("/api/events/track/batch", &json!({"events": events})).await.unwrap();
    assert_eq!((status, &body["field"]), (400, &json!("events")));

    let number = json!({"userId": 7, "eventType": "product_view", "productId": 9});
    let event = world.track(&number).await.unwrap();
    world.list_after("7", &event).await.unwrap();
    for query in ["limit=0", "limit=x", "strategy=magic", "fallback=none"] {
        let (status, body) = world.get(&format!("/api/recommendations/7?{query}")).await.unwrap();
        assert_eq!((status, &body["field"]), (400, &json!(query.split('=').next())));
    }
    assert_eq!(world.get("/api/nothing").await.unwrap().0, 404);
    world.settle().await.unwrap();
    let report = check(&world).await.unwrap();
    assert_eq!(report.events, 100, "99 of the batch and the one with numbers");
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_learns_from_websites_and_never_against_an_administrator() {
    let world = world().await;
    let imported = json!({"products": [
        {"id": 1, "name": "Smart AI Assistant", "category": "AI Consumer Products", "price": "$299.99", "voice": "yes"},
        {"id": "2", "name": 5},
    ]});
    let (_, body) = world.post("/api/products/import", &imported).await.unwrap();
    assert_eq!((&body["imported"], &body["refused"][0]["field"]), (&json!(1), &json!("name")));
    let said = |product: &str, name: &str| {
        json!({"userId": "u", "eventType": "product_view", "productId": product,
               "metadata": {"name": name, "category": "Lamps", "price": "€ 12,50"}})
    };
    world.track(&said("1", "Something else")).await.unwrap();
    world.track(&said("lamp", "Lamp")).await.unwrap();
    let lamp = world
        .until("the learned lamp", async || {
            let (status, body) = world.get("/api/products/lamp").await?;
            Ok((status == 200).then_some(body))
        })
        .await
        .unwrap();
    let lamp = &lamp["data"];
    assert_eq!(
        (&lamp["name"], &lamp["confirmed"], &lamp["category"]),
        (&json!("Lamp"), &json!(false), &json!("Lamps"))
    );
    assert_eq!((&lamp["priceAmount"], &lamp["currency"]), (&json!(12.5), &json!("EUR")));
    let (_, one) = world.get("/api/products/1").await.unwrap();
    assert_eq!((&one["data"]["name"], &one["data"]["priceAmount"]), (&json!("Smart AI Assistant"), &json!(299.99)));
    assert_eq!(one["data"]["attributes"]["voice"], "yes");

    let (status, _) = world.put("/api/products/lamp", &json!({"name": "Desk lamp", "available": false})).await.unwrap();
    assert_eq!(status, 200);
    let event = world.track(&said("lamp", "Lamp")).await.unwrap();
    world.list_after("u", &event).await.unwrap();
    world.settle().await.unwrap();
    let (_, lamp) = world.get("/api/products/lamp").await.unwrap();
    assert_eq!((&lamp["data"]["name"], &lamp["data"]["confirmed"]), (&json!("Desk lamp"), &json!(true)));
    world
        .until("a list without what is not available", async || {
            let (_, body) = world.get("/api/recommendations/u").await?;
            let data = body["data"].as_array().cloned().unwrap_or_default();
            Ok((!data.iter().any(|item| item["productId"] == "lamp")).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(world.get("/api/products/none").await.unwrap().0, 404);
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strategies_run_side_by_side_and_clicks_count_for_the_one_they_name() {
    let world = world().await;
    let (status, _) =
        world.put("/api/settings/strategies", &json!({"shares": {"collaborative": 1, "hybrid": 1}})).await.unwrap();
    assert_eq!(status, 200);
    // recommend looks at the settings every few seconds.
    world
        .until("both strategies", async || {
            let mut seen = std::collections::BTreeSet::new();
            for user in 0..12 {
                let user = format!("split{user}");
                let event = world.track(&view(&user, "1")).await?;
                let list = world.list_after(&user, &event).await?;
                seen.insert(list["metadata"]["algorithm"].as_str().unwrap_or_default().to_owned());
            }
            Ok((seen.len() == 2).then_some(()))
        })
        .await
        .unwrap();
    for (algorithm, clicks) in [("collaborative", 3), ("hybrid", 2)] {
        for _ in 0..clicks {
            let click = json!({"userId": "clicker", "eventType": "recommendation_click", "productId": "1",
                               "metadata": {"algorithm": algorithm}});
            world.track(&click).await.unwrap();
        }
    }
    world.settle().await.unwrap();
    let (_, live) = world.get("/api/recommendations/metrics/live").await.unwrap();
    let data = &live["data"];
    assert_eq!(data["strategies"]["collaborative"]["clicks"], 3, "{live}");
    assert_eq!(data["strategies"]["hybrid"]["clicks"], 2);
    assert!(data["meanProcessingMs"].as_f64().is_some_and(|ms| ms > 0.0) && data["p99ProcessingMs"].is_f64());
    assert!(data["lastUpdate"].is_string() && data["precision"].is_f64());
    let groups = data["consumers"].as_array().unwrap();
    assert!(groups.len() == 4 && groups.iter().all(|group| group["state"] == "Stable"), "{live}");
    check(&world).await.unwrap();
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_can_never_be_processed_lands_in_the_dead_letters_and_stops_nobody() {
    let world = world().await;
    let event = |fields: Value| {
        let mut event = json!({"eventId": "e", "userId": "u", "eventType": "product_view", "productId": "1",
                               "timestamp": "2026-11-24T12:00:00.000Z", "metadata": {}});
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        event.to_string().into_bytes()
    };
    let poison: Vec<(Vec<u8>, &str)> = vec![
        (b"{not json".to_vec(), "value"),
        (vec![0xff, 0x00, 0x10], "value"),
        (b"[1,2]".to_vec(), "value"),
        (event(json!({"userId": null})), "userId"),
        (event(json!({"eventType": "teleport"})), "eventType"),
        (event(json!({"productId": [1]})), "productId"),
        (event(json!({"timestamp": "yesterday"})), "timestamp"),
        (event(json!({"metadata": "x"})), "metadata"),
        (event(json!({"metadata": {"x": "y".repeat(2_000_000)}})), "value"),
    ];
    let mut messages = Vec::new();
    for (n, (value, _)) in poison.iter().enumerate() {
        let good = event(json!({"eventId": format!("good{n}"), "userId": "survivor", "productId": n}));
        // One key, one partition: what comes after the poison must still be applied.
        for value in [value.clone(), good] {
            messages.push(Message { topic: "user-events".into(), key: "survivor".into(), value });
        }
    }
    world.producer().unwrap().send_all(&messages).await.unwrap();
    world.settle().await.unwrap();
    let survivor = world.store().get_one::<Person>("survivor").await.unwrap().unwrap();
    assert_eq!(survivor.history().len(), poison.len());
    let bootstrap = world.bootstrap_servers();
    let letters =
        tokio::task::spawn_blocking(move || log::read(&bootstrap, "user-events-dead")).await.unwrap().unwrap();
    let letters: Vec<DeadLetter> =
        letters.iter().map(|letter| serde_json::from_slice(&letter.value).unwrap()).collect();
    let mut fields: Vec<&str> = letters.iter().map(|letter| letter.field.as_str()).collect();
    let mut expected: Vec<&str> = poison.iter().map(|(_, field)| *field).collect();
    fields.sort_unstable();
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert!(letters.iter().all(|letter| letter.reason.contains("expected") && letter.topic == "user-events"));
    let large = letters.iter().find(|letter| letter.value_bytes > 2_000_000).unwrap();
    assert!(large.value.as_ref().is_some_and(|value| value.len() == large.value_bytes), "kept whole");
    let (_, live) = world.get("/api/recommendations/metrics/live").await.unwrap();
    assert_eq!(live["data"]["deadLetters"], json!(poison.len()));
    check(&world).await.unwrap();
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_after_real_sessions_equals_the_engine_run_alone() {
    let world = world().await;
    let (steps, source) = data::sessions(20_000).unwrap();
    let messages: Vec<Message> = steps
        .iter()
        .enumerate()
        .map(|(n, step)| {
            let at = freshet_events::iso8601(1_790_000_000_000 + n as i64 * 4_000);
            let value = json!({"eventId": format!("e{n}"), "userId": step.user, "eventType": "product_view",
                               "productId": step.item, "timestamp": at, "metadata": {}});
            Message { topic: "user-events".into(), key: step.user.clone(), value: value.to_string().into_bytes() }
        })
        .collect();
    world.producer().unwrap().send_all(&messages).await.unwrap();
    world.settle().await.unwrap();
    let report = check(&world).await.unwrap();
    println!("{source}: {report:?}");
    assert_eq!(report.events, 20_000);
    assert!(report.people > 1_000 && report.items > 1_000);

    // The same events once more, as a website that retries would send them: nothing counts twice.
    // (A person remembers the last 32 event ids.)
    let mut of_user = std::collections::HashMap::new();
    steps.iter().for_each(|step| *of_user.entry(&step.user).or_insert(0) += 1);
    let doubles: Vec<Message> =
        messages.iter().filter(|message| of_user[&message.key] <= 32).take(2_000).cloned().collect();
    world.producer().unwrap().send_all(&doubles).await.unwrap();
    world.settle().await.unwrap();
    let again = check(&world).await.unwrap();
    assert_eq!((again.events, again.records), (20_000, 20_000 + doubles.len()));
    world.cloud.stop().await;
}
