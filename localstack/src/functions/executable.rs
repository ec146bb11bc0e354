//! Whether the system can run a file at all, said before a shell is tried on it: `execvp` hands what it can't read to one.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// As far as an ELF header names its machine.
const HEADER: usize = 20;

/// Why `program` can't be run, where its beginning tells; in the words of `exec`.
pub(crate) fn refused(program: &Path) -> Option<String> {
    let header = header(program)?;
    if header.starts_with(b"#!") || !cfg!(target_os = "linux") {
        return None;
    }
    let Some(machine) = machine(&header) else {
        return Some(
            "exec format error: neither an ELF program nor a script whose first line begins with #!".to_owned(),
        );
    };
    let ours = std::env::current_exe().ok().and_then(|own| self::machine(&self::header(&own)?))?;
    (machine != ours).then(|| {
        let arch = name(machine);
        format!("exec format error: it is built for {arch}, and this machine is {}", std::env::consts::ARCH)
    })
}

fn header(program: &Path) -> Option<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER);
    File::open(program).ok()?.take(HEADER as u64).read_to_end(&mut header).ok()?;
    Some(header)
}

/// `e_machine`, little-endian on everything that Lambda or this runs on.
fn machine(header: &[u8]) -> Option<u16> {
    let bytes = header.strip_prefix(b"\x7fELF")?.get(14..16)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn name(machine: u16) -> String {
    match machine {
        62 => "x86_64".to_owned(),
        183 => "aarch64 (arm64)".to_owned(),
        3 => "x86".to_owned(),
        40 => "arm".to_owned(),
        243 => "riscv".to_owned(),
        other => format!("ELF machine {other}"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_another_machines_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |content: &[u8]| {
            let program = folder.path().join("bootstrap");
            std::fs::write(&program, content).unwrap();
            refused(&program)
        };
        assert_eq!(super::refused(&std::env::current_exe().unwrap()), None);
        assert_eq!(refused(b"#!/bin/sh\n"), None);
        assert!(refused(b"echo hello\n").unwrap().contains("#!"));
        assert!(refused(b"").unwrap().contains("exec format error"));
        let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0";
        assert!(refused(elf).unwrap().contains("built for riscv"));
    }
}
