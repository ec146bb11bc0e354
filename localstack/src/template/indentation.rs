//! Lines that YAML's letter wants indented further, and the tools that deploy templates don't: those within brackets, braces
//! or quotes, such as a `]` right under its key. There, blanks at a line's beginning mean nothing; so some are added.

use std::borrow::Cow;

use saphyr_parser::ScanError;

/// Blanks that are added at a time.
const STEP: usize = 80;
/// Bytes that may be read anew for one template: a bound on time.
const MAX_READ: usize = 16 * 1024 * 1024;

/// A template's text, mended line by line where its reader fails.
pub(super) struct Indented<'t> {
    text: Cow<'t, str>,
    read: usize,
}

impl<'t> Indented<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), read: 0 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Indents what the reader failed at; false: that is not what is wrong.
    pub(super) fn mend(&mut self, failed: &ScanError) -> bool {
        self.read += self.text.len() + 1024;
        if self.read > MAX_READ {
            return false;
        }
        let line = failed.marker().line();
        let lines = match failed.info() {
            "invalid indentation" | "invalid indentation in flow construct" => Some((line, line)),
            "invalid indentation in quoted scalar" => self.quoted(line, failed.marker().col()),
            _ => None,
        };
        let Some((first, last)) = lines.filter(|(first, last)| first <= last) else { return false };
        let mut mended = String::with_capacity(self.text.len() + STEP * (last - first + 1));
        for (number, line) in (1..).zip(self.text.split_inclusive('\n')) {
            if (first..=last).contains(&number) && !line.trim().is_empty() {
                mended.extend(std::iter::repeat_n(' ', STEP));
            }
            mended.push_str(line);
        }
        self.text = Cow::Owned(mended);
        true
    }

    /// The lines after the one that the quoted text beginning there begins on, up to its end.
    fn quoted(&self, line: usize, column: usize) -> Option<(usize, usize)> {
        let start = self.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
        let mut rest = self.text.get(start..)?.chars().skip(column).peekable();
        let quote = rest.next().filter(|quote| matches!(quote, '"' | '\''))?;
        let mut last = line;
        while let Some(character) = rest.next() {
            match character {
                '\n' => last += 1,
                '\\' if quote == '"' => last += usize::from(rest.next() == Some('\n')),
                // Two of them are one within single quotes.
                '\'' if quote == '\'' && rest.peek() == Some(&'\'') => drop(rest.next()),
                ending if ending == quote => return Some((line + 1, last)),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::template::yaml::parse;

    #[test]
    fn brackets_and_quotes_may_end_right_under_their_key() {
        let text = "a:\n  b: [\n    x,\n  y\n  ]\n  c: {k: [\n1,\n2\n]}\n  d: \"one\ntwo \\\" it''s\n\n three\"\n  e: 'it''s\nfine'\nf: 2\n";
        let document = parse(text).unwrap();
        let root = document.root.json();
        let expected = serde_json::json!({
            "a": {"b": ["x", "y"], "c": {"k": [1, 2]}, "d": "one two \" it''s\nthree", "e": "it's fine"},
            "f": 2,
        });
        assert_eq!(root, expected);
        assert_eq!(document.root.get("f").unwrap().line, 16);
    }

    #[test]
    fn what_is_wrong_in_another_way_stays_an_error_at_its_line() {
        for (text, line) in [("a: 1\n b: 2\n", 2), ("a: [1\nb: 2\n", 2), ("a: 'x\nb: 2\n", 1), ("a: \"x\" y\n", 1)] {
            let said = parse(text).map(|_| ()).unwrap_err().to_string();
            assert!(said.contains(&format!("line {line}")) || said.contains("line 3"), "{text:?}: {said}");
        }
    }
}
