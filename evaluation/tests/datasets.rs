//! Files, good and bad.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;

use common::{bytes, gzip, read};
use freshet_engine::EventKind::{AddToCart, ProductView, Purchase, RemoveFromCart};
use freshet_engine::Product;
use freshet_evaluation::{Dataset, Happened, Options, Order, Part};
use proptest::prelude::*;

const TIMED: &str = "Session,user,item,ts,TYPE,split,category\n\
    s1,ann,a,100.5,pv,train,shoes\n\
    s1,bob,b,,addtocart,train,\n\
    s2,ann,b,90,Fav,test,hats\n\
    s2,ann,a,90,transaction,test,boots\n\
    s3,bob,c,120,remove,test,\n";

#[test]
fn columns_are_found_by_name_and_people_and_items_are_numbered_by_first_appearance() {
    let dataset = read(TIMED).unwrap();
    assert_eq!(dataset.users.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!(dataset.items.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["a", "b", "c"]);
    let pairs: Vec<_> = dataset.events.iter().map(|event| (event.user, event.item)).collect();
    assert_eq!(pairs, [(0, 0), (1, 1), (0, 1), (0, 0), (1, 2)]);
    let kinds: Vec<_> = dataset.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [ProductView, AddToCart, ProductView, Purchase, RemoveFromCart]);
    assert_eq!(dataset.events.iter().filter(|event| event.part == Part::Test).count(), 3);
    assert!(dataset.has_split && dataset.has_times);
    assert_eq!((dataset.counts.rows, dataset.counts.favourites, dataset.counts.untimed), (5, 1, 1));
    assert_eq!((dataset.item("c"), dataset.item("d")), (Some(2), None));
}

#[test]
fn events_from_elsewhere_keep_their_order_and_products_without_events_come_last() {
    let happened = |user, item, at_ms| Happened { user, item, at_ms, kind: ProductView };
    let product = |id: &str, name: &str| Product {
        id: id.into(),
        name: name.to_owned(),
        category: None,
        price: None,
        attributes: Vec::new(),
        available: true,
    };
    let products = vec![product("z", "Z"), product("b", "old"), product("b", "B")];
    let events = [happened("ann", "b", 7), happened("bob", "a", 5), happened("ann", "a", 9)];
    let dataset = Dataset::from_events(events, products);
    let seen: Vec<_> = dataset.events.iter().map(|event| (event.user, event.item, event.at_ms)).collect();
    assert_eq!(seen, [(0, 0, 7), (1, 1, 5), (0, 1, 9)]);
    assert_eq!(dataset.items.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["b", "a", "z"]);
    assert_eq!(dataset.products.iter().map(|product| product.name.as_str()).collect::<Vec<_>>(), ["B", "Z"]);
    assert!(dataset.has_times && !dataset.has_split && dataset.counts.rows == 3);
    assert!(Dataset::from_events([], Vec::new()).events.is_empty());
}

#[test]
fn a_missing_time_is_the_last_known_one_and_order_by_time_drops_it() {
    let times = |dataset: &Dataset| dataset.events.iter().map(|event| event.at_ms).collect::<Vec<_>>();
    assert_eq!(times(&read(TIMED).unwrap()), [100_500, 100_500, 90_000, 90_000, 120_000]);
    assert_eq!(times(&read("user,item,ts\n1,1,\n1,2,7\n").unwrap()), [7_000, 7_000], "the first known one before it");
    let ordered = bytes(TIMED.as_bytes(), &Options { order: Order::Time, ..Options::default() }).unwrap();
    assert_eq!(times(&ordered), [90_000, 90_000, 100_500, 120_000]);
    assert_eq!(ordered.events.iter().map(|event| event.item).collect::<Vec<_>>(), [1, 0, 0, 2], "ties as in the file");
    assert_eq!((ordered.counts.dropped, ordered.counts.untimed), (1, 0));
}

#[test]
fn without_any_time_events_are_ten_seconds_apart() {
    for text in ["user,item\n1,1\n1,2\n2,1\n", "user,item,ts\n1,1,\n1,2,\n2,1,\n"] {
        for order in [Order::File, Order::Time] {
            let dataset = bytes(text.as_bytes(), &Options { order, ..Options::default() }).unwrap();
            let times: Vec<_> = dataset.events.iter().map(|event| event.at_ms).collect();
            assert_eq!(times, [1_700_000_000_000, 1_700_000_010_000, 1_700_000_020_000]);
            assert!(!dataset.has_times && dataset.counts.dropped == 0);
        }
    }
}

#[test]
fn a_limit_takes_the_first_events_after_ordering() {
    let take = |order, limit| {
        let options = Options { order, limit: Some(limit), ..Options::default() };
        bytes(TIMED.as_bytes(), &options).unwrap().events.iter().map(|event| event.at_ms).collect::<Vec<_>>()
    };
    assert_eq!(take(Order::File, 2), [100_500, 100_500]);
    assert_eq!(take(Order::Time, 2), [90_000, 90_000]);
    assert_eq!(take(Order::Time, 99).len(), 4);
    assert!(take(Order::File, 0).is_empty() && take(Order::Time, 0).is_empty());
}

#[test]
fn categories_come_from_the_products_file_before_the_last_event() {
    let category = |dataset: &Dataset, id: &str| {
        dataset.products.iter().find(|product| product.id.as_ref() == id).and_then(|product| product.category.clone())
    };
    let dataset = read(TIMED).unwrap();
    assert_eq!(category(&dataset, "a").as_deref(), Some("boots"), "the last one seen");
    assert_eq!((dataset.products.len(), category(&dataset, "c")), (2, None), "nothing is known of c");
    let mut items = tempfile::NamedTempFile::new().unwrap();
    items.write_all(&gzip(b"item,category,colour\na,sandals,red\nb,,blue\nz,scarves,\na,clogs,green\n")).unwrap();
    let options = Options { items: Some(items.path().to_owned()), ..Options::default() };
    let dataset = bytes(TIMED.as_bytes(), &options).unwrap();
    assert_eq!(category(&dataset, "a").as_deref(), Some("clogs"), "the last row of an item");
    assert_eq!(category(&dataset, "b").as_deref(), Some("hats"), "the events', where the file has none");
    assert_eq!(category(&dataset, "z").as_deref(), Some("scarves"));
    assert_eq!(dataset.items.len(), 4, "z is numbered after the items of events");
    let colours: Vec<_> = dataset.products.iter().map(|product| product.attributes.clone()).collect();
    assert_eq!(colours[0], [("colour".to_owned(), "green".to_owned())]);
}

#[test]
fn gzip_is_known_by_its_bytes_and_a_byte_order_mark_is_no_part_of_a_name() {
    assert_eq!(bytes(&gzip(TIMED.as_bytes()), &Options::default()).unwrap().events.len(), 5);
    assert_eq!(read("\u{feff}user,item\n1,2\n").unwrap().events.len(), 1);
}

#[test]
fn an_error_names_file_line_column_what_was_expected_and_what_came() {
    let time = "expected seconds since the epoch (a number from 0 to the year 9999, not milliseconds) or nothing, got";
    let long = "x".repeat(129);
    for (text, expected) in [
        (&b""[..], "f.csv, line 1: expected a header with the columns' names, got an empty file".to_owned()),
        (b"\n\n", "f.csv, line 1: expected a header with the columns' names, got an empty file".to_owned()),
        (
            b"user,item\n",
            "f.csv, line 2: expected at least one row after the header, got the end of the file".to_owned(),
        ),
        (b"who,item\n", "f.csv, line 1: expected a column user or session, got the columns \"who,item\"".to_owned()),
        (b"user,thing\n", "f.csv, line 1: expected a column item, got the columns \"user,thing\"".to_owned()),
        (b"user,item\n1,2\n1\n", "f.csv, line 3: expected 2 fields, as in the header, got 1".to_owned()),
        (b"user,item\n1,\n", "f.csv, line 2, column item: expected an id of 1 to 128 bytes".to_owned()),
        (
            b"user,item\n1,2\n\xff,2\n",
            "f.csv, line 3, column user: expected UTF-8, got bytes that are not UTF-8".to_owned(),
        ),
        (b"us\xffr,item\n", "f.csv, line 1: expected UTF-8, got bytes that are not UTF-8".to_owned()),
        (b"user,item,ts\n1,2,soon\n", format!("f.csv, line 2, column ts: {time} \"soon\"")),
        (b"user,item,ts\n1,2,NaN\n", format!("f.csv, line 2, column ts: {time} \"NaN\"")),
        (b"user,item,ts\n1,2,-1\n", format!("f.csv, line 2, column ts: {time} \"-1\"")),
        (b"user,item,ts\n1,2,inf\n", format!("f.csv, line 2, column ts: {time} \"inf\"")),
        (b"user,item,ts\n1,2,1700000000000\n", format!("f.csv, line 2, column ts: {time} \"1700000000000\"")),
        (
            b"user,item,type\n1,2,look\n",
            "f.csv, line 2, column type: expected one of view, pv, product_view,".to_owned(),
        ),
        (b"user,item,split\n1,2,dev\n", "f.csv, line 2, column split: expected train or test, got \"dev\"".to_owned()),
        (format!("user,item\n1,{long}\n").as_bytes(), "f.csv, line 2, column item: expected an id".to_owned()),
        (b"user,item\n1,\"a\x07\"\n", "f.csv, line 2, column item: expected an id".to_owned()),
    ] {
        let error = bytes(text, &Options::default()).unwrap_err().to_string();
        assert!(error.starts_with(&expected), "{error}\nis not\n{expected}");
        assert!(error.contains(", got ") && error.len() < 500, "{error}");
    }
}

#[test]
fn a_quote_left_open_does_not_read_the_whole_file_into_one_field() {
    let text = format!("user,item\n1,\"{}", "x,1\n".repeat(500_000));
    let error = read(&text).unwrap_err().to_string();
    assert!(
        error.contains("f.csv, line 2") && error.contains("a row of more than 1 MiB (a quote left open?)"),
        "{error}"
    );
    let rows = format!("user,item\n{}", "1,2\n".repeat(600_000));
    assert_eq!(read(&rows).unwrap().events.len(), 600_000, "many rows are no long row");
}

#[test]
fn a_gzip_file_that_breaks_off_says_where_and_is_no_shorter_data_set() {
    let mut rows = "user,item\n".to_owned();
    (0..5_000).for_each(|n| writeln!(rows, "{n},{}", n * 7_919 % 10_007).unwrap());
    let whole = gzip(rows.as_bytes());
    let error = bytes(&whole[..whole.len() / 2], &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("f.csv, line ") && error.contains("whole and readable"), "{error}");
    assert!(bytes(&whole[..12], &Options::default()).is_err());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Dataset::open("/nowhere/f.csv".as_ref(), &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/f.csv: expected a CSV file") && error.contains("No such file"), "{error}");
    let options = Options { items: Some("/nowhere/items.csv".into()), ..Options::default() };
    let error = bytes(TIMED.as_bytes(), &options).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/items.csv: expected"), "{error}");
    assert!(Dataset::open("/".as_ref(), &Options::default()).is_err(), "a folder");
}

proptest! {
    #[test]
    fn no_bytes_panic(raw: Vec<u8>, order: bool, limit: Option<u8>) {
        let options = Options {
            order: if order { Order::Time } else { Order::File },
            limit: limit.map(usize::from),
            ..Options::default()
        };
        let headed = [b"user,item,ts,type,split,category\n", raw.as_slice()].concat();
        let zipped = gzip(&headed);
        for input in [raw.as_slice(), &headed, &gzip(&raw), &zipped, &zipped[..zipped.len() * raw.len() % zipped.len()]] {
            let _ = bytes(input, &options);
        }
        let _ = bytes(&[b"\x1f\x8b", raw.as_slice()].concat(), &options);
    }

    #[test]
    fn no_text_that_looks_like_a_row_panics(
        rows in prop::collection::vec(
            ("[a-c]{0,2}", "[a-c]{0,2}", "-?[0-9]{0,12}(\\.[0-9]{1,3})?|NaN|inf|1e999", "(pv|buy|fav|cart|x)?", "(train|test|dev)?"),
            0..8,
        ),
        order: bool,
    ) {
        let mut text = "user,item,ts,type,split\n".to_owned();
        for (user, item, ts, kind, part) in &rows {
            writeln!(text, "{user},{item},{ts},{kind},{part}").unwrap();
        }
        let options = Options { order: if order { Order::Time } else { Order::File }, ..Options::default() };
        if let Ok(dataset) = bytes(text.as_bytes(), &options) {
            prop_assert_eq!(dataset.events.len() + dataset.counts.dropped, rows.len());
            for event in &dataset.events {
                prop_assert!((event.user as usize) < dataset.users.len() && (event.item as usize) < dataset.items.len());
            }
        }
    }
}
