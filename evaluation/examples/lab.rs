//! The peers on a data set, beside each other.
//!
//! `cargo run --release -p freshet-evaluation --example peers -- FILE [--items FILE] [--new-only] [--split] [--order ts] [--limit N] [--only NAME]`

use std::io::Write as _;
use std::ops::ControlFlow;

use freshet_evaluation::{Comparison, Dataset, Options, Order, prequential, split};

const USAGE: &str = "usage: peers FILE [--items FILE] [--new-only] [--split] [--order ts] [--limit N] [--only NAME]";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let (mut file, mut only, mut new_only, mut splits) = (None, None, false, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--items" => options.items = Some(args.next().ok_or(USAGE)?.into()),
            "--new-only" => new_only = true,
            "--split" => splits = true,
            "--order" => match args.next().as_deref() {
                Some("ts") => options.order = Order::Time,
                Some("file") => options.order = Order::File,
                _ => return Err(USAGE.into()),
            },
            "--limit" => options.limit = Some(args.next().ok_or(USAGE)?.parse()?),
            "--only" => only = Some(args.next().ok_or(USAGE)?),
            _ if arg.starts_with("--") || file.is_some() => return Err(USAGE.into()),
            _ => file = Some(arg),
        }
    }
    let dataset = Dataset::open(file.ok_or(USAGE)?.as_ref(), &options)?;
    let (users, items, events) = (dataset.users.len(), dataset.items.len(), dataset.events.len());
    println!("{events} events, {users} people, {items} items, {:?}", dataset.counts);
    let mut comparison = Comparison::default();
    for mut peer in vec![Box::new(freshet_evaluation::Freshet::new(&dataset, config(), freshet_engine::Strategy::Hybrid)) as Box<dyn freshet_evaluation::Recommender>] {
        let name = peer.name().to_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let mut progress = |done: u64, total: u64| {
            let _ = (done,total,&name);
            let _ = std::io::stderr().flush();
            ControlFlow::Continue(())
        };
        let figures = if splits {
            split(&dataset, peer.as_mut(), new_only, &mut progress)?
        } else {
            prequential(&dataset, peer.as_mut(), new_only, &mut progress)
        };
        eprint!("\r");
        println!("{}", serde_json::to_string(&figures)?);
        comparison.push(name, figures);
    }
    println!("{comparison}");
    Ok(())
}

fn config() -> freshet_engine::Config {
    let mut config = freshet_engine::Config::default();
    let get = |name: &str| std::env::var(name).ok();
    if let Some(v) = get("NB") { config.neighbours = v.parse().unwrap(); }
    if let Some(v) = get("STEPS") { config.context_steps = v.parse().unwrap(); }
    if let Some(v) = get("CTX") { config.context_items = v.parse().unwrap(); }
    if let Some(v) = get("BR") { config.bridges = v.parse().unwrap(); }
    if let Some(v) = get("LR") { config.learning_rate = v.parse().unwrap(); }
    if let Some(v) = get("HL") { config.half_life_ms = v.parse::<i64>().unwrap() * 86_400_000; }
    if let Some(v) = get("THL") { config.trend_half_life_ms = v.parse::<i64>().unwrap() * 3_600_000; }
    config
}
