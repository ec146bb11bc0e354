//! What others wrote, made fit for a terminal: no control, no direction, no length can disturb a line.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Marks on one letter at the most.
const MAX_MARKS: usize = 2;
/// Characters that are looked at: the rest of a text of any size costs nothing.
const MAX_CHARS: usize = 4_096;

/// `text` without what moves the cursor, changes direction, joins or hides; at most `columns` wide, `…` where it was cut.
pub(crate) fn clean(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let (mut width, mut marks, mut read) = (0, 0, 0);
    // Where a cut leaves room for the `…`.
    let mut cut_at = 0;
    for c in text.chars() {
        read += 1;
        let c = match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_unseen(c) => continue,
            c => c,
        };
        let columns_of = c.width().unwrap_or(0);
        if columns_of == 0 {
            marks += 1;
            if marks > MAX_MARKS || out.is_empty() {
                continue;
            }
        } else {
            marks = 0;
            // One space stands for many.
            if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
                continue;
            }
        }
        if width + columns_of > columns || read > MAX_CHARS {
            out.truncate(cut_at);
            if columns > 0 {
                out.push('…');
            }
            return out;
        }
        width += columns_of;
        out.push(c);
        if width < columns {
            cut_at = out.len();
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// As [`clean`], without a copy where nothing is wrong with it.
pub(crate) fn cleaned(text: &str, columns: usize) -> Cow<'_, str> {
    let plain = text.len() <= columns && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if plain { Cow::Borrowed(text) } else { Cow::Owned(clean(text, columns)) }
}

/// Controls (C0, C1), directions, joiners, variation selectors, tags, and what else has no look of its own.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_turns_a_line_around_is_left() {
        assert_eq!(clean("\u{1b}[2J\u{1b}]0;owned\u{7}Lamp\r\n\t\u{9b}31m red", 80), "[2J]0;ownedLamp 31m red");
        assert_eq!(clean("abc\u{202e}gpj.exe\u{2066}x\u{200f}", 80), "abcgpj.exex");
        assert_eq!(clean("👩\u{200d}💻\u{fe0f} ok 👍🏽", 80), "👩💻 ok 👍");
        assert_eq!(clean(&format!("z{}", "\u{301}".repeat(500)), 80), "z\u{301}\u{301}");
        assert_eq!(clean("שלום", 80), "שלום");
        assert_eq!(clean("\u{301}\u{200b} ", 80), "");
    }

    #[test]
    fn a_text_is_cut_to_its_columns_whatever_its_letters() {
        assert_eq!(clean("Smart AI Assistant", 8), "Smart A…");
        assert_eq!(clean("Smart AI", 8), "Smart AI");
        assert_eq!(clean("日本語のテキスト", 7), "日本語…");
        assert_eq!(clean("日本語", 1), "…");
        assert_eq!(clean("abc", 0), "");
        let long = clean(&"x".repeat(10_240), 40);
        assert_eq!((width(&long), long.chars().last()), (40, Some('…')));
        assert!(clean(&"\u{200b}".repeat(100_000), 40).is_empty());
        for columns in 0..20 {
            assert!(width(&clean("a日b本c👍d語e\u{301}f", columns)) <= columns, "{columns}");
        }
    }
}
