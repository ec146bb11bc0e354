//! The engine through the judge: the same every time, better than its peers where there is something to learn, and unmoved by
//! whatever comes.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use freshet_engine::{Config, EventKind, Product, Strategy};
use freshet_evaluation::{Dataset, Distance, Figures, Freshet, Happened, Recommender, Request, peers, prequential};

/// A small generator of numbers: the same ones on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// People who walk along a ring of products, go back now and then, and jump now and then.
fn walks(events: usize) -> Vec<(String, String, i64)> {
    let mut numbers = Numbers(7);
    let mut at = [0_u64; 40];
    let step = |n: usize| {
        let who = numbers.below(40) as usize;
        at[who] = match numbers.below(10) {
            0..6 => (at[who] + 1 + numbers.below(2)) % 300,
            6..8 => at[who].saturating_sub(1),
            _ => numbers.below(300),
        };
        (format!("visitor{who}"), format!("item{}", at[who]), 1_700_000_000_000 + n as i64 * 7_000)
    };
    (0..events).map(step).collect()
}

fn dataset(events: &[(String, String, i64)], products: Vec<Product>) -> Dataset {
    let happened =
        events.iter().map(|(user, item, at_ms)| Happened { user, item, at_ms: *at_ms, kind: EventKind::ProductView });
    Dataset::from_events(happened, products)
}

fn judge(dataset: &Dataset, recommender: &mut dyn Recommender) -> Figures {
    prequential(dataset, recommender, false, &mut |_, _| ControlFlow::Continue(())).without_times()
}

#[test]
fn the_same_stream_gives_the_same_figures_alone_and_apart() {
    let data = dataset(&walks(6_000), Vec::new());
    for distance in [Distance::NONE, Distance { partitions: 4, late: 50 }] {
        let run = || judge(&data, &mut Freshet::apart(&data, Config::default(), Strategy::Hybrid, distance));
        assert_eq!(run(), run(), "{distance:?}");
    }
}

#[test]
fn where_there_is_something_to_learn_it_is_ahead_of_every_peer() {
    let data = dataset(&walks(20_000), Vec::new());
    let ours = judge(&data, &mut Freshet::new(&data, Config::default(), Strategy::Hybrid));
    for mut peer in peers::all(&data) {
        let theirs = judge(&data, peer.as_mut());
        assert!(ours.all.mrr20 > theirs.all.mrr20, "{}: {} against {}", peer.name(), theirs.all.mrr20, ours.all.mrr20);
    }
}

/// How many random events: `FRESHET_HOSTILE_EVENTS` for a long run.
fn hostile_events() -> u64 {
    std::env::var("FRESHET_HOSTILE_EVENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(30_000)
}

#[test]
fn hostile_events_and_products_break_nothing_and_grow_nothing() {
    let mut numbers = Numbers(99);
    let kinds = [
        EventKind::ProductView,
        EventKind::AddToCart,
        EventKind::RemoveFromCart,
        EventKind::Purchase,
        EventKind::RecommendationClick,
        EventKind::RecommendationView,
    ];
    let hostile = |n: u64| match n % 7 {
        0 => format!("\u{202e}{n}"),
        1 => format!("<script>{n}</script>"),
        2 => format!("{n}\0🛒"),
        3 => "x".repeat(128),
        4 => String::new(),
        5 => format!("../{n}#?"),
        _ => n.to_string(),
    };
    let products: Vec<Product> = (0..400)
        .map(|n| Product {
            id: hostile(n).into(),
            name: "word ".repeat(2_000),
            category: (n % 3 > 0).then(|| hostile(n % 50)),
            price: [None, Some(f64::INFINITY), Some(f64::NAN), Some(-1.0), Some(0.0), Some(1e300)][n as usize % 6],
            attributes: vec![(hostile(n % 9), "y ".repeat(5_000)), ("colour".to_owned(), (n % 5).to_string())],
            available: n % 11 > 0,
        })
        .collect();
    let times = [0, 1, -1, i64::MAX / 4, i64::MIN / 4, 1_700_000_000_000];
    let events: Vec<(String, String, i64, EventKind)> = (0..hostile_events())
        .map(|_| {
            let time = times[numbers.below(6) as usize].saturating_add(numbers.next() as i64);
            let kind = kinds[numbers.below(6) as usize];
            (format!("u{}", numbers.below(50)), hostile(numbers.below(3_000)), time, kind)
        })
        .collect();
    let happened = events.iter().map(|(user, item, at_ms, kind)| Happened { user, item, at_ms: *at_ms, kind: *kind });
    let data = Dataset::from_events(happened, products);
    let mut engine = Freshet::new(&data, Config::default(), Strategy::Hybrid);
    let figures = judge(&data, &mut engine);
    assert!(figures.all.mrr20.is_finite() && figures.predictions > 10_000);
    let bytes = engine.bytes().unwrap();
    assert!(bytes.item.p90 < 20_000 && bytes.person.p90 < 20_000, "{bytes:?}");
    let mut list = Vec::new();
    engine.recommend(&Request { user: 0, at_ms: 0, new_only: false }, &mut list);
    assert!(!list.is_empty());
}
