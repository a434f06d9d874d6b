//! What the kernel says of processes, the server's and our own, and of our sockets: `/proc`.

use std::collections::{BTreeMap, HashMap};
use std::fs::{read_dir, read_to_string};
use std::io;
use std::time::Duration;

/// CPU time of a process, thread by thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuTime {
    by_task: HashMap<String, Spent>,
    /// Of all threads, in the kernel's ticks: too coarse for more than the ratio of the two.
    user: u64,
    kernel: u64,
}

#[derive(Debug, Clone)]
struct Spent {
    name: String,
    nanoseconds: u64,
}

impl CpuTime {
    /// As the scheduler counts it; `/proc/<pid>/stat` has only hundredths of a second.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut by_task = HashMap::new();
        for task in read_dir(format!("/proc/{pid}/task"))? {
            let path = task?.path();
            // A thread may end between the two looks.
            let (Ok(name), Ok(text)) = (read_to_string(path.join("comm")), read_to_string(path.join("schedstat")))
            else {
                continue;
            };
            let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or_default();
            let spent = Spent { name: name.trim_end().into(), nanoseconds };
            by_task.insert(path.to_string_lossy().into_owned(), spent);
        }
        let (user, kernel) = ticks(&read_to_string(format!("/proc/{pid}/stat"))?).unwrap_or_default();
        Ok(Self { by_task, user, kernel })
    }

    /// Which share of what was spent since then was spent in the kernel; `None` when hardly anything was.
    pub(crate) fn kernel_share(&self, before: &Self) -> Option<f64> {
        let (user, kernel) = (self.user - before.user, self.kernel - before.kernel);
        (user + kernel > 0).then(|| kernel as f64 / (user + kernel) as f64)
    }

    /// What was spent since then, by the names of threads. Those that have ended meanwhile are left out.
    pub(crate) fn since(&self, before: &Self) -> BTreeMap<String, Duration> {
        let mut by_name = BTreeMap::new();
        for (task, spent) in &self.by_task {
            let earlier = before.by_task.get(task).map_or(0, |spent| spent.nanoseconds);
            let time = Duration::from_nanos(spent.nanoseconds.saturating_sub(earlier));
            *by_name.entry(spent.name.clone()).or_insert(Duration::ZERO) += time;
        }
        by_name
    }
}

/// utime and stime (proc_pid_stat(5)).
fn ticks(stat: &str) -> Option<(u64, u64)> {
    // The name, in parentheses, may have blanks in it.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.nth(11)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Memory of a process in KB: its own, and its part of what it shares.
pub(crate) fn memory(pid: u32) -> io::Result<u64> {
    let text = read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| io::Error::other("/proc tells no memory"))
}

/// Open descriptors of a process.
pub(crate) fn descriptors(pid: u32) -> io::Result<usize> {
    Ok(read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// Datagrams that came for these UDP ports of ours, and were dropped because nobody read them in time.
pub(crate) fn receive_drops(ports: &[u16]) -> io::Result<u64> {
    let mut dropped = drops_in(&read_to_string("/proc/net/udp")?, ports);
    // A kernel without IPv6 has no such file.
    if let Ok(table) = read_to_string("/proc/net/udp6") {
        dropped += drops_in(&table, ports);
    }
    Ok(dropped)
}

fn drops_in(table: &str, ports: &[u16]) -> u64 {
    let drops = table.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_, port) = fields.nth(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        ports.contains(&port).then(|| fields.last().and_then(|field| field.parse::<u64>().ok()))?
    });
    drops.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_those_of_our_ports() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            1: 00000000:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000 12\n\
            2: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000 30\n";
        assert_eq!((drops_in(table, &[8080]), drops_in(table, &[8080, 8081]), drops_in(table, &[9])), (12, 42, 0));
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20";
        assert_eq!(ticks(stat), Some((120, 34)));
        assert_eq!(ticks("7 (a)"), None);
    }

    #[test]
    fn this_process_works_and_has_memory() {
        let before = CpuTime::of(std::process::id()).expect("it lives");
        while CpuTime::of(std::process::id()).expect("it lives").since(&before).values().all(Duration::is_zero) {}
        assert!(memory(std::process::id()).expect("it lives") > 100);
        assert!(descriptors(std::process::id()).expect("it lives") > 2);
    }
}
