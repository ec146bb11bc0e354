//! Peak memory of processes, as Linux counts it.

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
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let resident_kb = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    Peak { name: name.to_owned(), pid, resident_kb }
}

impl std::fmt::Display for Peak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.resident_kb {
            Some(kb) => write!(f, "{} {:.0} MB", self.name, kb as f64 / 1024.0),
            None => write!(f, "{} ?", self.name),
        }
    }
}
