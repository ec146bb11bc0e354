//! Questions and answers, at a terminal or through pipes.

use std::io::{IsTerminal as _, Write as _};

use freshet_events::{EventType, Product};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio_util::sync::CancellationToken;

use super::look::Shown;
use crate::style::{BOLD, DIM, paint};

/// Products that are listed at once.
const LISTED: usize = 50;

/// What people call them.
const ALIASES: [(&str, EventType); 5] = [
    ("view", EventType::ProductView),
    ("cart", EventType::AddToCart),
    ("buy", EventType::Purchase),
    ("click", EventType::RecommendationClick),
    ("shown", EventType::RecommendationView),
];

/// Asks.
pub(crate) struct Console {
    lines: Lines<BufReader<Stdin>>,
    /// Answers are JSON on stdout: everything else goes to stderr.
    json: bool,
    /// What is read does not show by itself.
    echo: bool,
    stop: CancellationToken,
}

impl Console {
    /// Reads stdin.
    pub(crate) fn new(json: bool, stop: CancellationToken) -> Self {
        let lines = BufReader::new(tokio::io::stdin()).lines();
        Self { lines, json, echo: !std::io::stdin().is_terminal(), stop }
    }

    /// Says something to people.
    pub(crate) fn say(&self, text: &str) {
        if self.json {
            anstream::eprintln!("{text}");
        } else {
            anstream::println!("{text}");
        }
    }

    /// The next line, without spaces around it; `None`: there is none any more.
    ///
    /// # Errors
    /// It is no text.
    pub(crate) async fn ask(&mut self, prompt: &str) -> anyhow::Result<Option<String>> {
        let prompt = paint(BOLD, prompt);
        if self.json {
            anstream::eprint!("{prompt} ");
        } else {
            anstream::print!("{prompt} ");
            std::io::stdout().flush()?;
        }
        let line = tokio::select! {
            line = self.lines.next_line() => line?,
            () = self.stop.cancelled() => None,
        };
        match &line {
            // The cursor is still behind the prompt.
            None => self.say(""),
            Some(line) if self.echo => self.say(line.trim()),
            Some(_) => {}
        }
        Ok(line.map(|line| line.trim().to_owned()))
    }
}

/// The kind that `text` names: its number in the menu, its name or the beginning of it, or what people call it.
///
/// # Errors
/// What was expected.
pub(crate) fn kind(text: &str) -> Result<EventType, String> {
    let by_number = text.parse::<usize>().ok().and_then(|number| EventType::ALL.get(number.checked_sub(1)?).copied());
    let begins = || {
        let text = text.to_lowercase().replace([' ', '-'], "_");
        let mut fits = EventType::ALL.into_iter().filter(|kind| !text.is_empty() && kind.as_str().starts_with(&text));
        let first = fits.next()?;
        // `product` is one kind, `recommendation` is two.
        fits.next().is_none().then_some(first)
    };
    let alias = ALIASES.into_iter().find(|(name, _)| *name == text).map(|(_, kind)| kind);
    let found = by_number.or(alias).or_else(begins);
    found.ok_or_else(|| format!("no kind of event is {text:?}: a number from 1 to {}, or a name", EventType::ALL.len()))
}

/// The kinds, numbered.
pub(crate) fn kinds() -> String {
    let numbered = EventType::ALL.into_iter().zip(1..);
    let numbered = numbered.map(|(kind, number)| format!("{} {}", paint(BOLD, number), kind.as_str()));
    format!("  {}", numbered.collect::<Vec<_>>().join("   "))
}

/// What `text` may mean in the catalogue.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// This one.
    One(&'a Product),
    /// One of the list, which the catalogue does not know.
    Listed(&'a str),
    /// One of these.
    Many(Vec<&'a Product>),
    /// The shop has no such product.
    None,
}

/// Looks for a product: by `#3`, the third of the list that is shown; by its id; by a part of its name.
pub(crate) fn find<'a>(products: &'a [Product], shown: Option<&'a Shown>, text: &str) -> Found<'a> {
    let by_id = |id: &str| products.iter().find(|product| product.id == id);
    if let Some(place) = text.strip_prefix('#').and_then(|place| place.parse::<usize>().ok()) {
        let id = shown.and_then(|shown| shown.products.get(place.checked_sub(1)?));
        return id.map_or(Found::None, |id| by_id(id).map_or(Found::Listed(id), Found::One));
    }
    if let Some(product) = by_id(text) {
        return Found::One(product);
    }
    let part = text.to_lowercase();
    let mut named: Vec<&Product> =
        products.iter().filter(|product| product.name.to_lowercase().contains(&part)).collect();
    match named.len() {
        0 => Found::None,
        1 => Found::One(named.remove(0)),
        _ => Found::Many(named),
    }
}

/// Products as a table.
pub(crate) fn table<'a>(products: impl ExactSizeIterator<Item = &'a Product>) -> String {
    use crate::monitor::clean;
    let left = products.len().saturating_sub(LISTED);
    let mut rows: Vec<String> = products
        .take(LISTED)
        .map(|product| {
            let (name, category) = (clean(&product.name, 36), clean(product.category.as_deref().unwrap_or(""), 24));
            let price = clean(product.price.as_deref().unwrap_or(""), 12);
            let columns = [pad(&clean(&product.id, 12), 6), pad(&name, 36), pad(&paint(DIM, &category), 24)];
            format!("  {}", [columns.join("  "), price].join("  ")).trim_end().to_owned()
        })
        .collect();
    if left > 0 {
        rows.push(format!("  … and {left} more: type a part of a name"));
    }
    rows.join("\n")
}

/// `text`, filled up to `columns` on a terminal.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let shown = anstream::adapter::strip_str(text).to_string();
    format!("{text}{}", " ".repeat(columns.saturating_sub(crate::monitor::width(&shown))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn products() -> Vec<Product> {
        [("1", "Smart AI Assistant"), ("2", "Neural Processor"), ("3", "Smart Camera"), ("x y", "日本 Lamp")]
            .map(|(id, name)| Product::from_value(None, &json!({"id": id, "name": name, "price": "$1"})).unwrap())
            .into()
    }

    #[test]
    fn a_kind_is_a_number_a_name_or_the_beginning_of_one() {
        assert_eq!(kind("1"), Ok(EventType::ProductView));
        assert_eq!(kind("purchase"), Ok(EventType::Purchase));
        assert_eq!(kind("Add to"), Ok(EventType::AddToCart));
        assert_eq!((kind("pro"), kind("buy")), (Ok(EventType::ProductView), Ok(EventType::Purchase)));
        assert_eq!(kind("recommendation_view"), Ok(EventType::RecommendationView));
        for wrong in ["0", "7", "", "p", "recommendation", "sell"] {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_product_is_found_by_its_place_its_id_or_a_part_of_its_name() {
        let products = products();
        let shown = Shown::read(&json!({"data": [{"productId": "3"}, {"productId": "gone"}],
            "metadata": {"algorithm": "hybrid"}}));
        let found = |text| find(&products, shown.as_ref(), text);
        assert_eq!(found("#1"), Found::One(&products[2]));
        assert_eq!(found("#2"), Found::Listed("gone"));
        assert_eq!((found("#3"), found("#0")), (Found::None, Found::None));
        assert_eq!(found("2"), Found::One(&products[1]));
        assert_eq!(found("neural"), Found::One(&products[1]));
        assert_eq!(found("smart"), Found::Many(vec![&products[0], &products[2]]));
        assert_eq!(find(&products, None, "#1"), Found::None);
    }

    #[test]
    fn a_table_lines_up_whatever_its_names_and_is_bounded() {
        let products = products();
        let rows = anstream::adapter::strip_str(&table(products.iter())).to_string();
        let places: Vec<usize> =
            rows.lines().map(|row| crate::monitor::width(&row[..row.find('$').unwrap()])).collect();
        assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{rows}");
        let many: Vec<Product> = std::iter::repeat_n(products[0].clone(), 60).collect();
        assert_eq!(table(many.iter()).lines().count(), LISTED + 1);
    }
}
