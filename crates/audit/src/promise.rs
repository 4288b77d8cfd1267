//! What `verify` holds against what really runs: a page for each promise, by the name of what breaks it.

use crate::Severity;

/// A promise of a release, by the name of what breaks it. Looking for it needs a running project, so it has no check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Its name.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// Why it matters, as sentences.
    pub why: &'static str,
    /// What to do about it, as sentences.
    pub fix: &'static str,
}

const AGAIN: &str = "`seaworthy restart SERVICE` makes new instances of the release that runs. If it comes back, look for \
                     who changes containers behind Seaworthy's back.";

const fn promise(
    id: &'static str,
    severity: Severity,
    summary: &'static str,
    why: &'static str,
    fix: &'static str,
) -> Promise {
    Promise { id, severity, summary, why, fix }
}

/// All promises, worst first.
pub const PROMISES: &[Promise] = &[
    promise(
        "exposed-secret",
        Severity::Critical,
        "contents of a secret stand where others can read them",
        "A secret as a file is for one process alone. In a label, a variable or the arguments it is shown by `docker inspect`, `ps` and crash reports.",
        "Take it out of there, give the service a new value of the secret, and deploy.",
    ),
    promise(
        "other-artifact",
        Severity::Critical,
        "an instance runs something else than its release pinned",
        "A release is what was tested. An image or a program that was swapped is not, and a rollback would not bring it back.",
        AGAIN,
    ),
    promise(
        "other-user",
        Severity::High,
        "the main process runs as another user than promised",
        "What a break-in may do is what this user may do.",
        "See who the image's entrypoint changes to; then correct `user`, or restart the service.",
    ),
    promise(
        "writable-root",
        Severity::High,
        "the root of an instance takes writes though it was promised read-only",
        "With a read-only root an intruder can leave nothing behind.",
        AGAIN,
    ),
    promise(
        "extra-capability",
        Severity::High,
        "the main process may do more than was promised",
        "Each capability is a part of what root may do; some of them are the way out of the container.",
        AGAIN,
    ),
    promise(
        "privileges-can-grow",
        Severity::High,
        "processes can gain privileges though that was ruled out",
        "A program that carries another user's rights would give them to whoever runs it.",
        AGAIN,
    ),
    promise(
        "unfiltered-system-calls",
        Severity::High,
        "system calls are not filtered",
        "The filter keeps processes from the rare system calls in which flaws of the kernel are found.",
        "See whether somebody switched seccomp off in the engine's configuration; then restart the service.",
    ),
    promise(
        "missing-apparmor-profile",
        Severity::High,
        "no AppArmor profile confines the main process",
        "The engine confines what it runs by a profile, which stops much of what a break-in would try.",
        "See whether the profile is loaded (`aa-status`); then restart the service.",
    ),
    promise(
        "unmeant-port",
        Severity::High,
        "the engine publishes a port that it was not meant to",
        "A port that the engine publishes goes past the gateway, and often past the firewall.",
        AGAIN,
    ),
    promise(
        "other-listener",
        Severity::High,
        "the gateway does not listen on exactly the address promised",
        "On 127.0.0.1 only this machine is let in; on 0.0.0.0 it is everybody.",
        "`seaworthy doctor` looks at the gateway; see with `ss -ltnp` who listens there.",
    ),
    promise(
        "other-route",
        Severity::High,
        "the gateway does not send requests where it was promised",
        "Requests go to the wrong instances, or to none.",
        "`seaworthy deploy` gives the gateway its routes again.",
    ),
    promise(
        "misplaced-secret",
        Severity::High,
        "a secret or config is not where, whose or as it was promised",
        "A secret that lies on a disk is in every backup of it; one that others may read is no secret; one that is missing stops the service at its next start.",
        AGAIN,
    ),
    promise(
        "unhealthy-instance",
        Severity::High,
        "an instance that runs does not answer as it should",
        "It gets requests that it cannot answer, or none at all.",
        "`seaworthy logs SERVICE` tells what it says; `seaworthy restart SERVICE` replaces it.",
    ),
    promise(
        "replica-missing",
        Severity::High,
        "fewer instances run than were promised",
        "What is left has all the load, and with one less there is nothing left.",
        "`seaworthy ps` and `seaworthy events` tell what became of it; `seaworthy deploy` starts it again.",
    ),
    promise(
        "missing-capability",
        Severity::Medium,
        "a capability that was promised is not there",
        "The program will fail when it first needs it.",
        AGAIN,
    ),
    promise(
        "stray-instance",
        Severity::Medium,
        "an instance runs that no release wants",
        "It works on the same data and queues as the others, with older code.",
        "`seaworthy deploy` takes it away.",
    ),
    promise(
        "limit-not-kept",
        Severity::Medium,
        "a limit of memory, processors or processes is not kept",
        "Without it one service can take the whole machine from all others.",
        "See in `seaworthy ps` how limits are kept on this machine; run Seaworthy as root, or on a machine with control groups.",
    ),
    promise(
        "other-restart-policy",
        Severity::Medium,
        "an instance is not started again as promised",
        "After a crash, or a restart of the machine, it stays away.",
        AGAIN,
    ),
    promise(
        "other-network",
        Severity::Medium,
        "an instance is connected to other networks than promised",
        "It does not reach whom it needs, or is reached by those who should not.",
        AGAIN,
    ),
    promise(
        "other-mount",
        Severity::Medium,
        "something else is mounted than was promised",
        "Data is written where nobody looks for it, or a folder of the host stands open.",
        AGAIN,
    ),
    promise(
        "other-ulimit",
        Severity::Low,
        "a limit of the kernel differs from the one promised",
        "The program runs out of files or processes sooner than it was tested for.",
        AGAIN,
    ),
];
