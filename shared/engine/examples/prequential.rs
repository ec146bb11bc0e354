//! Next-item prediction, prequential: every event is first predicted, then learned, in file order; top 20, repeats count.
//!
//! `cargo run --release -p freshet-engine --example prequential -- sessions.csv [every]`: a CSV with the session in the first and the
//! item in the second column; every n-th event is scored (default 10). Time: 4 s an event, as the file has none.

use std::collections::HashMap;
use std::io::BufRead as _;

use freshet_engine::{
    Catalogue, Config, Engine, EventKind, Inputs, Interaction, Item, Person, Popularity, PopularityShard, Source,
    Strategy,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: prequential FILE.csv [every]")?;
    let every: usize = args.next().map_or(Ok(10), |text| text.parse())?;
    let engine = Engine::new(Config::default());
    let (mut people, mut items): (HashMap<String, Person>, HashMap<String, Item>) = Default::default();
    let mut shard = PopularityShard::default();
    let (mut popularity, catalogue) = (Popularity::default(), Catalogue::default());
    let (mut scored, mut hits, mut reciprocal, mut spent) = (0_u32, 0_u32, 0.0_f64, std::time::Duration::ZERO);
    for (n, line) in std::io::BufReader::new(std::fs::File::open(path)?).lines().skip(1).enumerate() {
        let line = line?;
        let mut fields = line.split(',');
        let (Some(session), Some(item)) = (fields.next(), fields.next()) else { continue };
        let at_ms = 1_700_000_000_000 + n as i64 * 4_000;
        let person = people.entry(session.to_owned()).or_default();
        if n % 1_000 == 0 {
            popularity = Popularity::merge(std::slice::from_ref(&shard));
        }
        if n % every == 0 && person.has_history() {
            let lookup = |id: &str| items.get(id);
            let strategy = Strategy::Hybrid;
            let inputs = Inputs {
                items: &lookup,
                popularity: &popularity,
                catalogue: &catalogue,
                strategy,
                now_ms: at_ms,
                limit: 20,
            };
            let started = std::time::Instant::now();
            let list = engine.recommend(person, &inputs);
            spent += started.elapsed();
            scored += 1;
            if let Some(at) = list.iter().position(|entry| entry.item.as_ref() == item) {
                hits += 1;
                reciprocal += 1.0 / (at + 1) as f64;
            }
        }
        let event = Interaction {
            item: item.into(),
            kind: EventKind::ProductView,
            at_ms,
            event_hash: n as u64,
            source: Source { generation: 0, partition: 0 },
            offset: n as u64,
        };
        for signal in engine.observe(person, &event).signals {
            let model = items.entry(signal.item.to_string()).or_default();
            engine.learn(model, &signal);
            if signal.interest > 0.0 {
                shard.update(&signal.item, None, engine.demand(model));
            }
        }
    }
    let typical = |mut sizes: Vec<usize>| {
        sizes.sort_unstable();
        (sizes.get(sizes.len() / 2).copied(), sizes.get(sizes.len() * 9 / 10).copied())
    };
    println!(
        "predictions {scored}  hr20 {:.4}  mrr20 {:.4}",
        f64::from(hits) / f64::from(scored),
        reciprocal / f64::from(scored)
    );
    println!("recommend {:.1} us a list", spent.as_secs_f64() * 1e6 / f64::from(scored));
    println!("item bytes p50, p90 {:?}", typical(items.values().map(|item| item.encode().len()).collect()));
    println!("person bytes p50, p90 {:?}", typical(people.values().map(|person| person.encode().len()).collect()));
    Ok(())
}
