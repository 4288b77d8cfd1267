//! `install` writes units that systemd itself finds right, and says what to do where systemd does not run.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/site.rs"]
mod site;

use std::process::Command;

use site::Site;

#[test]
fn the_units_pass_the_check_of_systemd_itself() {
    let site = Site::new();
    for (place, user) in [("units", false), ("units of a user", true)] {
        let scope: &[&str] = if user { &["--user"] } else { &[] };
        site.done(&[&["install", "--into", place], scope].concat());
        let folder = site.project().join(place);
        let units = ["seaworthy-gateway.service", "seaworthy-agent.service"].map(|name| folder.join(name));
        for unit in &units {
            let text = std::fs::read_to_string(unit).unwrap();
            assert!(text.contains(&format!("Environment=\"SEAWORTHY_STATE={}\"", site.state().display())));
            assert!(text.contains("Restart=always"), "{text}");
        }
        let mut check = Command::new("systemd-analyze");
        let check = if user { check.arg("--user") } else { &mut check };
        match check.args(["verify", "--man=no"]).args(&units).output() {
            Ok(checked) => {
                let said = String::from_utf8_lossy(&checked.stderr).into_owned();
                // A user's own systemd cannot be asked where nobody is logged in.
                let unasked = user && said.contains("Failed to initialize manager");
                assert!(unasked || (checked.status.success() && !said.contains("seaworthy")), "{said}");
            }
            Err(error) => eprintln!("not checked: systemd-analyze cannot be run ({error})"),
        }
    }
}

#[test]
fn a_dry_run_writes_nothing_and_without_systemd_it_says_what_to_do() {
    let site = Site::new();
    let shown = site.done(&["install", "--dry-run", "--user"]).stdout;
    assert!(shown.contains(".config/systemd/user/seaworthy-agent.service"), "{shown}");
    assert!(!site.project().parent().unwrap().join(".config").exists());
    if std::path::Path::new("/run/systemd/system").is_dir() {
        eprintln!("not checked: systemd runs here");
        return;
    }
    let told = site.run(&["install"]);
    assert_eq!(told.code, 1, "{}", told.all());
    let line = told.stdout.lines().next().unwrap();
    assert!(line.starts_with("@reboot '") && line.contains("agent run --stay"), "{line}");
    assert!(told.stderr.contains("nothing was installed"), "{}", told.stderr);
    // The line itself, as a shell runs it.
    let words = line.trim_start_matches("@reboot ").replace("--stay", "--every 100");
    let ran = Command::new("/bin/sh").args(["-c", &words]).env_clear().status().unwrap();
    assert!(ran.success(), "with nothing to watch it ends at once");
    let doctor = site.run(&["doctor"]).stdout;
    assert!(doctor.contains("restart of the machine") && doctor.contains("seaworthy install"), "{doctor}");
}
