//! Figures that can be worked out by hand.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use common::{judge, on, read};
use freshet_evaluation::{
    Accuracy, Bytes, Comparison, Event, NoSplit, Recommender, Request, TOP, Typical, prequential, split,
};

/// Always answers with the same list, and writes down what it is told.
#[derive(Default)]
struct Scripted {
    list: Vec<u32>,
    fallback: usize,
    log: Vec<String>,
}

impl Recommender for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        assert!(list.is_empty(), "the list comes empty");
        self.log.push(format!("?{}{}", request.user, if request.new_only { "n" } else { "" }));
        list.extend(&self.list);
        self.fallback
    }

    fn learn(&mut self, event: &Event) {
        self.log.push(format!("+{}:{}", event.user, event.item));
    }

    fn follow(&mut self, event: &Event) {
        self.log.push(format!("={}:{}", event.user, event.item));
    }

    fn bytes(&self) -> Option<Bytes> {
        Some(Bytes { item: Typical::of(vec![3, 1, 2]), person: Typical::default() })
    }

    fn item_writes(&self) -> Option<f64> {
        Some(2.0)
    }
}

fn scripted(list: &[u32]) -> Scripted {
    Scripted { list: list.to_vec(), ..Scripted::default() }
}

/// Is it the number, but for rounding?
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

// Items are numbered a 0, b 1, c 2, d 3
const TWO_PEOPLE: &str = "user,item\nann,a\nbob,a\nann,b\nbob,c\nann,a\nbob,d\n";

#[test]
fn prequential_predicts_all_but_first_events_and_then_teaches_them() {
    let mut recommender = scripted(&[1, 2, 0]);
    let figures = judge(&read(TWO_PEOPLE).unwrap(), &mut recommender, false);
    assert_eq!(recommender.log.join(" "), "+0:0 +1:0 ?0 +0:1 ?1 +1:2 ?0 +0:0 ?1 +1:3");
    // b is 1st, c is 2nd, a is 3rd, d is missing
    assert_eq!(figures.predictions, 4);
    assert!(near(figures.all.hr20, 0.75) && near(figures.all.mrr20, (1.0 + 0.5 + 1.0 / 3.0) / 4.0), "{figures}");
    assert_eq!(figures.first5000, figures.all);
    let hits = figures.quarters.map(|quarter| (quarter.hr20, near(quarter.mrr20, 1.0 / 3.0)));
    assert_eq!(hits, [(1.0, false), (1.0, false), (1.0, true), (0.0, false)]);
    assert!(near(figures.coverage20, 0.75), "three of a, b, c, d");
}

#[test]
fn new_only_does_not_ask_for_what_was_had() {
    let mut recommender = scripted(&[1, 2, 0]);
    let figures = judge(&read(TWO_PEOPLE).unwrap(), &mut recommender, true);
    assert_eq!(
        recommender.log.join(" "),
        "+0:0 +1:0 ?0n +0:1 ?1n +1:2 +0:0 ?1n +1:3",
        "ann's second a is only learned"
    );
    assert_eq!(figures.predictions, 3);
    assert!(near(figures.all.hr20, 2.0 / 3.0) && near(figures.all.mrr20, 0.5), "{figures}");
}

#[test]
fn split_learns_train_and_then_stands_still() {
    let text = "user,item,split\nann,a,train\ncat,a,test\nann,b,train\nann,c,test\ncat,c,test\ncat,a,test\n";
    let mut recommender = scripted(&[2, 0]);
    let figures = split(&read(text).unwrap(), &mut recommender, false, &mut on).unwrap();
    assert_eq!(recommender.log.join(" "), "+0:0 +0:1 =1:0 ?0 =0:2 ?1 =1:2 ?1 =1:0");
    assert_eq!(figures.predictions, 3);
    assert!(near(figures.all.hr20, 1.0) && near(figures.all.mrr20, (1.0 + 1.0 + 0.5) / 3.0), "{figures}");
    let mut recommender = scripted(&[2, 0]);
    let figures = split(&read(text).unwrap(), &mut recommender, true, &mut on).unwrap();
    assert_eq!(figures.predictions, 2, "cat had a");
}

#[test]
fn split_needs_both_parts() {
    let ask = |text: &str| split(&read(text).unwrap(), &mut scripted(&[]), false, &mut on).unwrap_err();
    assert_eq!(ask("user,item\n1,1\n"), NoSplit::NoColumn);
    assert_eq!(ask("user,item,split\n1,1,train\n"), NoSplit::OneSided { train: 1, test: 0 });
    let error = ask("user,item,split\n1,1,test\n").to_string();
    assert_eq!(error, "expected rows of both train and test, got 0 of train and 1 of test");
}

#[test]
fn only_the_first_twenty_places_count() {
    let mut text = "user,item\n".to_owned();
    (0..25).for_each(|item| writeln!(text, "other,{item}").unwrap());
    text.push_str("ann,0\nann,19\nann,20\n");
    let figures = judge(&read(&text).unwrap(), &mut scripted(&(0..25).collect::<Vec<_>>()), false);
    // The other person's 24 later events are predicted as well: 1 … 19 are hits
    let reciprocal: f64 = (2..=20).map(|rank| 1.0 / f64::from(rank)).sum::<f64>() + 1.0 / 20.0;
    assert_eq!(figures.predictions, 26);
    assert!(near(figures.all.hr20, 20.0 / 26.0) && near(figures.all.mrr20, reciprocal / 26.0), "{figures}");
    assert!(near(figures.coverage20, TOP as f64 / 25.0));
}

#[test]
fn an_answer_that_makes_no_sense_is_counted_as_far_as_it_does() {
    let mut recommender = Scripted { list: vec![9, 9, u32::MAX, 1], fallback: 99, log: Vec::new() };
    let figures = judge(&read(TWO_PEOPLE).unwrap(), &mut recommender, false);
    assert!(
        near(figures.all.hr20, 0.25) && near(figures.all.mrr20, 1.0 / 16.0) && near(figures.filled, 1.0),
        "{figures}"
    );
    let nothing = judge(&read(TWO_PEOPLE).unwrap(), &mut scripted(&[]), false);
    assert_eq!((nothing.all, nothing.coverage20, nothing.filled), (Accuracy::default(), 0.0, 0.0));
}

#[test]
fn without_predictions_no_figure_is_not_a_number() {
    let figures = judge(&read("user,item\n1,1\n2,1\n").unwrap(), &mut scripted(&[0]), false);
    let line = serde_json::to_string(&figures).unwrap();
    assert!(figures.predictions == 0 && !line.contains("null"), "{line}");
}

#[test]
fn a_run_is_stopped_between_two_thousands_with_the_figures_so_far() {
    let text = format!("user,item\n{}", "1,1\n".repeat(2_500));
    let dataset = read(&text).unwrap();
    let mut told = Vec::new();
    let mut progress = |done: u64, total: u64| {
        told.push((done, total));
        if done == 2_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let figures = prequential(&dataset, &mut scripted(&[0]), false, &mut progress);
    assert_eq!((figures.predictions, figures.all.hr20), (1_999, 1.0));
    assert_eq!(told, [(1_000, 2_500), (2_000, 2_500)]);
    let mut told = Vec::new();
    let mut progress = |done: u64, _: u64| {
        told.push(done);
        ControlFlow::Continue(())
    };
    prequential(&dataset, &mut scripted(&[0]), false, &mut progress);
    assert_eq!(told, [1_000, 2_000, 2_500], "the end is told as well");
}

#[test]
fn the_result_line_has_these_names() {
    let figures = judge(&read(TWO_PEOPLE).unwrap(), &mut scripted(&[1]), false);
    let line: serde_json::Value = serde_json::from_str(&serde_json::to_string(&figures).unwrap()).unwrap();
    let names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "hr20 mrr20 first5000 quarters coverage20 filled predictions seconds recommend_us learn_per_s events_per_s item_writes bytes";
    assert_eq!(names.join(" "), expected);
    assert_eq!(line["quarters"].as_array().unwrap().len(), 4);
    assert_eq!(line["first5000"]["hr20"], line["hr20"]);
    assert!(line["recommend_us"]["p99"].as_f64() >= line["recommend_us"]["p50"].as_f64());
    assert_eq!(line["bytes"].to_string(), r#"{"item":2,"person":0,"item_p90":2,"person_p90":0}"#);
}

#[test]
fn tables_are_aligned_and_tell_the_differences_to_the_first() {
    let dataset = read(TWO_PEOPLE).unwrap();
    let mut comparison = Comparison::default();
    comparison.push("long name", judge(&dataset, &mut scripted(&[1]), false));
    comparison.push("é", judge(&dataset, &mut scripted(&[1, 2]), false));
    let table = comparison.to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[2].starts_with("é          0.5000  +0.2500  0.3750  +0.1250"), "{table}");
    let ends: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    assert!(ends.iter().all(|end| *end == ends[0]), "{table}");
    assert_eq!(Comparison::default().to_string().lines().count(), 1);
    let text = judge(&dataset, &mut scripted(&[1]), false).to_string();
    assert!(text.contains("0.2500 / 0.2500") && text.contains("bytes of an item   p50 2, p90 2"), "{text}");
}

/// Takes its time for every answer, and for every lesson.
struct Slow;

impl Recommender for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn recommend(&mut self, _: &Request, _: &mut Vec<u32>) -> usize {
        std::thread::sleep(Duration::from_millis(2));
        0
    }

    fn learn(&mut self, _: &Event) {
        std::thread::sleep(Duration::from_millis(4));
    }

    fn follow(&mut self, _: &Event) {}
}

#[test]
fn times_are_of_the_calls_in_the_units_that_their_names_say() {
    let figures = judge(&read(&format!("user,item\n{}", "1,1\n".repeat(40))).unwrap(), &mut Slow, false);
    let us = figures.recommend_us;
    // A busy machine may make them longer, never shorter
    assert!(us.p50 >= 2_000.0 && us.p50 < 200_000.0 && us.p50 <= us.p90 && us.p90 <= us.p99, "{us:?}");
    assert!(figures.learn_per_s <= 250.0 && figures.learn_per_s > 2.0, "{figures}");
    assert!(figures.events_per_s < figures.learn_per_s && figures.events_per_s > 1.0, "{figures}");
    assert!(figures.seconds >= 0.04 * 4.0 + 0.039 * 2.0 && figures.seconds < 60.0, "{figures}");
}
