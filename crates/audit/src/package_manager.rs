//! Tells what a command installs, and with which package manager.

use crate::dockerfile::Word;
use crate::shell::Command;

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    Apt,
    Apk,
    /// `yum`, `dnf`, `microdnf`.
    Dnf,
    Zypper,
    Pip,
    Npm,
    Yarn,
    Pnpm,
    Gem,
}

/// The package manager that a command runs.
pub(crate) fn manager(command: &Command) -> Option<Manager> {
    Some(match command.program() {
        "apt-get" | "apt" | "aptitude" => Manager::Apt,
        "apk" => Manager::Apk,
        "yum" | "dnf" | "microdnf" | "tdnf" => Manager::Dnf,
        "zypper" => Manager::Zypper,
        "pip" | "pip3" | "pip2" => Manager::Pip,
        "python" | "python3" if command.has("pip") => Manager::Pip,
        "npm" => Manager::Npm,
        "yarn" => Manager::Yarn,
        "pnpm" => Manager::Pnpm,
        "gem" => Manager::Gem,
        _ => return None,
    })
}

/// What a command installs, and with what; an empty list where it says so elsewhere.
pub(crate) fn installs(command: &Command) -> Option<(Manager, Vec<&Word>)> {
    let manager = manager(command)?;
    let is_verb = |word: &str| match manager {
        Manager::Apk => word == "add",
        Manager::Npm | Manager::Pnpm => matches!(word, "install" | "i" | "add" | "ci"),
        Manager::Yarn => matches!(word, "install" | "add"),
        Manager::Zypper => matches!(word, "install" | "in"),
        _ => matches!(word, "install" | "localinstall" | "groupinstall"),
    };
    let valued = [
        "-t",
        "--virtual",
        "--repository",
        "-X",
        "-o",
        "-r",
        "-c",
        "-i",
        "--index-url",
        "--extra-index-url",
        "--target",
        "--prefix",
    ];
    let mut words = command.arguments().iter().skip_while(|word| !is_verb(&word.text));
    words.next()?;
    let mut packages = Vec::new();
    let mut skips = false;
    for word in words {
        let short_value =
            valued.contains(&word.text.as_str()) || (manager == Manager::Apk && word.text == "-t");
        if !std::mem::take(&mut skips) && !word.text.starts_with('-') {
            packages.push(word);
        }
        skips = short_value;
    }
    Some((manager, packages))
}
