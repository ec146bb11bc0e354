//! The table of semantics, README.md, names the tests that there are.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("README.md");

/// The tests of a file: plain ones, and the rows of a macro's table.
fn tests(file: &str, source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut is_next, mut in_rows) = (false, false);
    for line in source.lines() {
        let name = if is_next {
            line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')).map(|(name, _)| name)
        } else if in_rows {
            line.strip_prefix("    ")
                .filter(|row| !row.starts_with(' '))
                .and_then(|row| row.split_once(':'))
                .map(|(name, _)| name)
        } else {
            None
        };
        found.extend(name.map(|name| format!("{file}::{name}")));
        is_next = line == "#[test]";
        in_rows = (in_rows && line != "}") || line.ends_with("! {") && !line.starts_with("macro_rules");
    }
    found
}

#[test]
fn every_fact_has_its_test_and_every_test_its_fact() {
    let files = [
        ("answers", include_str!("answers.rs")),
        ("batches", include_str!("batches.rs")),
        ("event", include_str!("event.rs")),
        ("filters", include_str!("filters.rs")),
        ("given_up", include_str!("given_up.rs")),
        ("killed", include_str!("killed.rs")),
        ("outages", include_str!("outages.rs")),
        ("positions", include_str!("positions.rs")),
        ("retries", include_str!("retries.rs")),
        ("scaling", include_str!("scaling.rs")),
        ("settings", include_str!("settings.rs")),
        ("state", include_str!("state.rs")),
    ];
    let there: BTreeSet<String> = files.iter().flat_map(|(file, source)| tests(file, source)).collect();
    let row = |line: &str| Some(line.strip_suffix("` |")?.rsplit_once('`')?.1.to_owned());
    let told: BTreeSet<String> = TABLE.lines().filter_map(row).collect();
    assert_eq!(told, there);
    assert!(there.len() >= 80);
}
