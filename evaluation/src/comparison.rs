//! Several recommenders beside each other.

use std::fmt::{self, Write as _};

use crate::Figures;

/// A table of recommenders, one a row; from the second row on with the differences to the first.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    rows: Vec<(String, Figures)>,
}

impl Comparison {
    /// Adds a row.
    pub fn push(&mut self, name: impl Into<String>, figures: Figures) {
        self.rows.push((name.into(), figures));
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "",
            "HR@20",
            "",
            "MRR@20",
            "",
            "first 5000",
            "coverage",
            "filled",
            "p50 µs",
            "p99 µs",
            "learn/s",
            "predictions",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        let first = self.rows.first().map(|(_, figures)| figures.all).unwrap_or_default();
        for (n, (name, figures)) in self.rows.iter().enumerate() {
            let difference = |own: f64, other: f64| if n == 0 { String::new() } else { format!("{:+.4}", own - other) };
            lines.push([
                name.clone(),
                format!("{:.4}", figures.all.hr20),
                difference(figures.all.hr20, first.hr20),
                format!("{:.4}", figures.all.mrr20),
                difference(figures.all.mrr20, first.mrr20),
                format!("{:.3}/{:.3}", figures.first5000.hr20, figures.first5000.mrr20),
                format!("{:.3}", figures.coverage20),
                format!("{:.3}", figures.filled),
                format!("{:.1}", figures.recommend_us.p50),
                format!("{:.1}", figures.recommend_us.p99),
                format!("{:.0}", figures.learn_per_s),
                figures.predictions.to_string(),
            ]);
        }
        let mut widths = [0_usize; 12];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (n, line) in lines.iter().enumerate() {
            let [name, cells @ ..] = line;
            let mut text = format!("{name:<0$}", widths[0]);
            for (cell, width) in cells.iter().zip(&widths[1..]) {
                write!(text, "  {cell:>width$}")?;
            }
            f.write_str(text.trim_end())?;
            if n + 1 < lines.len() {
                f.write_str("\n")?;
            }
        }
        Ok(())
    }
}
