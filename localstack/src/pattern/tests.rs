#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Filter;
use crate::fuzz::{config, json_of};

fn admits(pattern: &Value, value: &Value) -> bool {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Filter::parse(&pattern.to_string()).unwrap().admits(Some(value.as_bytes()))
}

/// A pattern of the field `f`, values of `f` that fit it, and values that don't. `"-"`: the field is missing.
#[test]
fn each_operator() {
    for (pattern, fits, does_not) in [
        (json!(["a"]), json!(["a", ["b", "a"]]), json!(["A", "ab", null, 1, "-", [], {}])),
        (json!([""]), json!([""]), json!(["a", null, "-"])),
        (json!([null]), json!([null]), json!(["", "null", "-", 0])),
        (json!([true, "x"]), json!([true, "x", [true]]), json!([false, "true", "-"])),
        (json!([3]), json!([3, 3.0, 3e0, [1, 3]]), json!([30, "3", "-"])),
        (json!([{"exists": true}]), json!(["", null, 0, false, [1], []]), json!(["-", {"x": 1}])),
        (json!([{"exists": false}]), json!(["-"]), json!(["", null, 0, [1]])),
        (json!([{"prefix": "ab"}]), json!(["ab", "abc", ["x", "ab"]]), json!(["a", "xab", "AB", 1, "-"])),
        (json!([{"prefix": {"equals-ignore-case": "aB"}}]), json!(["ABc", "abc"]), json!(["a", "xab"])),
        (json!([{"suffix": "ab"}]), json!(["ab", "xab"]), json!(["abx", "AB", "-"])),
        (json!([{"suffix": {"equals-ignore-case": ".PNG"}}]), json!(["a.png", "a.Png"]), json!(["png", "a.png "])),
        (json!([{"equals-ignore-case": "Ab"}]), json!(["ab", "AB"]), json!(["abc", "-"])),
        (json!([{"wildcard": "a*c"}]), json!(["ac", "abc", "abcc"]), json!(["a", "abcd", "xac", 1])),
        (json!([{"wildcard": "*x*y*"}]), json!(["xy", "axbyc"]), json!(["yx", "x", ""])),
        (json!([{"wildcard": "ab*ab"}]), json!(["abab", "abxab"]), json!(["ab", "aba"])),
        (json!([{"wildcard": "a\\*\\\\"}]), json!(["a*\\"]), json!(["ab\\"])),
        (json!([{"anything-but": "a"}]), json!(["b", 1, null, ["a", "b"]]), json!(["a", "-", {}])),
        (json!([{"anything-but": ["a", 1]}]), json!(["b", 2]), json!(["a", 1, 1.0, "-"])),
        (json!([{"anything-but": {"prefix": "a"}}]), json!(["b", "ba"]), json!(["a", "ab"])),
        (json!([{"anything-but": {"suffix": ["a", "b"]}}]), json!(["c"]), json!(["xa", "b"])),
        (json!([{"anything-but": {"equals-ignore-case": ["a"]}}]), json!(["b"]), json!(["A"])),
        (json!([{"anything-but": {"wildcard": "*/lib/*"}}]), json!(["/bin/x"]), json!(["/lib/x"])),
        (json!([{"numeric": ["=", 5]}]), json!([5, 5.0]), json!([4, "5", "-"])),
        (json!([{"numeric": [">", 0, "<=", 5]}]), json!([0.1, 5]), json!([0, 5.1, "3", null])),
        (json!([{"numeric": ["<", 0]}, "none"]), json!([-1, "none"]), json!([0, "some"])),
        (json!([{"cidr": "10.0.0.0/24"}]), json!(["10.0.0.0", "10.0.0.255"]), json!(["10.0.1.0", "x", "::1", 10])),
        (json!([{"cidr": "0.0.0.0/0"}]), json!(["1.2.3.4"]), json!(["::1"])),
        (json!([{"cidr": "2001:db8::/32"}]), json!(["2001:db8::1"]), json!(["2001:db9::1"])),
    ] {
        let record = |value: &Value| if value == "-" { json!({"other": 1}) } else { json!({"f": value}) };
        let pattern = json!({"value": {"f": pattern}});
        for value in fits.as_array().unwrap() {
            assert!(admits(&pattern, &record(value)), "{pattern} should fit {value}");
        }
        for value in does_not.as_array().unwrap() {
            assert!(!admits(&pattern, &record(value)), "{pattern} should not fit {value}");
        }
    }
}

#[test]
fn fields_are_joined_by_and_lists_by_or_and_dollar_or_joins_groups() {
    let pattern = json!({"value": {"a": {"b": ["x", "y"]}, "$or": [{"c": [1]}, {"d": [{"exists": true}], "e": [2]}]}});
    let fits = |value: Value| admits(&pattern, &value);
    assert!(fits(json!({"a": {"b": "x"}, "c": 1})));
    assert!(fits(json!({"a": [{"b": "q"}, {"b": "y"}], "d": 0, "e": 2})), "an object in a list");
    assert!(!fits(json!({"a": {"b": "x"}})) && !fits(json!({"a": {"b": "x"}, "d": 0, "e": 3})));
    assert!(!fits(json!({"a": "x", "c": 1})) && !fits(json!({"c": 1})));
    assert!(fits(json!([{"no": 1}, {"a": {"b": "x"}, "c": 1}])), "a list at the top");
}

#[test]
fn plain_text_and_json_do_not_mix() {
    let filter = |pattern: Value| Filter::parse(&pattern.to_string()).unwrap();
    let (text, json) = (filter(json!({"value": [{"prefix": "RED"}]})), filter(json!({"value": {"a": [1]}})));
    assert!(text.admits(Some(b"RED alert")) && !text.admits(Some(b"BLUE")));
    assert!(!text.admits(Some(br#"{"RED": 1}"#)), "JSON against plain text");
    assert!(json.admits(Some(br#"{"a": 1}"#)) && !json.admits(Some(b"a")), "plain text against JSON");
    let anything = filter(json!({}));
    assert!(anything.admits(Some(b"x")) && anything.admits(None));
    for filter in [&text, &json, &anything] {
        assert!(!filter.admits(Some(&[0xff, 0xfe])), "not UTF-8");
    }
    assert!(!text.admits(None) && !json.admits(None));
    assert!(filter(json!({"value": {"a": [{"exists": false}]}})).admits(None), "a tombstone has no fields");
}

#[test]
fn what_is_no_pattern_says_where_and_what_was_expected() {
    for (pattern, words) in [
        ("nonsense", vec!["the pattern", "JSON object"]),
        ("[1]", vec!["the pattern", "JSON object"]),
        (r#"{"key": ["x"]}"#, vec!["key", "timestampType"]),
        (r#"{"value": 1}"#, vec!["value", "object"]),
        (r#"{"value": {}}"#, vec!["value", "at least one field"]),
        (r#"{"value": {"a": []}}"#, vec!["value.a", "at least one"]),
        (r#"{"value": {"a": "x"}}"#, vec!["value.a", "list", "\"x\""]),
        (r#"{"value": {"a": [{"prefix": 1}]}}"#, vec!["value.a.prefix", "text", "1"]),
        (r#"{"value": {"a": [{"like": "x"}]}}"#, vec!["value.a.like", "operator"]),
        (r#"{"value": {"a": [{"prefix": "x", "suffix": "y"}]}}"#, vec!["value.a", "one operator"]),
        (r#"{"value": {"a": [{"numeric": [">"]}]}}"#, vec!["value.a.numeric", "number"]),
        (r#"{"value": {"a": [{"numeric": ["!", 1]}]}}"#, vec!["value.a.numeric", "<="]),
        (r#"{"value": {"a": [{"numeric": [">", 1, "<", 2, "=", 3]}]}}"#, vec!["numeric", "one or two"]),
        (r#"{"value": {"a": [{"exists": "yes"}]}}"#, vec!["value.a.exists", "true or false"]),
        (r#"{"value": {"a": [{"cidr": "10.0.0.0/33"}]}}"#, vec!["value.a.cidr", "addresses"]),
        (r#"{"value": {"a": [{"wildcard": "a**"}]}}"#, vec!["value.a.wildcard", "row"]),
        (r#"{"value": {"a": [{"anything-but": []}]}}"#, vec!["value.a.anything-but", "list"]),
        (r#"{"value": {"$or": [{"a": [1]}]}}"#, vec!["value.$or", "two"]),
        (r#"{"value": {"a": [[1]]}}"#, vec!["value.a", "operator"]),
    ] {
        let said = Filter::parse(pattern).unwrap_err().to_string();
        for word in words {
            assert!(said.contains(word), "{pattern}: {said} lacks {word}");
        }
    }
    assert!(Filter::parse(&format!("{{\"value\": [\"{}\"]}}", "x".repeat(5_000))).is_err());
}

/// Any JSON, operators among it.
fn any_json() -> impl Strategy<Value = Value> {
    json_of(&[
        "value",
        "$or",
        "prefix",
        "suffix",
        "anything-but",
        "numeric",
        "exists",
        "cidr",
        "wildcard",
        "equals-ignore-case",
        "a",
        "=",
        ">",
        "10.0.0.0/8",
        "*a*",
        "\\",
    ])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_pattern_and_no_value_make_it_panic(pattern in any_json(), value in any_json(), bytes in any::<Vec<u8>>()) {
        let patterns = [pattern.to_string(), json!({"value": pattern}).to_string(), json!({"value": {"a": [pattern]}}).to_string()];
        for pattern in patterns {
            if let Ok(filter) = Filter::parse(&pattern) {
                filter.admits(Some(value.to_string().as_bytes()));
                filter.admits(Some(json!({"a": value}).to_string().as_bytes()));
                filter.admits(Some(&bytes));
                filter.admits(None);
            }
        }
        let _ = Filter::parse(&String::from_utf8_lossy(&bytes));
    }
}
