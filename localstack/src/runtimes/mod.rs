//! What Lambda's managed runtimes bring along: an interpreter, its Runtime API client and a `bootstrap` that starts both.
//!
//! A function in Python or Node.js, and one whose code is a zip file or stands in the template, is made into what a provided
//! runtime is: a folder with an executable `bootstrap`. Everything made lies in the user's cache and is made once.

mod cache;
mod error;
mod node;
mod python;
mod unpack;

use std::path::{Path, PathBuf};

pub use error::RuntimeError;

use crate::template::Stack;
use crate::template::model::{Code, Function, Note, Source};

/// Where things are and where they go.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Environments, unpacked code and bootstraps are kept here.
    pub cache: &'a Path,
    /// Folder of the binaries of [`Code::CargoBinary`]; `None`: something else runs these.
    pub binaries: Option<&'a Path>,
    /// Is told what takes its time.
    pub progress: &'a (dyn Fn(&str) + Send + Sync),
}

/// The functions of `stack`, each with a program that can be started. A function that can't run is taken out of the stack,
/// with a note that says how to mend it; the others run.
///
/// # Errors
/// None of the functions can run: why the first can't.
pub async fn prepare(stack: &mut Stack, around: Surroundings<'_>) -> Result<Vec<Function>, RuntimeError> {
    let mut ready = Vec::new();
    let mut first_error = None;
    let functions: Vec<Function> = stack.functions.values().cloned().collect();
    for function in functions {
        let id = function.logical_id.clone();
        let line = stack.lines.get(&id).copied().unwrap_or(1);
        match code(&function, around).await {
            Ok((code, remark)) => {
                stack.notes.extend(remark.map(|message| Note { resource: id, line, message }));
                ready.push(Function { code, ..function });
            }
            Err(error) => {
                let message = format!("{error}: the function is left out");
                stack.notes.push(Note { resource: id.clone(), line, message });
                stack.functions.remove(&id);
                stack.mappings.retain(|mapping| mapping.function != id);
                let source = Box::new(error);
                first_error.get_or_insert(match *source {
                    RuntimeError::NotBuilt { .. } => RuntimeError::Unbuilt { function: id, source },
                    _ => RuntimeError::Function { function: id, source },
                });
            }
        }
    }
    match first_error {
        Some(error) if ready.is_empty() => Err(error),
        _ => Ok(ready),
    }
}

/// Code that a supervisor can start, and what is worth saying about it.
async fn code(function: &Function, around: Surroundings<'_>) -> Result<(Code, Option<String>), RuntimeError> {
    match &function.code {
        Code::CargoBinary(name) => {
            let path = around.binaries.map(|folder| folder.join(name));
            match path.filter(|path| !path.is_file()) {
                Some(path) => Err(RuntimeError::NotBuilt { path, binary: name.clone() }),
                None => Ok((function.code.clone(), None)),
            }
        }
        Code::Bootstrap(path) => {
            let folder = folder(path, around.cache).await?;
            executable(&folder.join("bootstrap"))?;
            Ok((Code::Bootstrap(folder), None))
        }
        Code::Python { source, version } => {
            let folder = source_folder(source, "index.py", around.cache).await?;
            let file = handler_file(&function.handler);
            found(&folder, &file, &[".py", "/__init__.py"])?;
            let environment = python::environment(&folder, version, around).await?;
            let script = environment.bootstrap(&folder, around.cache);
            let bootstrap = cache::bootstrap(around.cache, &script).await?;
            Ok((Code::Bootstrap(bootstrap), environment.remark()))
        }
        Code::Node { source } => {
            let folder = source_folder(source, node::inline_name(source), around.cache).await?;
            found(&folder, &handler_file(&function.handler), &node::EXTENSIONS)?;
            let script = node::bootstrap(&folder, around.cache).await?;
            let bootstrap = cache::bootstrap(around.cache, &script).await?;
            Ok((Code::Bootstrap(bootstrap), node::remark(&folder)))
        }
    }
}

async fn source_folder(source: &Source, inline_name: &str, cache: &Path) -> Result<PathBuf, RuntimeError> {
    match source {
        Source::Path(path) => folder(path, cache).await,
        Source::Inline(text) => unpack::inline(text, inline_name, cache).await,
    }
}

/// The folder itself, or that of an unpacked zip file; absolute.
async fn folder(path: &Path, cache: &Path) -> Result<PathBuf, RuntimeError> {
    let path = std::path::absolute(path).map_err(RuntimeError::io(path))?;
    if path.is_dir() {
        return Ok(path);
    }
    if path.is_file() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        return unpack::zip(&path, cache).await;
    }
    Err(RuntimeError::NoProgram { path, hint: "CodeUri was expected to be a folder or a zip file".to_owned() })
}

fn executable(path: &Path) -> Result<(), RuntimeError> {
    use std::os::unix::fs::PermissionsExt as _;
    let hint = match std::fs::metadata(path) {
        Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => return Ok(()),
        Ok(_) => "it is not an executable file: chmod +x".to_owned(),
        Err(_) => "build it first, or let CodeUri name the folder that holds it".to_owned(),
    };
    Err(RuntimeError::NoProgram { path: path.to_owned(), hint })
}

/// `src/app` of `src/app.handler`; Python's handlers may have dots instead.
fn handler_file(handler: &str) -> String {
    handler.rsplit_once('.').map_or(handler, |(file, _)| file).to_owned()
}

/// Tells early, and in the template's terms, what would otherwise be an error at the function's start.
fn found(folder: &Path, file: &str, extensions: &[&str]) -> Result<(), RuntimeError> {
    let names = [file.to_owned(), file.replace('.', "/")];
    let is_there =
        |name: &String| extensions.iter().any(|extension| folder.join(format!("{name}{extension}")).is_file());
    if names.iter().any(is_there) {
        return Ok(());
    }
    let hint = format!("Handler names it, with one of {}", extensions.join(", "));
    Err(RuntimeError::NoProgram { path: folder.join(file), hint })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::template::{Settings, parse};

    const TEMPLATE: &str = "Resources:
  Runs: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: runs}}
  Unbuilt:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: nowhere}}
    Properties:
      Runtime: provided.al2023
      CodeUri: unbuilt
      Events:
        K: {Type: SelfManagedKafka, Properties: {KafkaBootstrapServers: ['a:1'], Topics: [t], StartingPosition: LATEST}}
  NotExecutable: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: plain}}
  NoHandler: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, CodeUri: runs, Handler: app.handler}}
";

    async fn prepared(template: &str, folder: &Path) -> (Stack, Result<Vec<Function>, RuntimeError>) {
        for (name, mode) in [("runs", 0o755), ("plain", 0o644)] {
            let file = folder.join(name).join("bootstrap");
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(&file, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut stack = parse(template, folder, &Settings::default()).unwrap();
        let around = Surroundings { cache: &folder.join("cache"), binaries: Some(folder), progress: &|_| {} };
        let ready = prepare(&mut stack, around).await;
        (stack, ready)
    }

    #[tokio::test]
    async fn a_function_that_can_not_run_is_left_out_with_its_triggers_and_the_others_run() {
        let folder = tempfile::tempdir().unwrap();
        let (stack, ready) = prepared(TEMPLATE, folder.path()).await;
        let ready: Vec<String> = ready.unwrap().into_iter().map(|function| function.logical_id).collect();
        assert_eq!((ready, stack.functions.len(), stack.mappings.len()), (vec!["Runs".to_owned()], 1, 0));
        for (resource, line, words) in [
            ("Unbuilt", 8, "cargo build --bin nowhere"),
            ("NotExecutable", 11, "chmod +x"),
            ("NoHandler", 12, "Handler names it, with one of .py"),
        ] {
            let note = stack.notes.iter().find(|note| note.resource == resource).unwrap();
            assert!(note.line == line && note.message.contains(words), "{note:?}");
        }
    }

    #[tokio::test]
    async fn a_template_of_which_nothing_can_run_is_refused_by_the_first_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (_, ready) = prepared(&TEMPLATE.replace("CodeUri: runs", "CodeUri: nowhere"), folder.path()).await;
        let said = ready.unwrap_err().to_string();
        assert!(said.contains("function NoHandler") && said.contains("nowhere"), "{said}");
    }
}
