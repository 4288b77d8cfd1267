//! The systemd units that start Seaworthy with the machine. Pure text.

use std::path::Path;

/// One unit file.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// The names of all units, in the order in which they are started.
pub(crate) const NAMES: [&str; 2] = ["seaworthy-gateway.service", "seaworthy-agent.service"];

/// What the gateway cannot do without, and no more. It starts nothing but its own worker.
const CONFINED: &str = "\
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
";
/// What needs no privilege, so that it holds for a user's own units too.
const CONFINED_AS_USER: &str = "\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp
SystemCallFilter=~@keyring
SystemCallErrorNumber=EPERM
UMask=0077
";

/// The units for this program and state folder; for one user's own systemd with `user`.
pub(crate) fn units(program: &Path, state: &Path, user: bool) -> [Unit; 2] {
    let (program, state) = (program.to_string_lossy(), state.to_string_lossy());
    let target = if user { "default.target" } else { "multi-user.target" };
    let environment = quoted(&format!("SEAWORTHY_STATE={state}"), false);
    let start = |words: &[&str]| {
        let rest: Vec<String> = words.iter().map(|word| quoted(word, true)).collect();
        format!("{} {} {}", quoted(&program, true), rest.join(" "), quoted(&state, true))
    };
    let confined = if user { CONFINED_AS_USER.to_owned() } else { format!("{CONFINED_AS_USER}{CONFINED}") };
    let gateway = format!(
        "[Unit]
Description=Seaworthy gateway: takes requests for all projects of a state folder
Documentation=man:seaworthy(1)
After=network.target
StartLimitIntervalSec=0

[Service]
ExecStart={}
Environment={environment}
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStopSec=45
LimitNOFILE=65536
{confined}
[Install]
WantedBy={target}
",
        start(&["gateway", "supervise", "--wait", "--state"])
    );
    // It starts instances, which must outlive it and be as free as when a person had started them.
    let after = if user { "" } else { "After=network.target docker.service containerd.service\n" };
    let agent = format!(
        "[Unit]
Description=Seaworthy agent: brings back what should run
Documentation=man:seaworthy(1)
{after}After=seaworthy-gateway.service
StartLimitIntervalSec=0

[Service]
ExecStart={}
Environment={environment}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=45
UMask=0077

[Install]
WantedBy={target}
",
        start(&["agent", "run", "--stay", "--state"])
    );
    let [first, second] = NAMES;
    [Unit { name: first, text: gateway }, Unit { name: second, text: agent }]
}

/// A word as systemd reads it back; in a command, `$` stands for a variable as well.
fn quoted(word: &str, command: bool) -> String {
    let mut text = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if command {
        text = text.replace('$', "$$");
    }
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted() {
        let [_, agent] = units(Path::new("/opt/sea worthy/100%/$a\"b"), Path::new("/srv/a b%"), false);
        assert!(agent.text.contains(
            r#"ExecStart="/opt/sea worthy/100%%/$$a\"b" "agent" "run" "--stay" "--state" "/srv/a b%%""#
        ));
        assert!(agent.text.contains(r#"Environment="SEAWORTHY_STATE=/srv/a b%%""#), "{}", agent.text);
    }
}
