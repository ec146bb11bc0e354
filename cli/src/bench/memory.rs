//! Memory of processes, as Linux counts it.

use serde::Serialize;

/// A process and the most memory it has held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Peak {
    /// What it is.
    pub(super) name: String,
    /// Its id.
    pub(super) pid: u32,
    /// The most resident memory, in kB; `None`: the system does not say (not Linux, or it has ended).
    pub(super) resident_kb: Option<u64>,
}

/// The peak of process `pid` (`VmHWM` of `/proc/PID/status`).
pub(super) fn peak(name: &str, pid: u32) -> Peak {
    Peak { name: name.to_owned(), pid, resident_kb: kb(pid, "VmHWM:") }
}

/// What process `pid` holds now (`VmRSS`), in MB.
pub(super) fn resident_mb(pid: u32) -> Option<f64> {
    kb(pid, "VmRSS:").map(|kb| kb as f64 / 1024.0)
}

fn kb(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

impl std::fmt::Display for Peak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.resident_kb {
            Some(kb) => write!(f, "{} {:.0} MB", self.name, kb as f64 / 1024.0),
            None => write!(f, "{} ?", self.name),
        }
    }
}
