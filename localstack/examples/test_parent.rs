//! A local cloud in small for the tests: keeps one function busy, prints its process id, and waits to be killed.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use freshet_localstack::functions::{Invoke, Supervisor, SupervisorOptions};
use freshet_localstack::template::model::{Code, Function};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let binaries = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let function = Function {
        logical_id: "F".to_owned(),
        name: "F".to_owned(),
        code: Code::CargoBinary("test_function".to_owned()),
        handler: "bootstrap".to_owned(),
        timeout_s: 300,
        memory_mb: 128,
        environment: BTreeMap::new(),
        reserved_concurrency: None,
    };
    let supervisor =
        Supervisor::start(SupervisorOptions { functions: vec![function], binaries, ..Default::default() })?;
    supervisor.invoke("F", Bytes::from_static(b"{}")).await;
    let busy = supervisor.invoke("F", Bytes::from_static(br#"{"do":"hang"}"#));
    let report = async {
        // The event is with the function by then; nothing can be awaited that says so.
        tokio::time::sleep(Duration::from_millis(200)).await;
        for pid in supervisor.pids("F") {
            println!("{pid}");
        }
    };
    tokio::join!(busy, report);
    Ok(())
}
