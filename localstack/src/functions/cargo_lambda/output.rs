//! What the lines of cargo and of cargo-lambda tell of a function. Everything else is the function's own.

use nix::sys::signal::Signal;

use crate::functions::log::LogSource;
use crate::functions::process::name_of;

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Cargo is at work, or waits for another cargo.
    Building,
    /// Cargo hands over to the function.
    Running,
    /// It does not compile.
    Broken(String),
    /// The function has ended by itself; in Lambda's words.
    Ended(String),
}

/// What cargo says first on a line, behind spaces that set it flush right.
const BUILDING: [&str; 6] = ["Compiling", "Blocking", "Downloading", "Downloaded", "Updating", "Locking"];
const OTHER: [&str; 4] = ["Finished", "Fresh", "Adding", "Checking"];
/// Levels of cargo-lambda's own lines.
const LEVELS: [&str; 5] = [" INFO ", "ERROR ", " WARN ", "DEBUG ", "TRACE "];

/// What `line` tells, and who wrote it.
pub(super) fn read(line: &str) -> (Option<News>, LogSource) {
    if let Some(verb) = status(line) {
        let news = match verb {
            "Running" => Some(News::Running),
            verb => BUILDING.contains(&verb).then_some(News::Building),
        };
        return (news, LogSource::Platform);
    }
    if line.starts_with("error: could not compile") || line.starts_with("error: failed to parse manifest") {
        return (Some(News::Broken(line.to_owned())), LogSource::Function);
    }
    if let Some(code) = line.strip_prefix("ERROR command exited code=") {
        return (Some(News::Ended(format!("with error: exit status {}", code.trim()))), LogSource::Platform);
    }
    if let Some(code) = line.strip_prefix("ERROR command killed code=") {
        return (killed(code.trim()).map(News::Ended), LogSource::Platform);
    }
    let own = LEVELS.iter().any(|level| line.starts_with(level));
    (None, if own { LogSource::Platform } else { LogSource::Function })
}

/// The verb of a status line of cargo's. Verbs end in column 12.
fn status(line: &str) -> Option<&str> {
    let said = line.trim_start();
    let (verb, rest) = said.split_once(' ')?;
    let known = verb == "Running" && rest.starts_with('`') || BUILDING.contains(&verb) || OTHER.contains(&verb);
    (known && line.len() - said.len() + verb.len() == 12).then_some(verb)
}

/// `ForceStop` is how cargo-lambda itself ends a function that it builds again.
fn killed(code: &str) -> Option<String> {
    let number = code.strip_prefix("Custom(").and_then(|rest| rest.strip_suffix(')'));
    let signal = match (code, number.and_then(|number| number.parse::<i32>().ok())) {
        ("ForceStop", _) => return None,
        (_, Some(number)) => {
            Signal::try_from(number).map_or_else(|_| code.to_owned(), |signal| name_of(signal).to_owned())
        }
        (named, None) => named.to_ascii_lowercase(),
    };
    Some(format!("with error: signal: {signal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_and_of_cargo_lambda_are_told_from_the_functions_own() {
        use LogSource::{Function, Platform};
        for (line, news, source) in [
            ("   Compiling tiny v0.1.0 (/srv/tiny)", Some(News::Building), Platform),
            ("    Blocking waiting for file lock on artifact directory", Some(News::Building), Platform),
            ("    Finished `dev` profile [unoptimized] target(s) in 0.62s", None, Platform),
            ("     Running `target/debug/one`", Some(News::Running), Platform),
            ("Running `late`", None, Function),
            ("Compiling the list of products", None, Function),
            ("ERROR command exited code=101", Some(News::Ended("with error: exit status 101".to_owned())), Platform),
            (
                "ERROR command killed code=Custom(6)",
                Some(News::Ended("with error: signal: aborted".to_owned())),
                Platform,
            ),
            ("ERROR command killed code=ForceStop", None, Platform),
            (" INFO starting Runtime server runtime_addr=127.0.0.1:9000", None, Platform),
            ("error[E0425]: cannot find value `x` in this scope", None, Function),
            ("", None, Function),
        ] {
            assert_eq!(read(line), (news, source), "{line}");
        }
        let broken = "error: could not compile `tiny` (bin \"one\") due to 1 previous error";
        assert_eq!(read(broken), (Some(News::Broken(broken.to_owned())), Function));
    }
}
