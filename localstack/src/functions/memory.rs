//! `MemorySize` as a limit: the memory of each process group is read from /proc, and a group above its limit is killed.
//!
//! Why so: `RLIMIT_AS` counts address space, of which Node.js, Java and Go reserve gigabytes that they never touch;
//! `RLIMIT_DATA` counts reserved memory too; a cgroup would be exact, but only a delegated one can be written without root,
//! and a process that shares its own can't delegate it further. What is counted is what a container can't give back:
//! anonymous and shared memory, without the pages of programs and files. Read ten times a second while an invocation or an
//! init phase runs: a function that allocates fast is above its limit for that long. Where there is no /proc, there is no limit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::process::Control;

/// Between two readings.
const TICK: Duration = Duration::from_millis(100);
/// Every so many readings, new members of the groups are looked for.
const LOOK_EVERY: u32 = 5;
/// A report reads anew what was last read longer ago.
const STALE: Duration = Duration::from_secs(1);
const KB: u64 = 1024;
const MB: u64 = 1024 * KB;

/// The memory of one process group.
pub(crate) struct Meter {
    pid: u32,
    limit: u64,
    control: Control,
    busy: AtomicBool,
    peak: AtomicU64,
    exceeded: AtomicBool,
    /// The last reading for a report.
    read_at: Mutex<Option<Instant>>,
}

impl Meter {
    /// Whether it runs something; while it waits it is not read.
    pub(crate) fn busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// It was killed for its memory.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }

    /// The most it has held so far, in MB, as far as it was seen; at least 1.
    pub(crate) fn peak_mb(&self) -> u64 {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Short invocations fall between the readings.
        if read_at.is_none_or(|at| at.elapsed() > STALE) {
            *read_at = Some(Instant::now());
            self.read(used(self.pid));
        }
        self.peak.load(Ordering::Relaxed).div_ceil(MB).max(1)
    }

    fn read(&self, used: u64) {
        self.peak.fetch_max(used.min(self.limit), Ordering::Relaxed);
        if used > self.limit && !self.exceeded.swap(true, Ordering::AcqRel) {
            self.control.kill();
        }
    }
}

type Meters = Arc<Mutex<BTreeMap<u32, Arc<Meter>>>>;

/// Watches all groups from one thread, which ends with its owner.
pub(crate) struct MemoryWatch {
    meters: Meters,
    _ends: mpsc::Sender<()>,
}

impl MemoryWatch {
    pub(crate) fn start() -> std::io::Result<Self> {
        let meters = Meters::default();
        let (ends, owner) = mpsc::channel();
        let watched = Arc::clone(&meters);
        std::thread::Builder::new().name("function-memory".to_owned()).spawn(move || {
            let mut members = BTreeMap::new();
            let mut tick = 0u32;
            while owner.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                watch_once(&watched, &mut members, tick);
                tick = tick.wrapping_add(1);
            }
        })?;
        if !Path::new("/proc/self/status").exists() {
            tracing::warn!("there is no /proc here: MemorySize does not limit the functions' processes");
        }
        Ok(Self { meters, _ends: ends })
    }

    /// Begins to watch the group of `pid`, until that process has ended.
    pub(crate) fn watch(&self, pid: u32, limit_mb: u32, control: Control) -> Arc<Meter> {
        let meter = Arc::new(Meter {
            pid,
            limit: u64::from(limit_mb) * MB,
            control: control.clone(),
            busy: AtomicBool::new(true),
            peak: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
            read_at: Mutex::default(),
        });
        lock(&self.meters).insert(pid, Arc::clone(&meter));
        let meters = Arc::clone(&self.meters);
        tokio::spawn(async move {
            control.exit().await;
            lock(&meters).remove(&pid);
        });
        meter
    }
}

fn lock(meters: &Meters) -> MutexGuard<'_, BTreeMap<u32, Arc<Meter>>> {
    meters.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch_once(meters: &Meters, members: &mut BTreeMap<u32, Vec<u32>>, tick: u32) {
    let busy: BTreeMap<u32, Arc<Meter>> = lock(meters)
        .iter()
        .filter(|(_, meter)| meter.busy.load(Ordering::Relaxed))
        .map(|(pid, meter)| (*pid, Arc::clone(meter)))
        .collect();
    if busy.is_empty() {
        return;
    }
    if tick.is_multiple_of(LOOK_EVERY) {
        *members = groups();
    }
    for (pid, meter) in busy {
        let others = members.get(&pid).into_iter().flatten().filter(|member| **member != pid);
        meter.read(used(pid) + others.map(|member| used(*member)).sum::<u64>());
    }
}

/// The processes of each process group.
fn groups() -> BTreeMap<u32, Vec<u32>> {
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(group) = fs::read_to_string(entry.path().join("stat")).ok().and_then(|stat| group_of(&stat)) {
            groups.entry(group).or_default().push(pid);
        }
    }
    groups
}

/// The process group in a line of /proc/PID/stat: the third field behind the name, which may hold anything.
fn group_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Anonymous and shared memory of a process, in bytes; 0 where it has gone.
fn used(pid: u32) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/status")).map_or(0, |status| held(&status))
}

fn held(status: &str) -> u64 {
    let kilobytes = status.lines().filter_map(|line| {
        let rest = line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("RssShmem:"))?;
        rest.trim().trim_end_matches("kB").trim_end().parse::<u64>().ok()
    });
    kilobytes.sum::<u64>() * KB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says_is_read() {
        assert_eq!(group_of("12 (a) b (c)) S 1 77 70 0 -1 4194304"), Some(77));
        assert_eq!(group_of("nothing"), None);
        assert_eq!(held("VmRSS:\t  900 kB\nRssAnon:\t  100 kB\nRssFile:\t 700 kB\nRssShmem:\t 20 kB\n"), 120 * KB);
    }

    #[test]
    fn the_own_process_is_a_member_of_its_group_and_holds_memory() {
        let pid = std::process::id();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let group = group_of(&stat).unwrap();
        assert!(groups()[&group].contains(&pid));
        assert!(used(pid) > 0);
    }
}
