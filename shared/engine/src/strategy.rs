//! The strategies, and how persons are dealt to them.

/// How a list is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// From what people did one after the other.
    Collaborative,
    /// From what products are.
    ContentBased,
    /// From both.
    Hybrid,
}

impl Strategy {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Collaborative, Self::ContentBased, Self::Hybrid];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collaborative => "collaborative",
            Self::ContentBased => "content_based",
            Self::Hybrid => "hybrid",
        }
    }
}

/// A name that is no strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strategy: expected collaborative, content_based or hybrid, got {0:?}")]
pub struct UnknownStrategy(String);

impl std::str::FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == name).ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}

/// Deals persons to strategies: a salted hash decides, so that a person stays where she is until the salt changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Another salt deals anew.
    pub salt: String,
    /// Strategies with their shares, of any sum.
    pub shares: Vec<(Strategy, u32)>,
}

impl Split {
    /// The strategy of a person; hybrid where nothing has a share.
    pub fn strategy_of(&self, user_id: &str) -> Strategy {
        let total: u64 = self.shares.iter().map(|(_, share)| u64::from(*share)).sum();
        if total == 0 {
            return Strategy::Hybrid;
        }
        let mut drawn = xxhash_rust::xxh3::xxh3_64(format!("{}/{user_id}", self.salt).as_bytes()) % total;
        for (strategy, share) in &self.shares {
            if drawn < u64::from(*share) {
                return *strategy;
            }
            drawn -= u64::from(*share);
        }
        Strategy::Hybrid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_sticky_and_keeps_its_proportions() {
        let split = Split { salt: "s".into(), shares: vec![(Strategy::Collaborative, 1), (Strategy::Hybrid, 3)] };
        let hybrid = (0..10_000).filter(|n| split.strategy_of(&n.to_string()) == Strategy::Hybrid).count();
        assert!((7_300..7_700).contains(&hybrid), "{hybrid} of 10,000 for a share of 3/4");
        assert_eq!(split.strategy_of("a"), split.strategy_of("a"));
        let other = Split { salt: "t".into(), ..split.clone() };
        assert!((0..100).any(|n| split.strategy_of(&n.to_string()) != other.strategy_of(&n.to_string())));
    }

    #[test]
    fn an_unknown_name_is_refused_with_what_was_expected() {
        let error = "magic".parse::<Strategy>().unwrap_err().to_string();
        assert!(error.contains("collaborative") && error.contains("magic"), "{error}");
    }
}
