//! What outlives its `cargo lambda watch`: it starts functions and cargo in process groups of their own. All of them have
//! its mark in their environment.

use std::collections::BTreeSet;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The variable that marks them.
pub(super) const MARK: &str = "FRESHET_WATCH";

/// Kills every process that has this mark. Without /proc there is nothing to find them by: idle functions end by themselves
/// then, as soon as their Runtime API is gone.
pub(super) fn kill_all(mark: &str) {
    for pid in marked(mark) {
        if let Ok(pid) = i32::try_from(pid) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The processes with this mark.
pub(super) fn marked(mark: &str) -> BTreeSet<u32> {
    let wanted = format!("{MARK}={mark}");
    let marked = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(marked).collect()
}
