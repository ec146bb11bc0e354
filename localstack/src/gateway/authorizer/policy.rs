//! IAM policies in answers of Lambda authorizers, as far as they decide about one invocation of one route.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html>

use serde::Deserialize;

/// The only action that an authorizer decides about.
const INVOKE: &str = "execute-api:Invoke";

/// `policyDocument`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    statement: OneOrMany<Statement>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// What a policy says about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement speaks of it.
    NotAllowed,
}

impl Policy {
    /// Conditions are not evaluated here: a policy with one can't be followed.
    ///
    /// # Errors
    /// What makes it no policy that can be followed.
    pub(crate) fn check(&self) -> Result<(), String> {
        for statement in self.statement.as_slice() {
            if statement.condition.as_ref().is_some_and(|condition| !condition.is_empty()) {
                return Err("policyDocument: conditions are not evaluated here".to_owned());
            }
            if statement.action.is_some() == statement.not_action.is_some() {
                return Err("policyDocument: a statement has either Action or NotAction".to_owned());
            }
            if statement.resource.is_some() == statement.not_resource.is_some() {
                return Err("policyDocument: a statement has either Resource or NotResource".to_owned());
            }
        }
        Ok(())
    }

    /// What it says about the route with this ARN. A denial wins over any permission.
    pub(crate) fn verdict(&self, arn: &str) -> Verdict {
        let speaking = self.statement.as_slice().iter().filter(|statement| statement.speaks_of(arn));
        let mut verdict = Verdict::NotAllowed;
        for statement in speaking {
            match statement.effect {
                Effect::Deny => return Verdict::Denied,
                Effect::Allow => verdict = Verdict::Allowed,
            }
        }
        verdict
    }
}

impl Statement {
    fn speaks_of(&self, arn: &str) -> bool {
        let invoke = INVOKE.to_ascii_lowercase();
        let among = |patterns: &OneOrMany<String>, wanted: &str, lower: bool| {
            patterns.as_slice().iter().any(|pattern| {
                if lower { matches(&pattern.to_ascii_lowercase(), wanted) } else { matches(pattern, wanted) }
            })
        };
        let action = match (&self.action, &self.not_action) {
            (Some(actions), _) => among(actions, &invoke, true),
            (None, Some(actions)) => !among(actions, &invoke, true),
            (None, None) => false,
        };
        action
            && match (&self.resource, &self.not_resource) {
                (Some(resources), _) => among(resources, arn, false),
                (None, Some(resources)) => !among(resources, arn, false),
                (None, None) => false,
            }
    }
}

/// `*` stands for any text, `?` for one character. In linear space and at worst quadratic time.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and what of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:Api/$default/GET/pets/1";

    fn policy(statement: &Value) -> Policy {
        serde_json::from_value(json!({"Version": "2012-10-17", "Statement": statement})).unwrap()
    }

    fn says(effect: &str, resource: &Value) -> Verdict {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
        policy(&statement).verdict(ARN)
    }

    #[test]
    fn resources_match_with_wildcards() {
        for resource in [
            json!("*"),
            json!(ARN),
            json!("arn:aws:execute-api:*:*:Api/*"),
            json!("arn:aws:execute-api:us-east-1:000000000000:Api/$default/*/pets/?"),
            json!(["arn:nobody", "arn:aws:execute-api:*/GET/pets/*"]),
        ] {
            assert_eq!(says("Allow", &resource), Verdict::Allowed, "{resource}");
            assert_eq!(says("Deny", &resource), Verdict::Denied, "{resource}");
        }
        for resource in
            [json!("arn:aws:execute-api:*/POST/*"), json!("*/pets"), json!(""), json!([]), json!("*/pets/??")]
        {
            assert_eq!(says("Allow", &resource), Verdict::NotAllowed, "{resource}");
        }
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        let (allow, deny) = (
            json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
            json!({"Effect": "Deny", "Action": ["EXECUTE-API:invoke"], "Resource": "*/GET/*"}),
        );
        for statements in [json!([allow, deny]), json!([deny, allow])] {
            assert_eq!(policy(&statements).verdict(ARN), Verdict::Denied);
        }
    }

    #[test]
    fn other_actions_say_nothing() {
        let other = json!({"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"});
        assert_eq!(policy(&other).verdict(ARN), Verdict::NotAllowed);
        let all_but = json!({"Effect": "Allow", "NotAction": "s3:*", "NotResource": "*/admin/*"});
        assert_eq!(policy(&all_but).verdict(ARN), Verdict::Allowed);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for statement in [
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"x": true}}}),
            json!({"Effect": "Allow", "Action": "*"}),
            json!({"Effect": "Allow", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}),
        ] {
            assert!(policy(&statement).check().is_err(), "{statement}");
        }
        assert!(serde_json::from_value::<Policy>(json!({"Statement": [{"Effect": "Perhaps"}]})).is_err());
    }

    #[test]
    fn a_pattern_made_of_stars_ends_soon() {
        let begin = std::time::Instant::now();
        assert!(!matches(&"*a".repeat(2_000), &"a".repeat(1_900)));
        assert!(begin.elapsed() < std::time::Duration::from_secs(2));
    }
}
