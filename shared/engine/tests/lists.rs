//! What people see: lists in a small shop, from its first minute on.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use freshet_engine::{
    Because, Catalogue, Config, Engine, EventKind, Inputs, Interaction, Item, ItemId, Learner, Person, Popularity,
    PopularityShard, Prediction, Product, Recommendation, Source, Strategy,
};

const START_MS: i64 = 1_790_000_000_000;

/// A shop with all that it keeps, in one place.
struct Shop {
    engine: Engine,
    catalogue: Catalogue,
    items: HashMap<ItemId, Item>,
    people: HashMap<&'static str, Person>,
    shard: PopularityShard,
    popularity: Popularity,
    learner: Learner,
    prediction: Prediction,
    offset: u64,
}

impl Shop {
    fn new(products: Vec<Product>, config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            catalogue: Catalogue::new(products),
            items: HashMap::new(),
            people: HashMap::new(),
            shard: PopularityShard::default(),
            popularity: Popularity::default(),
            learner: Learner::default(),
            prediction: Prediction::default(),
            offset: 0,
        }
    }

    fn list(&mut self, user: &'static str, strategy: Strategy) -> Vec<Recommendation> {
        let lookup = |id: &ItemId| self.items.get(id);
        let inputs = Inputs {
            items: &lookup,
            popularity: &self.popularity,
            catalogue: &self.catalogue,
            blend: self.learner.blend(),
            strategy,
            now_ms: START_MS + self.offset.cast_signed() * 1_000,
            limit: 10,
            new_only: false,
        };
        self.engine.recommend(self.people.entry(user).or_default(), &inputs, &mut self.prediction)
    }

    /// Foretold, learned from, observed, as the functions do it.
    fn event(&mut self, user: &'static str, kind: EventKind, item: &str) {
        if self.engine.is_choice(kind) && self.people.get(user).is_some_and(Person::has_history) {
            self.list(user, Strategy::Hybrid);
            self.prediction.teach(&mut self.learner, &item.into(), 0.1);
        }
        self.offset += 1;
        let event = Interaction {
            item: item.into(),
            kind,
            at_ms: START_MS + self.offset.cast_signed() * 1_000,
            event_hash: self.offset,
            source: Source { generation: 1, partition: 0 },
            offset: self.offset,
        };
        for signal in self.engine.observe(self.people.entry(user).or_default(), &event).signals {
            let item = self.items.entry(signal.item.clone()).or_default();
            self.engine.learn(item, &signal);
            let category = self.catalogue.category(&signal.item).map(str::to_owned);
            self.shard.update(&signal.item, category.as_deref(), self.engine.demand(item));
        }
        self.popularity = Popularity::merge(std::slice::from_ref(&self.shard));
    }

    fn view(&mut self, user: &'static str, item: &str) {
        self.event(user, EventKind::ProductView, item);
    }
}

fn product(id: &str, category: &str, colour: &str) -> Product {
    Product {
        id: id.into(),
        name: format!("Product {id}"),
        category: Some(category.to_owned()),
        price: Some(10.0),
        attributes: vec![("colour".to_owned(), colour.to_owned())],
        available: true,
    }
}

fn products() -> Vec<Product> {
    let categories = ["lamps", "chairs", "tables"];
    let colours = ["red", "green"];
    (0..30).map(|n| product(&format!("p{n}"), categories[n % 3], colours[n % 2])).collect()
}

fn shop() -> Shop {
    Shop::new(products(), Config { explore: 0.0, ..Config::default() })
}

fn place(list: &[Recommendation], id: &str) -> Option<usize> {
    list.iter().position(|entry| &*entry.item == id)
}

#[test]
fn an_empty_shop_and_an_unknown_visitor_are_no_error_and_say_so() {
    let mut empty = Shop::new(Vec::new(), Config::default());
    assert!(empty.list("nobody", Strategy::Hybrid).is_empty());
    let mut shop = shop();
    assert!(!shop.list("nobody", Strategy::Hybrid).is_empty(), "the catalogue is better than nothing");
    for _ in 0..20 {
        shop.view("anybody", "p7");
    }
    let list = shop.list("nobody", Strategy::Hybrid);
    assert!(place(&list, "p7") < Some(2), "{list:?}");
    assert!(list.iter().all(|entry| entry.reason.because == Because::Trending), "{list:?}");
}

#[test]
fn a_new_product_is_reached_from_its_first_view_on_by_what_it_is() {
    let mut all = products();
    all.push(product("brand-new", "lamps", "violet"));
    all.push(product("twin", "lamps", "violet"));
    let mut shop = Shop::new(all, Config { explore: 0.0, ..Config::default() });
    shop.view("visitor", "brand-new");
    for strategy in [Strategy::ContentBased, Strategy::Hybrid] {
        let list = shop.list("visitor", strategy);
        assert!(place(&list, "twin").is_some(), "{strategy:?}: {list:?}");
    }
    let twin = shop.list("visitor", Strategy::ContentBased).into_iter().find(|entry| &*entry.item == "twin").unwrap();
    assert!(matches!(twin.reason.because, Because::Similar | Because::PopularInCategory), "{twin:?}");
}

#[test]
fn what_is_bought_is_not_shown_again_until_people_buy_it_again_and_again() {
    let mut shop = shop();
    for item in ["p1", "p4", "p7"] {
        shop.view("buyer", item);
    }
    let before = shop.list("buyer", Strategy::Hybrid);
    assert!(place(&before, "p4").is_some(), "{before:?}");
    shop.event("buyer", EventKind::Purchase, "p4");
    assert_eq!(place(&shop.list("buyer", Strategy::Hybrid), "p4"), None);
    // A shop where people re-buy the same thing: its data say otherwise.
    for _ in 0..300 {
        shop.event("regular", EventKind::Purchase, "p9");
        shop.view("regular", "p3");
    }
    shop.view("regular", "p6");
    let list = shop.list("regular", Strategy::Hybrid);
    assert!(place(&list, "p9").is_some(), "{list:?}");
}

#[test]
fn what_is_taken_out_of_the_cart_counts_against_it() {
    let mut shop = shop();
    for item in ["p1", "p4", "p7", "p10"] {
        shop.event("visitor", EventKind::AddToCart, item);
    }
    shop.event("visitor", EventKind::RemoveFromCart, "p7");
    let list = shop.list("visitor", Strategy::Hybrid);
    let removed = place(&list, "p7").unwrap_or(usize::MAX);
    for kept in ["p1", "p4", "p10"] {
        assert!(place(&list, kept).is_some_and(|at| at < removed), "{kept}: {list:?}");
    }
}

#[test]
fn the_strategies_differ_and_every_item_has_its_reason() {
    let mut shop = shop();
    for user in ["a", "b", "c", "d"] {
        shop.view(user, "p0");
        shop.view(user, "p11");
    }
    shop.view("visitor", "p0");
    let followed = shop.list("visitor", Strategy::Collaborative);
    let entry = &followed[place(&followed, "p11").unwrap()];
    assert_eq!((entry.reason.because, entry.reason.item.as_deref()), (Because::Viewed, Some("p0")));
    let alike = shop.list("visitor", Strategy::ContentBased);
    assert!(alike.iter().all(|entry| entry.reason.because != Because::Viewed), "{alike:?}");
    assert!(alike.iter().any(|entry| matches!(entry.reason.because, Because::Similar | Because::PopularInCategory)));
}

#[test]
fn kinds_of_products_that_people_go_on_to_are_learned_before_the_products_are_known() {
    let mut shop = shop();
    // From lamps people go on to tables, whichever.
    let users: Vec<&'static str> = (0..120).map(|n| &*format!("u{n}").leak()).collect();
    for (n, user) in users.into_iter().enumerate() {
        shop.view(user, &format!("p{}", n * 3 % 27));
        shop.view(user, &format!("p{}", (n * 6 + 2) % 27));
    }
    shop.view("visitor", "p27");
    let list = shop.list("visitor", Strategy::Hybrid);
    let tables = list.iter().filter(|entry| shop.catalogue.category(&entry.item) == Some("tables")).count();
    assert!(tables >= 3, "{list:?}");
}
