//! `FunctionName` of a request: `name`, `account:function:name` or an ARN, each with `:qualifier` where wanted.

use super::error::ApiError;

/// The longest name that is looked at: the API's own bound for ARNs.
const MAX_NAME: usize = 256;

/// A function as a request names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// Its name alone.
    pub(crate) name: &'a str,
    /// Version or alias.
    pub(crate) qualifier: Option<&'a str>,
}

/// Reads `FunctionName`, and the `Qualifier` parameter beside it.
///
/// # Errors
/// It is none, or names two qualifiers.
pub(crate) fn parse<'a>(text: &'a str, qualifier: Option<&'a str>) -> Result<Asked<'a>, ApiError> {
    let asked = split(text).ok_or_else(|| ApiError::bad_name(text))?;
    match (asked.qualifier, qualifier) {
        (Some(one), Some(other)) if one != other => Err(ApiError::two_qualifiers(one, other)),
        (inside, beside) => Ok(Asked { qualifier: inside.or(beside), ..asked }),
    }
}

fn split(text: &str) -> Option<Asked<'_>> {
    if text.len() > MAX_NAME {
        return None;
    }
    let parts: Vec<&str> = text.split(':').collect();
    let rest = match parts.as_slice() {
        // arn:aws:lambda:region:account:function:name
        ["arn", partition, "lambda", _, account, "function", rest @ ..]
            if partition.starts_with("aws") && is_account(account) =>
        {
            rest
        }
        [account, "function", rest @ ..] if is_account(account) => rest,
        ["function", rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    let named = |name: &str, also: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c) || also.contains(c))
    };
    match rest {
        [name] if named(name, ".") => Some(Asked { name, qualifier: None }),
        [name, qualifier] if named(name, ".") && named(qualifier, "$") => {
            Some(Asked { name, qualifier: Some(qualifier) })
        }
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_three_ways_with_or_without_a_qualifier() {
        for (text, name, qualifier) in [
            ("shop-Api", "shop-Api", None),
            ("shop-Api:$LATEST", "shop-Api", Some("$LATEST")),
            ("function:shop-Api", "shop-Api", None),
            ("function", "function", None),
            ("123456789012:function:shop-Api:live", "shop-Api", Some("live")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:shop-Api", "shop-Api", None),
            ("arn:aws-cn:lambda:cn-north-1:123456789012:function:shop-Api:7", "shop-Api", Some("7")),
        ] {
            assert_eq!(split(text), Some(Asked { name, qualifier }), "{text}");
        }
        for text in ["", "a b", "a:b:c", "arn:aws:s3:::bucket", "12:function:a", "a:", &"a".repeat(300)] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn the_parameter_beside_the_name_must_say_the_same() {
        let qualifier = |name, beside| parse(name, beside).ok().and_then(|asked| asked.qualifier);
        assert_eq!(qualifier("a", Some("live")), Some("live"));
        assert_eq!(qualifier("a:live", Some("live")), Some("live"));
        assert!(parse("a:live", Some("7")).is_err());
    }
}
