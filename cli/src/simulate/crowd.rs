//! Invented shoppers who have tastes, so that there is something to learn.
//!
//! Every product has companions: a hidden graph that the seed makes. A shopper likes one to three labels (categories and
//! tags), enters at something liked, and mostly walks on along companions.

use std::collections::{BTreeMap, VecDeque};

use anyhow::ensure;
use freshet_events::{EventType, Product};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use super::{Planned, event_id};

/// Companions of a product; the first is the closest.
const COMPANIONS: usize = 4;
/// How often each companion is the next step.
const COMPANION_WEIGHTS: [f64; COMPANIONS] = [0.45, 0.25, 0.2, 0.1];
/// Labels a shopper likes at the most.
const MAX_TASTES: usize = 3;
/// Products in a cart at the most.
const MAX_CART: usize = 10;
/// What a shopper does next, out of 1.
const CLICK: f64 = 0.10;
const REMOVE_FROM_CART: f64 = 0.04;
/// Chances from here on put into the cart.
const CART_FROM: f64 = 0.35;
/// One in so many shoppers is here at the same time, and at least so many of them are.
const SHARE_HERE: usize = 10;
const LEAST_HERE: usize = 20;
/// Out of 1 steps to another product: along the companions, or anew.
const FOLLOW: f64 = 0.75;

/// How a crowd shops, out of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Habits {
    /// Puts into the cart what is looked at.
    cart: f64,
    /// Buys what is in the cart.
    buy: f64,
    /// Everybody does one thing, then everybody the next; else they come as it happens, once everybody has come.
    in_rounds: bool,
}

impl Habits {
    /// On any day.
    pub(crate) const USUAL: Self = Self { cart: 0.12, buy: 0.10, in_rounds: false };
    /// On the day of the rush.
    pub(crate) const BLACK_FRIDAY: Self = Self { cart: 0.22, buy: 0.25, in_rounds: true };
}

/// The shoppers: an endless stream of what they do.
#[derive(Debug)]
pub(crate) struct Crowd {
    seed: u64,
    random: StdRng,
    next_index: u64,
    products: Vec<Product>,
    companions: Vec<Vec<usize>>,
    by_label: Vec<Vec<usize>>,
    shoppers: Vec<Shopper>,
    habits: Habits,
    /// Events until everybody has come.
    total: u64,
    /// Who has not come, of this round.
    to_come: Vec<usize>,
    /// Who is here, the first to leave first.
    here: VecDeque<usize>,
}

#[derive(Debug)]
struct Shopper {
    id: String,
    tastes: Vec<usize>,
    at: Option<usize>,
    cart: Vec<usize>,
}

impl Crowd {
    /// `users` shoppers of `products`, who come and go in the course of `total` events; the same ones for the same seed.
    ///
    /// # Errors
    /// There are no products.
    pub(crate) fn new(
        mut products: Vec<Product>,
        users: u32,
        habits: Habits,
        total: u64,
        seed: u64,
    ) -> anyhow::Result<Self> {
        products.retain(|product| product.available);
        ensure!(!products.is_empty(), "the catalogue is empty: import products, or start `freshet up` with its sample");
        products.sort_by(|a, b| a.id.cmp(&b.id));
        let mut random = StdRng::seed_from_u64(seed);
        let mut labels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, product) in products.iter().enumerate() {
            for label in labels_of(product) {
                labels.entry(label).or_default().push(index);
            }
        }
        let by_label: Vec<Vec<usize>> =
            if labels.is_empty() { vec![(0..products.len()).collect()] } else { labels.into_values().collect() };
        let companions =
            (0..products.len()).map(|index| companions(index, &products, &by_label, &mut random)).collect();
        let shoppers: Vec<Shopper> =
            (1..=users).map(|number| shopper(number, seed, by_label.len(), &mut random)).collect();
        let mut to_come: Vec<usize> = (0..shoppers.len()).collect();
        to_come.shuffle(&mut random);
        Ok(Self {
            seed,
            random,
            next_index: 0,
            products,
            companions,
            by_label,
            shoppers,
            habits,
            total,
            to_come,
            here: VecDeque::new(),
        })
    }

    /// Whose turn it is. People come evenly over the whole time and stay for a while, so that newcomers and old customers
    /// are mixed alike at its beginning and at its end: what changes is how well the crowd is known.
    fn turn(&mut self) -> usize {
        let users = self.shoppers.len() as u64;
        if self.habits.in_rounds {
            if self.to_come.is_empty() {
                self.to_come = (0..self.shoppers.len()).collect();
                self.to_come.shuffle(&mut self.random);
            }
            return self.to_come.pop().unwrap_or(0);
        }
        let together = (self.shoppers.len() / SHARE_HERE).max(LEAST_HERE).min(self.shoppers.len());
        let came = users - self.to_come.len() as u64;
        // The next one comes when the share of the events is done that is the share of those who have come.
        let is_due = u128::from(came) * u128::from(self.total) <= u128::from(self.next_index) * u128::from(users);
        if (is_due || self.here.len() < together)
            && let Some(newcomer) = self.to_come.pop()
        {
            if self.here.len() == together {
                self.here.pop_front();
            }
            self.here.push_back(newcomer);
            return newcomer;
        }
        self.here.get(self.random.random_range(0..self.here.len().max(1))).copied().unwrap_or(0)
    }

    fn planned(&mut self, shopper: usize, event_type: EventType, product: usize, click: Option<f64>) -> Planned {
        let index = self.next_index;
        self.next_index += 1;
        Planned {
            event_id: event_id(self.seed, index),
            user_id: self.shoppers[shopper].id.clone(),
            event_type,
            product_id: self.products[product].id.clone(),
            metadata: shown(&self.products[product]),
            click,
        }
    }

    /// The product a shopper looks at next.
    fn step(&mut self, shopper: usize) -> usize {
        let random = &mut self.random;
        if let Some(at) = self.shoppers[shopper].at.filter(|_| random.random_bool(FOLLOW)) {
            let companions: Vec<(usize, f64)> = self.companions[at].iter().copied().zip(COMPANION_WEIGHTS).collect();
            if let Ok((next, _)) = companions.choose_weighted(random, |(_, weight)| *weight) {
                return *next;
            }
        }
        let tastes = &self.shoppers[shopper].tastes;
        let liked = tastes.choose(random).and_then(|label| self.by_label[*label].choose(random));
        liked.copied().unwrap_or_else(|| random.random_range(0..self.products.len()))
    }
}

impl Iterator for Crowd {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        let shopper = self.turn();
        let chance: f64 = self.random.random();
        let Habits { cart: put, buy, .. } = self.habits;
        let Shopper { at, cart, .. } = self.shoppers.get_mut(shopper)?;
        if let Some(at) = *at {
            if !cart.is_empty() && chance < buy {
                let bought = cart.remove(0);
                return Some(self.planned(shopper, EventType::Purchase, bought, None));
            }
            if !cart.is_empty() && chance < buy + REMOVE_FROM_CART {
                let removed = cart.pop()?;
                return Some(self.planned(shopper, EventType::RemoveFromCart, removed, None));
            }
            if (CART_FROM..CART_FROM + put).contains(&chance) && cart.len() < MAX_CART && !cart.contains(&at) {
                cart.push(at);
                return Some(self.planned(shopper, EventType::AddToCart, at, None));
            }
        }
        let next = self.step(shopper);
        self.shoppers[shopper].at = Some(next);
        // Squared: the top of a list is clicked more than its end.
        let click = (chance > 1.0 - CLICK).then(|| self.random.random::<f64>().powi(2));
        Some(self.planned(shopper, EventType::ProductView, next, click))
    }
}

/// What a website sends along with a view.
pub(crate) fn shown(product: &Product) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(product.name));
    for (name, value) in [("category", &product.category), ("price", &product.price)] {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), json!(value));
        }
    }
    metadata
}

fn labels_of(product: &Product) -> Vec<String> {
    let tags = product.attributes.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags = tags.filter_map(Value::as_str).map(|tag| format!("tag {tag}"));
    product.category.iter().map(|category| format!("category {category}")).chain(tags).collect()
}

/// Mostly of the same labels, the last one from anywhere.
fn companions(index: usize, products: &[Product], by_label: &[Vec<usize>], random: &mut StdRng) -> Vec<usize> {
    let near: Vec<usize> = by_label.iter().filter(|group| group.contains(&index)).flatten().copied().collect();
    let mut found = Vec::with_capacity(COMPANIONS);
    // Bounded: a small catalogue may not have as many.
    for attempt in 0..COMPANIONS * 8 {
        if found.len() == COMPANIONS {
            break;
        }
        let of_kind = found.len() + 1 < COMPANIONS && attempt < COMPANIONS * 4;
        let candidate = if of_kind { near.choose(random).copied() } else { None };
        let candidate = candidate.unwrap_or_else(|| random.random_range(0..products.len()));
        if candidate != index && !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

fn shopper(number: u32, seed: u64, labels: usize, random: &mut StdRng) -> Shopper {
    let count = random.random_range(1..=MAX_TASTES.min(labels.max(1)));
    let tastes = (0..count).map(|_| random.random_range(0..labels.max(1))).collect();
    // Another seed, other people: tastes of two runs don't mix.
    Shopper { id: format!("shopper-{:04x}-{number}", seed & 0xffff), tastes, at: None, cart: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    fn products() -> Vec<Product> {
        let product =
            |n: u32| json!({"id": n, "name": format!("P{n}"), "category": format!("C{}", n % 6), "price": "$1"});
        (0..30).map(|n| Product::from_value(None, &product(n)).unwrap()).collect()
    }

    #[test]
    fn the_same_seed_sends_the_same_events_and_another_one_others() {
        let events =
            |seed| Crowd::new(products(), 20, Habits::USUAL, 2_000, seed).unwrap().take(2_000).collect::<Vec<_>>();
        let mut shuffled = products();
        shuffled.reverse();
        assert_eq!(
            events(1),
            Crowd::new(shuffled, 20, Habits::USUAL, 2_000, 1).unwrap().take(2_000).collect::<Vec<_>>()
        );
        assert_ne!(events(1), events(2));
        let ids: HashSet<String> = events(1).into_iter().chain(events(2)).map(|event| event.event_id).collect();
        assert_eq!(ids.len(), 4_000);
    }

    #[test]
    fn shoppers_follow_companions_so_that_there_is_something_to_learn() {
        let mut next: HashMap<String, HashMap<String, u32>> = HashMap::new();
        let mut last: HashMap<String, String> = HashMap::new();
        for event in Crowd::new(products(), 20, Habits::USUAL, 20_000, 5).unwrap().take(20_000) {
            if event.event_type == EventType::ProductView
                && let Some(before) = last.insert(event.user_id, event.product_id.clone())
            {
                *next.entry(before).or_default().entry(event.product_id).or_default() += 1;
            }
        }
        let share = |steps: &HashMap<String, u32>| {
            f64::from(steps.values().copied().max().unwrap_or(0)) / f64::from(steps.values().sum::<u32>())
        };
        let mean = next.values().map(share).sum::<f64>() / next.len() as f64;
        assert!(mean > 0.25, "the most frequent next product follows in {mean:.2}, by chance it would in 0.03");
    }

    #[test]
    fn everybody_comes_and_on_black_friday_all_at_once_again_and_again() {
        let who = |habits| -> Vec<String> {
            Crowd::new(products(), 500, habits, 1_500, 3).unwrap().take(1_500).map(|event| event.user_id).collect()
        };
        let distinct = |users: &[String]| users.iter().collect::<HashSet<_>>().len();
        let usual = who(Habits::USUAL);
        assert_eq!(distinct(&usual), 500);
        // A third of the events brings a third of the people.
        assert!((140..=200).contains(&(distinct(&usual[..1_000]) - distinct(&usual[..500]))));
        let rushes = who(Habits::BLACK_FRIDAY);
        assert!(rushes.chunks(500).all(|rush| distinct(rush) == 500));
        assert_ne!(rushes[..500], rushes[500..1_000]);
    }

    #[test]
    fn only_what_is_in_a_cart_is_bought_or_removed() {
        let mut carts: HashMap<String, Vec<String>> = HashMap::new();
        let mut kinds = HashSet::new();
        for event in Crowd::new(products(), 10, Habits::USUAL, 5_000, 9).unwrap().take(5_000) {
            kinds.insert(event.event_type);
            let cart = carts.entry(event.user_id).or_default();
            match event.event_type {
                EventType::AddToCart => cart.push(event.product_id),
                EventType::Purchase | EventType::RemoveFromCart => {
                    let at = cart.iter().position(|product| *product == event.product_id);
                    cart.remove(at.unwrap());
                }
                _ => {}
            }
        }
        assert_eq!(kinds.len(), 4);
        assert!(Crowd::new(Vec::new(), 1, Habits::USUAL, 2_000, 1).is_err());
        // One product alone has no companions and is still shopped.
        assert_eq!(
            Crowd::new(products().into_iter().take(1).collect(), 1, Habits::USUAL, 2_000, 1).unwrap().take(50).count(),
            50
        );
    }
}
