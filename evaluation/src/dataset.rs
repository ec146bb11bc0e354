//! What people did, from a CSV file, with dense numbers for people and items.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use freshet_engine::{EventKind, ItemId, Product};

use crate::table::{DatasetError, Table};
use crate::{products, times};

/// Where a file has no times: the first event's, in milliseconds since the epoch.
const START_MS: i64 = 1_700_000_000_000;
/// Where a file has no times: milliseconds from one event to the next, about the pace of RetailRocket's views.
const STEP_MS: i64 = 10_000;
/// The last second that is taken for a time, the end of the year 9999: milliseconds by mistake are beyond it.
const MAX_SECONDS: f64 = 253_402_300_799.0;
/// The names of `type`.
const KINDS: [(&str, EventKind); 18] = [
    ("view", EventKind::ProductView),
    ("pv", EventKind::ProductView),
    ("product_view", EventKind::ProductView),
    ("click", EventKind::ProductView),
    ("cart", EventKind::AddToCart),
    ("addtocart", EventKind::AddToCart),
    ("add_to_cart", EventKind::AddToCart),
    ("buy", EventKind::Purchase),
    ("purchase", EventKind::Purchase),
    ("transaction", EventKind::Purchase),
    ("order", EventKind::Purchase),
    ("remove", EventKind::RemoveFromCart),
    ("removefromcart", EventKind::RemoveFromCart),
    ("remove_from_cart", EventKind::RemoveFromCart),
    // The engine has no kind for these: they are views, and counted
    ("fav", EventKind::ProductView),
    ("favorite", EventKind::ProductView),
    ("favourite", EventKind::ProductView),
    ("like", EventKind::ProductView),
];
/// From here on the names of [`KINDS`] are favourites.
const FAVOURITES: usize = 14;

/// The part of a split that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To learn from; also where a file has no column `split`.
    Train,
    /// To be predicted.
    Test,
}

/// One thing that a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Who: the place in [`Dataset::users`].
    pub user: u32,
    /// With which product: the place in [`Dataset::items`].
    pub item: u32,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What.
    pub kind: EventKind,
    /// Its part of the split.
    pub part: Part,
}

/// What somebody did, by ids of 1 to 128 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened<'a> {
    /// Who.
    pub user: &'a str,
    /// With which product.
    pub item: &'a str,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What.
    pub kind: EventKind,
}

/// The order of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As in the file.
    #[default]
    File,
    /// By time, rows of one time as in the file; rows without a time are dropped (and counted). A file that has no times at
    /// all stays as it is.
    Time,
}

/// How a file is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A CSV file of products: `item`, and any attributes.
    pub items: Option<PathBuf>,
    /// The order of the events.
    pub order: Order,
    /// At most so many events: the first ones, after ordering.
    pub limit: Option<usize>,
}

/// What reading a file met with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that were read.
    pub rows: usize,
    /// Favourites and likes, taken as views.
    pub favourites: usize,
    /// Rows without a time that got the last known one before them (the first rows: the first known one).
    pub untimed: usize,
    /// Rows without a time that [`Order::Time`] dropped.
    pub dropped: usize,
}

/// A stream of events, and the products they are about.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// The people's ids by their numbers.
    pub users: Vec<ItemId>,
    /// The products' ids by their numbers: those of the events by first appearance, then those that only the products' file
    /// has.
    pub items: Vec<ItemId>,
    /// The events in order.
    pub events: Vec<Event>,
    /// What is known of products, one entry each, by number; only those of which anything is known.
    pub products: Vec<Product>,
    /// Are the events' times the file's own?
    pub has_times: bool,
    /// Does the file say what is train and what is test?
    pub has_split: bool,
    /// What reading it met with.
    pub counts: Counts,
    numbers: HashMap<ItemId, u32>,
}

impl Dataset {
    /// Reads a CSV file, gzipped or not. Columns, in any order and case: `item`; `user` or `session` (with both, the user is the
    /// person); and optionally `ts` (seconds since the epoch, decimals allowed, empty where unknown), `type`, `split` (`train`
    /// or `test`) and `category` (the item's, the last one counts, where no products' file has one). In a file without any
    /// time, event n (from 0) is at 1,700,000,000,000 ms + n · 10 s.
    pub fn open(path: &Path, options: &Options) -> Result<Self, DatasetError> {
        Self::build(Table::open(path)?, options)
    }

    /// The same from bytes; `file` is what errors call them.
    pub fn read(file: &str, input: impl Read + 'static, options: &Options) -> Result<Self, DatasetError> {
        Self::build(Table::read(file, Box::new(input))?, options)
    }

    /// Events in the order in which they come, and what is known of products (of two with one id the last one counts).
    pub fn from_events<'a>(events: impl IntoIterator<Item = Happened<'a>>, products: Vec<Product>) -> Self {
        let (mut dataset, mut users) = (Self { has_times: true, ..Self::default() }, HashMap::new());
        for Happened { user, item, at_ms, kind } in events {
            let item = number(&mut dataset.numbers, &mut dataset.items, item);
            let user = number(&mut users, &mut dataset.users, user);
            dataset.events.push(Event { user, item, at_ms, kind, part: Part::Train });
        }
        dataset.counts.rows = dataset.events.len();
        dataset.set_products(products, Vec::new());
        dataset
    }

    /// The number of the product with this id.
    pub fn item(&self, id: &str) -> Option<u32> {
        self.numbers.get(&ItemId::from(id)).copied()
    }

    fn build(mut table: Table, options: &Options) -> Result<Self, DatasetError> {
        let products = options.items.as_deref().map(products::open).transpose()?.unwrap_or_default();
        let columns = Columns::find(&table)?;
        let mut dataset = Self { has_split: columns.split.is_some(), ..Self::default() };
        let (mut users, mut times, mut categories) = (HashMap::new(), Vec::new(), Vec::new());
        // Ordering by time needs all rows before the first of them are known
        let most = options.limit.filter(|_| options.order == Order::File).unwrap_or(usize::MAX);
        while dataset.events.len() < most && table.next_row()? {
            let item = number(&mut dataset.numbers, &mut dataset.items, table.id(columns.item)?);
            let user = number(&mut users, &mut dataset.users, table.id(columns.user)?);
            let (kind, favourite) = columns.kind(&table)?;
            dataset.counts.favourites += usize::from(favourite);
            times.push(columns.at_ms(&table)?);
            if let Some(category) = columns.category.map(|column| table.text(column)).filter(|text| !text.is_empty()) {
                categories.resize(dataset.items.len(), None);
                categories[item as usize] = Some(category.to_owned());
            }
            dataset.events.push(Event { user, item, at_ms: 0, kind, part: columns.part(&table)? });
        }
        if times.is_empty() && most > 0 {
            return Err(table.none());
        }
        dataset.counts.rows = times.len();
        dataset.set_times(&times, options.order);
        dataset.events.truncate(options.limit.unwrap_or(usize::MAX));
        dataset.set_products(products, categories);
        Ok(dataset)
    }

    fn set_times(&mut self, times: &[Option<i64>], order: Order) {
        let known = times.iter().copied().find_map(|time| time);
        self.has_times = known.is_some();
        let Some(mut last) = known else {
            (0_i64..).zip(&mut self.events).for_each(|(n, event)| event.at_ms = START_MS + n * STEP_MS);
            return;
        };
        for (event, time) in self.events.iter_mut().zip(times) {
            last = time.unwrap_or(last);
            event.at_ms = last;
        }
        let untimed = times.iter().filter(|time| time.is_none()).count();
        match order {
            Order::File => self.counts.untimed = untimed,
            Order::Time => {
                self.counts.dropped = untimed;
                let mut timed = times.iter().map(Option::is_some);
                self.events.retain(|_| timed.next().unwrap_or(false));
                self.events.sort_by_key(|event| event.at_ms);
            }
        }
        times::spread(&mut self.events);
    }

    fn set_products(&mut self, products: Vec<Product>, categories: Vec<Option<String>>) {
        let mut by_number: Vec<Option<Product>> = Vec::new();
        for mut product in products {
            let item = number(&mut self.numbers, &mut self.items, &product.id) as usize;
            product.id = self.items[item].clone();
            by_number.resize(self.items.len(), None);
            by_number[item] = Some(product);
        }
        by_number.resize(self.items.len(), None);
        for ((category, known), id) in categories.into_iter().zip(&mut by_number).zip(&self.items) {
            let Some(category) = category else { continue };
            let product = known.get_or_insert_with(|| Product {
                id: id.clone(),
                name: String::new(),
                category: None,
                price: None,
                attributes: Vec::new(),
                available: true,
            });
            product.category.get_or_insert(category);
        }
        self.products = by_number.into_iter().flatten().collect();
    }
}

/// The number of an id, a new one if it is new.
fn number(numbers: &mut HashMap<ItemId, u32>, ids: &mut Vec<ItemId>, id: &str) -> u32 {
    if let Some(known) = numbers.get(&ItemId::from(id)) {
        return *known;
    }
    let new = ids.len() as u32;
    ids.push(id.into());
    numbers.insert(ids[new as usize].clone(), new);
    new
}

/// Where the columns are.
struct Columns {
    user: usize,
    item: usize,
    ts: Option<usize>,
    kind: Option<usize>,
    split: Option<usize>,
    category: Option<usize>,
}

impl Columns {
    fn find(table: &Table) -> Result<Self, DatasetError> {
        Ok(Self {
            user: table.need(&["user", "session"])?,
            item: table.need(&["item"])?,
            ts: table.column("ts"),
            kind: table.column("type"),
            split: table.column("split"),
            category: table.column("category"),
        })
    }

    fn at_ms(&self, table: &Table) -> Result<Option<i64>, DatasetError> {
        let Some(column) = self.ts else { return Ok(None) };
        let text = table.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
        seconds.map(|seconds| Some((seconds * 1_000.0).round() as i64)).ok_or_else(|| {
            table.wrong(
                column,
                "seconds since the epoch (a number from 0 to the year 9999, not milliseconds) or nothing",
            )
        })
    }

    fn kind(&self, table: &Table) -> Result<(EventKind, bool), DatasetError> {
        let Some(column) = self.kind else { return Ok((EventKind::ProductView, false)) };
        let text = table.text(column);
        let place = KINDS.iter().position(|(name, _)| text.eq_ignore_ascii_case(name));
        place
            .map(|place| (KINDS[place].1, place >= FAVOURITES))
            .ok_or_else(|| table.wrong(column, &format!("one of {}", KINDS.map(|(name, _)| name).join(", "))))
    }

    fn part(&self, table: &Table) -> Result<Part, DatasetError> {
        match self.split {
            None => Ok(Part::Train),
            Some(column) => match table.text(column) {
                "train" => Ok(Part::Train),
                "test" => Ok(Part::Test),
                _ => Err(table.wrong(column, "train or test")),
            },
        }
    }
}
