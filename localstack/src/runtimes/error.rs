//! Why a function has no program.

use std::path::{Path, PathBuf};

/// Why a function has no program, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// It is not where the template says.
    #[error("no program at {}; {hint}", path.display())]
    NoProgram {
        /// Where it was expected.
        path: PathBuf,
        /// What mends it.
        hint: String,
    },
    /// A binary of this workspace is not built.
    #[error("no program at {}; cargo build --bin {binary} makes it", path.display())]
    NotBuilt {
        /// Where it was expected.
        path: PathBuf,
        /// Its name.
        binary: String,
    },
    /// None of a template's functions is built; this is the first.
    #[error("function {function}: {source}")]
    Unbuilt {
        /// Logical id.
        function: String,
        /// Where it was expected.
        source: Box<RuntimeError>,
    },
    /// An interpreter is missing.
    #[error("{program} is not installed; {remedy}")]
    NoInterpreter {
        /// Such as "Python 3.13 (or any python3)".
        program: String,
        /// What installs it.
        remedy: &'static str,
    },
    /// Packages can't be installed.
    #[error("{what}: {message}")]
    Install {
        /// What was tried.
        what: String,
        /// In the installer's words.
        message: String,
    },
    /// A zip file that can't be used.
    #[error("{}: {message}", path.display())]
    Zip {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The system refused something.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// None of a template's functions can run; this is the first.
    #[error("function {function}: {source}")]
    Function {
        /// Logical id.
        function: String,
        /// Why.
        source: Box<RuntimeError>,
    },
}

impl RuntimeError {
    pub(super) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().to_owned(), source }
    }
}
