//! The search for the fewest rights with which a service stays healthy.
//!
//! A service needs certain rights and is healthy with every set that holds them, so taking one away at a time finds
//! exactly those. What the log of a failure says only makes the way shorter.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::Serialize;

use super::ProveError;
use super::rights::{DEFAULT_CAPABILITIES, RARE_CAPABILITIES, Rights};
use super::symptom::{Symptom, refused_paths, suspects};

/// Where a read-only root is given up: a service that writes to so many places is not made for it.
const MOST_ROUNDS: usize = 12;

/// Runs a service with certain rights.
#[async_trait]
pub(super) trait Bench: Send {
    /// Runs it once. `what` says for people what is tried; `thorough` lets it stay healthy for its whole time.
    async fn attempt(&mut self, rights: &Rights, what: &str, thorough: bool) -> Result<Attempt, ProveError>;
}

/// How a try went.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempt {
    /// Why it failed; `None` when it stayed healthy.
    pub(super) symptom: Option<Symptom>,
    /// The last lines of its log.
    pub(super) log: Vec<String>,
    /// It failed, and nothing says that it was denied anything: a busy machine does that, too.
    pub(super) unexplained: bool,
}

/// What is known before the search.
#[derive(Debug, Clone, Default)]
pub(super) struct Clues {
    /// The user it changes to by itself, as `uid:gid`.
    pub(super) user: Option<String>,
    /// Folders that it wrote to without hardening: those that were not there before, and the others.
    pub(super) new_folders: BTreeSet<String>,
    pub(super) old_folders: BTreeSet<String>,
    /// Folders and capabilities that its image is known to need.
    pub(super) known_folders: BTreeSet<String>,
    pub(super) known_capabilities: BTreeSet<String>,
    /// Capabilities that the file gives it.
    pub(super) given: BTreeSet<String>,
}

/// What a search found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    /// What it is healthy with.
    pub rights: Rights,
    /// How each kept capability and folder showed that it is needed.
    pub needed: BTreeMap<String, Symptom>,
    /// Settings with which it did not stay healthy, and how that showed.
    pub dropped: BTreeMap<&'static str, Symptom>,
}

/// The names of the settings, as the rules of the audit call them.
pub(super) const USER: &str = "user";
pub(super) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";
pub(super) const READ_ONLY: &str = "read_only";
pub(super) const CAP_DROP: &str = "cap_drop";

/// Finds the fewest rights. A set that holds only for a moment is searched for again, each try for its whole time.
///
/// # Errors
/// When the engine fails, or somebody wishes to stop.
pub(super) async fn search(bench: &mut dyn Bench, clues: &Clues) -> Result<Proof, ProveError> {
    let mut quick = Search::new(bench, clues, false);
    quick.all().await?;
    let proof = quick.proof;
    let whole = bench.attempt(&proof.rights, "all that is kept, for its whole time", true).await?;
    if whole.symptom.is_none() {
        return Ok(proof);
    }
    let mut slow = Search::new(bench, clues, true);
    slow.all().await?;
    Ok(slow.proof)
}

struct Search<'a> {
    bench: &'a mut dyn Bench,
    clues: &'a Clues,
    proof: Proof,
    thorough: bool,
    /// What was tried is not tried again.
    done: BTreeMap<Rights, Attempt>,
}

impl<'a> Search<'a> {
    fn new(bench: &'a mut dyn Bench, clues: &'a Clues, thorough: bool) -> Self {
        Self { bench, clues, proof: Proof::default(), thorough, done: BTreeMap::new() }
    }

    async fn attempt(&mut self, rights: &Rights, what: &str) -> Result<Attempt, ProveError> {
        if let Some(known) = self.done.get(rights) {
            return Ok(known.clone());
        }
        let attempt = self.bench.attempt(rights, what, self.thorough).await?;
        self.done.insert(rights.clone(), attempt.clone());
        Ok(attempt)
    }

    async fn all(&mut self) -> Result<(), ProveError> {
        let tightest = Rights {
            user: self.clues.user.clone(),
            no_new_privileges: true,
            capabilities: Some(BTreeSet::new()),
            writable: Some(BTreeSet::new()),
        };
        let mut first = self.attempt(&tightest, &tightest.to_string()).await?;
        if first.symptom.is_none() {
            self.proof.rights = tightest;
            return Ok(());
        }
        if let Some(user) = &self.clues.user {
            if self.as_own_user(&tightest, &first).await? {
                return Ok(());
            }
            let symptom = first.symptom.take().unwrap_or_else(|| Symptom::new("it failed", &[]));
            self.proof.dropped.insert(USER, symptom.of(user));
        }
        let bare = Rights { no_new_privileges: true, ..Rights::default() };
        let gained = self.attempt(&bare, "no new privileges").await?;
        match gained.symptom {
            None => self.proof.rights = bare,
            Some(symptom) => {
                self.proof.dropped.insert(NO_NEW_PRIVILEGES, symptom);
            }
        }
        self.read_only(&first.log).await?;
        self.capabilities().await
    }

    /// Whether it is healthy as the user it changes to anyway, who then needs no capability at all.
    async fn as_own_user(&mut self, tightest: &Rights, first: &Attempt) -> Result<bool, ProveError> {
        let mut tried = BTreeSet::from([BTreeSet::new()]);
        for folders in self.guesses(&first.log, &BTreeSet::new()) {
            if !tried.insert(folders.clone()) {
                continue;
            }
            let rights = Rights { writable: Some(folders), ..tightest.clone() };
            if self.attempt(&rights, &rights.to_string()).await?.symptom.is_none() {
                self.proof.rights = rights;
                self.fewest_folders().await?;
                return Ok(true);
            }
        }
        let writable = Rights { writable: None, ..tightest.clone() };
        let attempt = self.attempt(&writable, &writable.to_string()).await?;
        if attempt.symptom.is_some() {
            return Ok(false);
        }
        self.proof.rights = writable;
        self.read_only(&first.log).await?;
        Ok(true)
    }

    /// A read-only root with the fewest folders to write to; a writable root where that does not work. `log` is that of
    /// a try in which it could write nowhere.
    async fn read_only(&mut self, log: &[String]) -> Result<(), ProveError> {
        let base = self.proof.rights.clone();
        // When the log names a folder already, a try without any would only say so again.
        let named = !refused_paths(log).is_empty();
        let guess = self.guesses(log, &BTreeSet::new()).into_iter().find(|_| named);
        let mut folders = guess.unwrap_or_default();
        let mut tried = BTreeSet::new();
        let mut last = Symptom::new("it failed", &[]);
        for _ in 0..MOST_ROUNDS {
            tried.insert(folders.clone());
            let rights = Rights { writable: Some(folders.clone()), ..base.clone() };
            let attempt = self.attempt(&rights, &rights.to_string()).await?;
            let Some(symptom) = attempt.symptom else {
                self.proof.rights = rights;
                return self.fewest_folders().await;
            };
            last = symptom;
            let next = self.guesses(&attempt.log, &folders).into_iter().find(|guess| !tried.contains(guess));
            match next {
                Some(next) => folders = next,
                None => break,
            }
        }
        self.proof.dropped.insert(READ_ONLY, last);
        Ok(())
    }

    /// Sets of folders to try after a failure with `so_far`, the likeliest first: what the log names and what was new in
    /// the run without hardening, all that it wrote, what its image is known to need. What the log seems to name may
    /// be wrong, so each comes without it, too.
    fn guesses(&self, log: &[String], so_far: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
        let clues = self.clues;
        let seen: BTreeSet<&String> = clues.new_folders.iter().chain(&clues.old_folders).collect();
        let named = refused_paths(log).into_iter().map(|path| folder_of(&path, &seen, log));
        let named: BTreeSet<String> = named.filter(|folder| !holds_programs(folder)).collect();
        let mut guesses = Vec::new();
        for named in [so_far.union(&named).cloned().collect(), BTreeSet::new()] {
            let mut with = named.clone();
            for more in [&clues.new_folders, &clues.old_folders, &clues.known_folders] {
                with.extend(more.iter().filter(|folder| !holds_programs(folder)).cloned());
                guesses.push(without_nested(&with));
            }
            guesses.push(without_nested(&named));
        }
        guesses
    }

    async fn fewest_folders(&mut self) -> Result<(), ProveError> {
        for folder in self.proof.rights.writable.clone().unwrap_or_default() {
            let less = self.proof.rights.without_folder(&folder);
            let attempt = self.attempt(&less, &format!("without writable {folder}")).await?;
            match attempt.symptom {
                None => self.proof.rights = less,
                Some(symptom) => {
                    self.proof.needed.insert(folder, symptom);
                }
            }
        }
        Ok(())
    }

    /// All capabilities dropped, but for the fewest it needs.
    async fn capabilities(&mut self) -> Result<(), ProveError> {
        let base = self.proof.rights.clone();
        let all: BTreeSet<String> = DEFAULT_CAPABILITIES
            .iter()
            .map(|one| (*one).to_owned())
            .chain(self.clues.given.clone())
            .collect();
        let mut kept = BTreeSet::new();
        loop {
            let rights = Rights { capabilities: Some(kept.clone()), ..base.clone() };
            let attempt = self.attempt(&rights, &capabilities_text(&rights)).await?;
            let Some(symptom) = attempt.symptom else {
                self.proof.rights = rights;
                return self.fewest_capabilities(&all).await;
            };
            if kept == all {
                self.proof.dropped.insert(CAP_DROP, symptom);
                return Ok(());
            }
            let pointed: BTreeSet<String> = suspects(&attempt.log)
                .into_iter()
                .map(str::to_owned)
                .filter(|one| !kept.contains(one))
                .collect();
            let known: BTreeSet<String> = self.clues.known_capabilities.difference(&kept).cloned().collect();
            kept.extend(match (pointed.is_empty(), known.is_empty()) {
                (false, _) => pointed,
                (true, false) => known,
                (true, true) => all.clone(),
            });
        }
    }

    async fn fewest_capabilities(&mut self, all: &BTreeSet<String>) -> Result<(), ProveError> {
        let kept = self.proof.rights.capabilities.clone().unwrap_or_default();
        if &kept == all {
            let mut less = self.proof.rights.clone();
            less.capabilities
                .iter_mut()
                .for_each(|kept| kept.retain(|one| !RARE_CAPABILITIES.contains(&one.as_str())));
            if self.attempt(&less, "without those that few need").await?.symptom.is_none() {
                self.proof.rights = less;
            }
        }
        for capability in self.proof.rights.capabilities.clone().unwrap_or_default() {
            let less = self.proof.rights.without_capability(&capability);
            let attempt = self.attempt(&less, &format!("without {capability}")).await?;
            match attempt.symptom {
                None => self.proof.rights = less,
                Some(symptom) => {
                    self.proof.needed.insert(capability, symptom);
                }
            }
        }
        Ok(())
    }
}

fn capabilities_text(rights: &Rights) -> String {
    Rights { capabilities: rights.capabilities.clone(), ..Rights::default() }.to_string()
}

/// Whether programs and their libraries lie there, which nothing must hide.
fn holds_programs(folder: &str) -> bool {
    const HELD: [&str; 12] = [
        "/bin",
        "/etc",
        "/lib",
        "/lib64",
        "/sbin",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/sbin",
    ];
    HELD.contains(&folder) || folder == "/"
}

/// The folder that must be writable for a path to be: itself, when it was seen to be a folder or is about to be made.
fn folder_of(path: &str, seen: &BTreeSet<&String>, log: &[String]) -> String {
    // Where `/var/run` is a link, as nearly everywhere, what is seen lies in `/run`.
    let path = path
        .strip_prefix("/var/run")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .map_or_else(|| path.to_owned(), |rest| format!("/run{rest}"));
    let made = log.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        line.contains(&path.to_ascii_lowercase())
            && (line.contains("mkdir") || line.contains("create directory"))
    });
    if made || seen.contains(&path) {
        return path;
    }
    match path.rsplit_once('/') {
        Some(("", _)) | None => path,
        Some((parent, _)) => parent.to_owned(),
    }
}

/// A folder within another one that is writable needs no mention.
fn without_nested(folders: &BTreeSet<String>) -> BTreeSet<String> {
    let within = |folder: &String, other: &String| {
        folder.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    let outer = |folder: &&String| !folders.iter().any(|other| within(folder, other));
    folders.iter().filter(outer).cloned().collect()
}

#[cfg(test)]
mod tests;
