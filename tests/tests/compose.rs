//! `freshet up --compose`: what Docker is told, and what is said where it fails. The `docker` here only notes its arguments: the
//! containers themselves are tried where there is a Docker.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use freshet_tests::world::binaries;

/// A `docker` that notes what it is told in `folder`, and ends with `status`.
fn docker(folder: &Path, status: u8) {
    let script = format!(
        "#!/bin/sh\necho \"$@\" >>{0}/told\ncat >{0}/file\necho 'as docker says' >&2\ncase $* in *up*) exit {status} ;; esac\n",
        folder.display()
    );
    let program = folder.join("docker");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn up(path: &str) -> Output {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let mut command = Command::new(binaries().unwrap().join("freshet"));
    command.args(["up", "--compose", "--memory", "--no-site", "--port", "0", "--template"]).arg(template);
    command.env("PATH", path).output().unwrap()
}

#[test]
fn without_docker_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = up(&folder.path().display().to_string());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("there is no `docker` here"), "{said}");
}

#[test]
fn what_docker_says_is_shown_and_what_it_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    docker(folder.path(), 1);
    let output = up(&format!("{}:/usr/bin:/bin", folder.path().display()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("as docker says"), "{said}");
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    assert_eq!(told, "compose --file - up --detach --wait\ncompose --file - down\n");
}

#[test]
fn where_the_start_fails_later_the_containers_are_stopped() {
    let folder = tempfile::tempdir().unwrap();
    docker(folder.path(), 0);
    // The containers are not there: no Kafka answers.
    let output = up(&format!("{}:/usr/bin:/bin", folder.path().display()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("127.0.0.1:19092"), "{said}");
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    assert_eq!(told, "compose --file - up --detach --wait\ncompose --file - down\n");
    let file = std::fs::read_to_string(folder.path().join("file")).unwrap();
    assert_eq!(file, include_str!("../../localstack/compose.yaml"), "the file that everybody can read");
}
