//! The peers on a data set, beside each other.
//!
//! `cargo run --release -p freshet-evaluation --example peers -- FILE [--items FILE] [--new-only] [--split] [--order ts] [--limit N] [--only NAME]`

use std::io::Write as _;
use std::ops::ControlFlow;
use std::process::ExitCode;

use freshet_evaluation::{Comparison, Dataset, Options, Order, peers, prequential, split};

const USAGE: &str = "usage: peers FILE [--items FILE] [--new-only] [--split] [--order ts] [--limit N] [--only NAME]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
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
    for mut peer in peers::all(&dataset) {
        let name = peer.name().to_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let mut progress = |done: u64, total: u64| {
            eprint!("\r{name} {}%  ", done * 100 / total.max(1));
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
