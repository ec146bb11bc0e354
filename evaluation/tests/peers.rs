//! The peers do what their papers say, the same every time.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashSet;
use std::fmt::Write as _;

use common::{judge, on, read};
use freshet_evaluation::peers::{self, History, Popularity, Sr, VmisKnn, VsKnn};
use freshet_evaluation::{Dataset, Recommender, Request, split};

/// Teaches all, then asks for the person.
fn answer(dataset: &Dataset, recommender: &mut dyn Recommender, user: &str, new_only: bool) -> (String, usize) {
    dataset.events.iter().for_each(|event| recommender.learn(event));
    let user = dataset.users.iter().position(|id| id.as_ref() == user).unwrap() as u32;
    let at_ms = dataset.events.last().unwrap().at_ms;
    let mut list = Vec::new();
    let fallback = recommender.recommend(&Request { user, at_ms, new_only }, &mut list);
    (list.iter().map(|item| dataset.items[*item as usize].to_string()).collect::<Vec<_>>().join(" "), fallback)
}

// Items in order of number: a b c d e
const VISITS: &str = "user,item\n1,a\n1,b\n1,c\n2,b\n2,c\n3,d\n3,b\n4,b\n4,e\nann,a\nann,b\n";

#[test]
fn popularity_lists_what_is_popular_and_calls_it_fallback() {
    let dataset = read(VISITS).unwrap();
    let (list, fallback) = answer(&dataset, &mut Popularity::new(&dataset), "ann", false);
    assert_eq!((list.as_str(), fallback), ("b a c e d", 5));
    assert_eq!(answer(&dataset, &mut Popularity::new(&dataset), "ann", true), ("c e d".to_owned(), 3));
}

#[test]
fn history_lists_own_items_by_recency_and_frequency() {
    let dataset = read("user,item\nann,a\nann,b\nann,a\nann,c\nbob,d\nann,e\nann,a\n").unwrap();
    // a .9⁵ … counts 1 + .9³ + …, c .81, e .9, b .9⁴
    let (list, fallback) = answer(&dataset, &mut History::new(&dataset), "ann", false);
    assert_eq!((list.as_str(), fallback), ("a e c b d", 1));
    assert_eq!(answer(&dataset, &mut History::new(&dataset), "ann", true), ("d".to_owned(), 1));
}

#[test]
fn sr_lists_what_followed_the_last_item_then_own_then_popular() {
    let dataset = read(VISITS).unwrap();
    // After b: c twice, e once; own: b, a; popular: d
    let (list, fallback) = answer(&dataset, &mut Sr::new(&dataset), "ann", false);
    assert_eq!((list.as_str(), fallback), ("c e b a d", 1));
    assert_eq!(answer(&dataset, &mut Sr::new(&dataset), "ann", true), ("c e d".to_owned(), 1));
}

#[test]
fn sr_knows_no_transition_from_one_visit_to_the_next() {
    let dataset = read("user,item,ts\nann,a,0\nann,b,1801\nbob,a,1900\n").unwrap();
    assert_eq!(answer(&dataset, &mut Sr::new(&dataset), "bob", false).0, "a b", "own before popular");
    let dataset = read("user,item,ts\nann,a,0\nann,b,1800\nbob,a,1900\n").unwrap();
    assert_eq!(answer(&dataset, &mut Sr::new(&dataset), "bob", false).0, "b a");
}

#[test]
fn v_sknn_scores_as_in_its_paper() {
    let dataset = read(VISITS).unwrap();
    // Ann's a counts 1/2, her b 2/2. Likeness: visit 1 3/2, visits 2, 3, 4 1; their latest shared item is b, one step back.
    // Scores: b 4.5, c 2.5, a 1.5, d 1, e 1
    let (list, fallback) = answer(&dataset, &mut VsKnn::new(&dataset), "ann", false);
    assert_eq!((list.as_str(), fallback), ("b c a d e", 0));
    assert_eq!(answer(&dataset, &mut VsKnn::new(&dataset), "ann", true), ("c d e".to_owned(), 0));
}

#[test]
fn a_neighbour_counts_less_the_longer_ago_the_latest_shared_item_was() {
    let dataset = read("user,item\n1,a\n1,x\n2,a\n2,x\n3,a\n3,x\n4,b\n4,y\nann,a\nann,b\n").unwrap();
    // x: three visits, likeness 1/2, two steps back: .75; y: one visit, likeness 1, one step back
    assert_eq!(answer(&dataset, &mut VsKnn::new(&dataset), "ann", true).0, "y x");
    // x: likeness .9, weight .8, ln 5/3, three visits: 1.10; y: 1 · .9 · ln 5 = 1.45
    assert_eq!(answer(&dataset, &mut VmisKnn::new(&dataset), "ann", true).0, "y x");
}

#[test]
fn vmis_knn_scores_as_in_its_paper() {
    let dataset = read(VISITS).unwrap();
    // Likeness: visit 1 1.9, the others 1, all times .9. ln(visits/frequency): a ln 5/2, b 0, c ln 5/2, d and e ln 5.
    // Scores: c .9 · 2.9 · .916 = 2.39, a .9 · 1.9 · .916 = 1.57, d and e .9 · 1.609 = 1.45; b, worth 0, is own
    let (list, fallback) = answer(&dataset, &mut VmisKnn::new(&dataset), "ann", false);
    assert_eq!((list.as_str(), fallback), ("c a d e b", 0));
}

#[test]
fn the_present_visit_is_no_neighbour_of_itself() {
    let dataset = read("user,item\nann,a\nann,b\nbob,c\n").unwrap();
    for mut peer in [Box::new(VsKnn::new(&dataset)) as Box<dyn Recommender>, Box::new(VmisKnn::new(&dataset))] {
        let (list, fallback) = answer(&dataset, peer.as_mut(), "ann", false);
        assert_eq!((list.as_str(), fallback), ("b a c", 1), "own items by recency; her own visit would say a b");
    }
}

/// People walk around rings of ten items, mostly to the next one; some turn round, some go back to what they had.
fn stream(events: usize, columns: &str) -> String {
    let mut state = 42_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut places: Vec<u64> = (0..40).map(|user| user * 31 % 500).collect();
    let mut text = format!("{columns}\n");
    for n in 0..events {
        let user = draw(40);
        let place = &mut places[user as usize];
        *place = match draw(10) {
            0 => draw(500),
            1 => *place,
            2 => *place / 10 * 10 + draw(10),
            _ => *place / 10 * 10 + (*place + 1) % 10,
        };
        let part = if n * 4 < events * 3 { "train" } else { "test" };
        writeln!(text, "{},{place},{part}", n as u64 / 400 * 40 + user).unwrap();
    }
    text
}

#[test]
fn what_follows_beats_what_is_popular() {
    let dataset = read(&stream(20_000, "user,item,split")).unwrap();
    let popularity = judge(&dataset, &mut Popularity::new(&dataset), false);
    let sr = judge(&dataset, &mut Sr::new(&dataset), false);
    assert!(popularity.all.hr20 < 0.2 && sr.all.hr20 > 0.7 && sr.all.mrr20 > 0.5, "{popularity}\n{sr}");
    for mut peer in [Box::new(VsKnn::new(&dataset)) as Box<dyn Recommender>, Box::new(VmisKnn::new(&dataset))] {
        let figures = judge(&dataset, peer.as_mut(), false);
        assert!(figures.all.hr20 > 0.7, "{} {figures}", peer.name());
    }
}

#[test]
fn two_runs_give_the_same_figures() {
    let dataset = read(&stream(5_000, "user,item,split")).unwrap();
    for new_only in [false, true] {
        for (mut one, mut other) in peers::all(&dataset).into_iter().zip(peers::all(&dataset)) {
            let (a, b) = (judge(&dataset, one.as_mut(), new_only), judge(&dataset, other.as_mut(), new_only));
            assert_eq!(a.without_times(), b.without_times(), "{}", one.name());
            assert!(a.predictions > 0);
        }
        for (mut one, mut other) in peers::all(&dataset).into_iter().zip(peers::all(&dataset)) {
            let a = split(&dataset, one.as_mut(), new_only, &mut on).unwrap();
            let b = split(&dataset, other.as_mut(), new_only, &mut on).unwrap();
            assert_eq!(a.without_times(), b.without_times(), "{}", one.name());
        }
    }
}

/// Stands between the judge and a peer, and looks at every list.
struct Watched {
    peer: Box<dyn Recommender>,
    had: HashSet<(u32, u32)>,
}

impl Recommender for Watched {
    fn name(&self) -> &str {
        self.peer.name()
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        let fallback = self.peer.recommend(request, list);
        let mut once = list.clone();
        once.sort_unstable();
        once.dedup();
        assert!(once.len() == list.len() && list.len() <= 20 && fallback <= list.len(), "{}: {list:?}", self.name());
        let new = list.iter().all(|item| !self.had.contains(&(request.user, *item)));
        assert!(new || !request.new_only, "{}: {list:?}", self.name());
        fallback
    }

    fn learn(&mut self, event: &freshet_evaluation::Event) {
        self.had.insert((event.user, event.item));
        self.peer.learn(event);
    }

    fn follow(&mut self, event: &freshet_evaluation::Event) {
        self.had.insert((event.user, event.item));
        self.peer.follow(event);
    }
}

#[test]
fn lists_hold_no_item_twice_and_with_new_only_none_that_was_had() {
    let dataset = read(&stream(3_000, "user,item,split")).unwrap();
    for new_only in [false, true] {
        for peer in peers::all(&dataset) {
            let mut watched = Watched { peer, had: HashSet::new() };
            judge(&dataset, &mut watched, new_only);
        }
    }
}

#[test]
fn following_moves_the_person_on_and_teaches_nothing() {
    let dataset = read("user,item\n1,a\n1,b\n2,b\n2,c\nann,a\nann,b\nann,d\n").unwrap();
    for mut peer in peers::all(&dataset) {
        let (taught, followed) = dataset.events.split_at(4);
        taught.iter().for_each(|event| peer.learn(event));
        followed.iter().for_each(|event| peer.follow(event));
        let mut list = Vec::new();
        peer.recommend(&Request { user: 2, at_ms: 0, new_only: true }, &mut list);
        assert_eq!(list, [2], "{}: c alone is new to ann", peer.name());
        list.clear();
        peer.recommend(&Request { user: 0, at_ms: 0, new_only: true }, &mut list);
        assert_eq!(list, [2], "{}: d was only followed", peer.name());
    }
}
