//! What is taken from a child before it reads anything: memory, time, and, where the kernel can, every file and every
//! call that a reader has no need of.

use std::collections::BTreeMap;
use std::io;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr};
use rlimit::{Resource, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use super::Task;

/// Bytes that it may write to, of its own: the largest cover, tables of a film's length, decoders, and as much again.
const MEMORY: u64 = 64 << 20;

/// Seconds of a processor, for what is answered at once, and for what is played for hours.
const SECONDS: u64 = 20;
const PLAYING_SECONDS: u64 = 3_600;

/// What a reader needs of the kernel: to read, to write, to have memory, and to end.
const CALLS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Takes it. Limits of memory and time are everywhere; the rest is where the kernel has it.
pub(super) fn confine(task: Task) -> io::Result<()> {
    let seconds = if task == Task::Play { PLAYING_SECONDS } else { SECONDS };
    for (resource, most) in
        [(Resource::DATA, MEMORY), (Resource::CPU, seconds), (Resource::FSIZE, 0), (Resource::CORE, 0)]
    {
        setrlimit(resource, most, most)?;
    }
    // Nobody can be told of an error here, and one who reads without it is still limited as above.
    let _ = leave_files();
    let _ = leave_calls();
    Ok(())
}

/// No file can be opened and no connection made from now on; what is open stays.
fn leave_files() -> Result<(), landlock::RulesetError> {
    let abi = ABI::V5;
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi))?.handle_access(AccessNet::from_all(abi))?;
    ruleset.create()?.restrict_self().map(drop)
}

/// Calls besides those above fail from now on.
fn leave_calls() -> Result<(), seccompiler::Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let rules: BTreeMap<_, _> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter: BpfProgram = SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture)?.try_into()?;
    seccompiler::apply_filter(&filter)
}
