//! Why an item is recommended.

use crate::item_id::ItemId;

/// The machine-readable reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// People who viewed the cause went on to it.
    Viewed,
    /// People who bought or wanted the cause wanted it as well.
    BoughtTogether,
    /// Many want it in a category the person looks at.
    PopularInCategory,
    /// The person looked at it before.
    Repeat,
    /// It is like the cause.
    Similar,
    /// Many want it.
    Trending,
}

impl Because {
    const ALL: [Self; 6] =
        [Self::Viewed, Self::BoughtTogether, Self::PopularInCategory, Self::Repeat, Self::Similar, Self::Trending];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewed => "viewed",
            Self::BoughtTogether => "bought_together",
            Self::PopularInCategory => "popular_in_category",
            Self::Repeat => "repeat",
            Self::Similar => "similar",
            Self::Trending => "trending",
        }
    }

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|because| *because == self).unwrap_or(0) as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A reason with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What kind.
    pub because: Because,
    /// The product that caused it, where one did.
    pub item: Option<ItemId>,
}

impl Reason {
    /// The reason in a sentence; `name` gives the display name of an item.
    pub fn sentence(&self, name: impl Fn(&str) -> Option<String>) -> String {
        let cause = self.item.as_deref().map(|id| name(id).unwrap_or_else(|| id.to_owned()));
        match (self.because, cause) {
            (Because::Viewed, Some(cause)) => format!("Because you viewed {cause}"),
            (Because::Viewed, None) => "Because of what you viewed".to_owned(),
            (Because::BoughtTogether, Some(cause)) => format!("Often wanted together with {cause}"),
            (Because::BoughtTogether, None) => "Often wanted together with your choice".to_owned(),
            (Because::PopularInCategory, _) => "Popular in a category you look at".to_owned(),
            (Because::Repeat, _) => "You looked at it before".to_owned(),
            (Because::Similar, Some(cause)) => format!("Similar to {cause}"),
            (Because::Similar, None) => "Similar to what you looked at".to_owned(),
            (Because::Trending, _) => "Popular right now".to_owned(),
        }
    }
}
