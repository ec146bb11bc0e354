//! Whose lines are shown.

/// A person: `neo`, or all whose name begins so: `shopper-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    text: String,
    prefix: bool,
}

impl Filter {
    /// Everybody whom `text` names; a `*` at its end stands for any end.
    pub(crate) fn new(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(start) => Self { text: start.to_owned(), prefix: true },
            None => Self { text: text.to_owned(), prefix: text.is_empty() },
        }
    }

    /// Everybody whose name begins with `text`, while it is still being typed.
    pub(crate) fn typing(text: &str) -> Self {
        Self { text: text.trim_end_matches('*').to_owned(), prefix: true }
    }

    /// Is `user` shown?
    pub(crate) fn shows(&self, user: &str) -> bool {
        if self.prefix { user.starts_with(&self.text) } else { user == self.text }
    }

    /// Is everybody shown?
    pub(crate) fn is_all(&self) -> bool {
        self.prefix && self.text.is_empty()
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new("")
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.text, if self.prefix { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_person_and_a_star_is_any_end() {
        assert!(Filter::default().is_all() && Filter::new("*").is_all() && Filter::default().shows("anybody"));
        assert!(Filter::new("1").shows("1") && !Filter::new("1").shows("12"));
        assert!(Filter::new("shopper-*").shows("shopper-7") && !Filter::new("shopper-*").shows("x"));
        assert!(Filter::typing("sh").shows("shopper-7"));
        assert_eq!((Filter::new("neo").to_string(), Filter::new("n*").to_string()), ("neo".into(), "n*".into()));
    }
}
