//! What functions write, by invocation.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use freshet_localstack::functions::{Call, Invoke as _, LogLine, LogSource, Supervisor};
use serde_json::json;

use crate::support::{self, eventually, function};

type Lines = Arc<Mutex<Vec<(String, Option<String>, LogSource, String)>>>;

/// A supervisor, and what it was given to show.
fn logged() -> (Supervisor, Lines) {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    let mut options = support::options(function("F"));
    options.log_sink = Some(Arc::new(move |line: &LogLine<'_>| {
        let id = line.request_id.map(str::to_owned);
        sink.lock().unwrap().push((line.function.to_owned(), id, line.source, line.text.to_owned()));
    }));
    (Supervisor::start(options).unwrap(), lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_function_writes_before_its_first_event_has_its_name_and_no_request() {
    let (supervisor, lines) = logged();
    let expected = ("stack-F".to_owned(), None, LogSource::Function, "ready as stack-F".to_owned());
    eventually("the line", || lines.lock().unwrap().contains(&expected)).await;
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_belongs_to_its_invocation_between_start_and_report_and_json_is_left_whole() {
    let (supervisor, lines) = logged();
    let long = json!({ "level": "INFO", "message": "x".repeat(50_000) }).to_string();
    for round in 0..50 {
        let event = json!({ "do": "log", "lines": [format!("first of {round}"), long, format!("last of {round}")] });
        let call = Call { payload: Bytes::from(event.to_string()), ..Call::default() };
        let done = supervisor.call("F", call).await;
        let seen = lines.lock().unwrap();
        let of_it: Vec<_> = seen.iter().filter(|(_, id, ..)| id.as_deref() == Some(&*done.request_id)).collect();
        let texts: Vec<&str> = of_it.iter().map(|(.., text)| text.as_str()).collect();
        assert_eq!(texts.len(), 6, "{texts:?}");
        assert_eq!(texts[0], format!("START RequestId: {} Version: $LATEST", done.request_id));
        assert_eq!(texts[1..4], [&format!("first of {round}"), long.as_str(), &format!("last of {round}")]);
        assert_eq!(texts[4], format!("END RequestId: {}", done.request_id));
        assert!(texts[5].starts_with(&format!("REPORT RequestId: {}\tDuration: ", done.request_id)));
        assert_eq!(texts[5].contains("Init Duration: "), round == 0, "{}", texts[5]);
        let tail = String::from_utf8(done.log_tail).unwrap();
        assert!(tail.len() == 4096 && tail.ends_with(&format!("{}\n", texts[5])), "{tail}");
    }
    supervisor.stop().await;
}
