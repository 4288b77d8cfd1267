//! The search keeps what is needed and nothing else, against a service that is made up.

use super::*;

/// A service that needs certain rights, and tells or does not tell what it misses.
#[derive(Default)]
struct Needs {
    capabilities: BTreeSet<String>,
    folders: BTreeSet<String>,
    /// Folders that break it when something is mounted over them.
    brittle: BTreeSet<String>,
    gains: bool,
    only_root: bool,
    silent: bool,
    /// A capability it needs only after a while.
    late: Option<String>,
    tries: usize,
}

#[async_trait]
impl Bench for Needs {
    async fn attempt(&mut self, rights: &Rights, _: &str, thorough: bool) -> Result<Attempt, ProveError> {
        self.tries += 1;
        let mut log: Vec<String> = Vec::new();
        if self.gains && rights.no_new_privileges {
            log.push("sudo: cannot".to_owned());
        }
        if self.only_root && rights.user.is_some() {
            log.push("must be root".to_owned());
        }
        if let (Some(kept), None) = (&rights.capabilities, &rights.user) {
            for missing in self.capabilities.difference(kept) {
                let late = self.late.as_ref() == Some(missing) && !thorough;
                if !late {
                    log.push(format!("{}: Operation not permitted", missing.to_ascii_lowercase()));
                }
            }
        }
        if let Some(writable) = &rights.writable {
            log.extend(
                self.folders
                    .difference(writable)
                    .map(|folder| format!("open {folder}/x: Read-only file system")),
            );
            log.extend(self.brittle.intersection(writable).map(|folder| format!("{folder} is empty")));
        }
        if log.is_empty() {
            return Ok(Attempt::default());
        }
        let shown = if self.silent { Vec::new() } else { log };
        Ok(Attempt {
            symptom: Some(Symptom::new("it ended with exit code 1", &shown)),
            log: shown,
            unexplained: false,
        })
    }
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn found(needs: &mut Needs, clues: &Clues) -> Proof {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(search(needs, clues)).unwrap()
}

#[test]
fn what_needs_nothing_is_proven_in_two_tries() {
    let mut needs = Needs::default();
    let proof = found(&mut needs, &Clues::default());
    assert_eq!(proof.rights.to_string(), "no new privileges, no capability, read-only");
    assert_eq!(needs.tries, 2);
    assert!(proof.dropped.is_empty() && proof.needed.is_empty());
}

#[test]
fn exactly_what_is_needed_is_kept_whether_the_log_tells_or_not() {
    for silent in [false, true] {
        let capabilities = set(&["CHOWN", "SETUID", "KILL"]);
        let folders = set(&["/run", "/var/cache/app"]);
        let mut needs = Needs {
            capabilities: capabilities.clone(),
            folders: folders.clone(),
            silent,
            ..Needs::default()
        };
        let clues = Clues {
            new_folders: set(&["/run", "/var/cache/app"]),
            old_folders: set(&["/etc"]),
            known_capabilities: set(&["CHOWN", "DAC_OVERRIDE"]),
            ..Clues::default()
        };
        let proof = found(&mut needs, &clues);
        assert_eq!(proof.rights.capabilities, Some(capabilities));
        assert_eq!(proof.rights.writable, Some(folders));
        let named: Vec<&str> = proof.needed.keys().map(String::as_str).collect();
        assert_eq!(named, ["/run", "/var/cache/app", "CHOWN", "KILL", "SETUID"]);
        assert!(needs.tries < 30, "{} tries", needs.tries);
    }
}

#[test]
fn the_users_own_capabilities_may_be_among_those_it_needs() {
    let mut needs = Needs { capabilities: set(&["NET_ADMIN"]), silent: true, ..Needs::default() };
    let proof = found(&mut needs, &Clues { given: set(&["NET_ADMIN", "SYS_TIME"]), ..Clues::default() });
    assert_eq!(proof.rights.capabilities, Some(set(&["NET_ADMIN"])));
}

#[test]
fn its_own_user_needs_no_capability() {
    let mut needs = Needs { capabilities: set(&["SETUID"]), folders: set(&["/run"]), ..Needs::default() };
    let clues = Clues { user: Some("999:999".to_owned()), new_folders: set(&["/run"]), ..Clues::default() };
    let proof = found(&mut needs, &clues);
    assert_eq!(
        proof.rights.to_string(),
        "user 999:999, no new privileges, no capability, read-only but for /run"
    );
}

#[test]
fn what_does_not_work_is_dropped_with_its_symptom() {
    let mut needs = Needs {
        gains: true,
        only_root: true,
        capabilities: set(&["SETGID"]),
        folders: set(&["/odd"]),
        brittle: set(&["/odd"]),
        ..Needs::default()
    };
    let proof = found(&mut needs, &Clues { user: Some("5:5".to_owned()), ..Clues::default() });
    let dropped: Vec<&str> = proof.dropped.keys().copied().collect();
    assert_eq!(dropped, [NO_NEW_PRIVILEGES, READ_ONLY, USER]);
    assert_eq!(proof.rights.to_string(), "capabilities SETGID");
    assert!(proof.dropped[NO_NEW_PRIVILEGES].to_string().contains("sudo: cannot"));
}

#[test]
fn a_folder_that_must_not_be_hidden_is_left_as_it_is() {
    let mut needs =
        Needs { folders: set(&["/run"]), brittle: set(&["/etc"]), silent: true, ..Needs::default() };
    let clues = Clues { new_folders: set(&["/run"]), old_folders: set(&["/etc"]), ..Clues::default() };
    assert_eq!(found(&mut needs, &clues).rights.writable, Some(set(&["/run"])));
}

#[test]
fn what_shows_late_is_found_by_the_thorough_round() {
    let late = Some("KILL".to_owned());
    let mut needs = Needs { capabilities: set(&["KILL"]), late, ..Needs::default() };
    assert_eq!(found(&mut needs, &Clues::default()).rights.capabilities, Some(set(&["KILL"])));
}

#[test]
fn folders_within_others_are_not_named() {
    assert_eq!(without_nested(&set(&["/run", "/run/app", "/running"])), set(&["/run", "/running"]));
    let seen = set(&["/run/app"]);
    let seen = seen.iter().collect();
    assert_eq!(folder_of("/var/run/app", &seen, &[]), "/run/app");
    assert_eq!(folder_of("/var/log/x.log", &seen, &[]), "/var/log");
    let log = ["mkdir: cannot create directory '/srv/new'".to_owned()];
    assert_eq!(folder_of("/srv/new", &seen, &log), "/srv/new");
}
