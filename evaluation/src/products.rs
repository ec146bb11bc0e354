//! The shop's products from a CSV file: `item` and any attributes.

use std::path::Path;

use freshet_engine::Product;

use crate::table::{DatasetError, Table};

/// Separates the values of an attribute that has several.
const LIST: char = '|';

/// Reads a file of products: id from `item`; category from `category`, `main_category` or else the first column with "category"
/// in its name; price from `price` where it is a number that is not negative; every other text is an attribute, a list such as
/// `red|blue` one attribute a value. Of two rows with one id the last one counts.
pub(crate) fn open(path: &Path) -> Result<Vec<Product>, DatasetError> {
    read(Table::open(path)?)
}

fn read(mut table: Table) -> Result<Vec<Product>, DatasetError> {
    let item = table.need(&["item"])?;
    let price = table.column("price");
    let names: Vec<String> = table.header().iter().map(str::to_owned).collect();
    let category = table
        .column("category")
        .or_else(|| table.column("main_category"))
        .or_else(|| names.iter().position(|name| name.to_ascii_lowercase().contains("category")));
    let mut products = Vec::new();
    while table.next_row()? {
        let mut product = Product {
            id: table.id(item)?.into(),
            name: String::new(),
            category: None,
            price: None,
            attributes: Vec::new(),
            available: true,
        };
        for (column, name) in names.iter().enumerate().filter(|(column, _)| *column != item) {
            let text = table.text(column);
            if text.is_empty() {
                continue;
            }
            if Some(column) == category {
                product.category = Some(text.to_owned());
                continue;
            }
            if Some(column) == price {
                product.price = text.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
                if product.price.is_some() {
                    continue;
                }
            }
            let values = text.split(LIST).map(str::trim).filter(|value| !value.is_empty());
            product.attributes.extend(values.map(|value| (name.clone(), value.to_owned())));
        }
        products.push(product);
    }
    Ok(products)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(text: &'static str) -> Result<Vec<Product>, DatasetError> {
        read(Table::read("items.csv", Box::new(text.as_bytes()))?)
    }

    #[test]
    fn columns_become_category_price_and_attributes() {
        let read = products("item,price,sub_category,colour,size\n1,9.5,shirts,red| blue,\n2,cheap,,,L\n").unwrap();
        assert_eq!((read[0].category.as_deref(), read[0].price), (Some("shirts"), Some(9.5)));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read[0].attributes, [pair("colour", "red"), pair("colour", "blue")]);
        assert_eq!((read[1].category.as_deref(), read[1].price), (None, None));
        assert_eq!(read[1].attributes, [pair("price", "cheap"), pair("size", "L")]);
        let named = products("item,page_category,main_category\n1,a,b\n").unwrap();
        assert_eq!(named[0].category.as_deref(), Some("b"), "the better name wins");
    }

    #[test]
    fn a_price_that_is_no_price_is_a_text() {
        let read = products("item,price\n1,NaN\n2,-1\n3,inf\n").unwrap();
        assert!(read.iter().all(|product| product.price.is_none() && product.attributes.len() == 1));
    }

    #[test]
    fn a_file_without_ids_is_refused() {
        let error = products("colour\nred\n").unwrap_err().to_string();
        assert_eq!(error, "items.csv, line 1: expected a column item, got the columns \"colour\"");
        let error = products("item\n\"\"\n").unwrap_err().to_string();
        assert!(error.contains("items.csv, line 2, column item: expected an id of 1 to 128 bytes"), "{error}");
    }
}
