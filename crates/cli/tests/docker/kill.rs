//! Every command that changes things killed after lines of its journal: a release serves, and the next command makes it
//! good with nothing left over.

use crate::containers::Containers;
use crate::load::Load;
use crate::site::Ran;

/// Kills after every line, where every few lines are taken else. It takes some minutes.
const ALL: &str = "SEAWORTHY_TEST_ALL_KILLS";
/// More lines than any command here writes.
const MOST_LINES: usize = 80;
/// Between the lines that are taken when not all are; the next command begins one further on.
const STRIDE: usize = 4;

/// The lines of a command's journal to be killed after; `turn` numbers the commands.
fn lines(turn: usize) -> impl Iterator<Item = usize> {
    let all = std::env::var_os(ALL).is_some();
    let (first, stride) = if all { (1, 1) } else { (1 + turn % STRIDE, STRIDE) };
    (first..MOST_LINES).step_by(stride)
}

/// Runs a command that is killed after so many lines; `false` when it came to its end before.
fn killed(shop: &Containers, arguments: &[&str], lines: usize) -> (bool, Ran) {
    let ran = shop.run_with(arguments, &[("SEAWORTHY_TEST_KILL_AFTER_LINES", &lines.to_string())]);
    assert!([0, -1].contains(&ran.code), "killed after {lines} lines, not failed: {}", ran.all());
    (ran.code == -1, ran)
}

/// Says how many lines of a command were tried.
fn enough(command: &str, kills: usize) {
    eprintln!("`{command}` killed {kills} times");
    assert!(kills > 1, "`{command}` writes more lines than that");
}

#[test]
fn what_changes_a_running_site_may_be_killed_at_any_line() {
    let shop = Containers::prebuilt();
    shop.done(&["deploy", "-y"]);
    let load = Load::start(shop.site.port);
    let mut release = 1;
    let mut kills = 0;
    for line in lines(0) {
        release += 1;
        shop.release(release);
        let (was_killed, ran) = killed(&shop, &["deploy", "-y"], line);
        let place = format!("a deploy killed after {line} lines: {}", ran.all());
        let serves = shop.answers().unwrap_or_else(|error| panic!("nothing serves ({error}) after {place}"));
        assert!([release - 1, release].contains(&serves), "{serves} after {place}");
        shop.done(&["deploy", "-y"]);
        assert_eq!(shop.answers(), Ok(release), "after {place}");
        shop.assert_whole(&place);
        if !was_killed {
            break;
        }
        kills += 1;
    }
    enough("deploy", kills);
    kills = 0;
    for line in lines(1) {
        let (was_killed, ran) = killed(&shop, &["rollback", "-y"], line);
        let place = format!("a rollback killed after {line} lines: {}", ran.all());
        let serves = shop.answers().unwrap_or_else(|error| panic!("nothing serves ({error}) after {place}"));
        assert!(serves <= release, "{serves} after {place}");
        shop.done(&["deploy", "-y"]);
        assert_eq!(shop.answers(), Ok(release), "after {place}");
        shop.assert_whole(&place);
        if !was_killed {
            break;
        }
        kills += 1;
    }
    enough("rollback", kills);
    for (turn, wish) in [(2, "web=4"), (3, "web=1")] {
        kills = 0;
        for line in lines(turn) {
            let (was_killed, ran) = killed(&shop, &["scale", wish, "-y"], line);
            let place = format!("scale {wish} killed after {line} lines: {}", ran.all());
            assert_eq!(shop.answers(), Ok(release), "after {place}");
            shop.done(&["scale", "web=2", "-y"]);
            assert_eq!(shop.answers(), Ok(release), "after {place}");
            shop.assert_whole(&place);
            if !was_killed {
                break;
            }
            kills += 1;
        }
        enough("scale", kills);
    }
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
}

#[test]
fn a_first_deploy_and_a_down_may_be_killed_at_any_line() {
    let shop = Containers::prebuilt();
    let mut kills = 0;
    for line in lines(0) {
        let (was_killed, ran) = killed(&shop, &["deploy", "-y"], line);
        let place = format!("a first deploy killed after {line} lines: {}", ran.all());
        if let Ok(release) = shop.answers() {
            assert_eq!(release, 1, "after {place}");
        }
        shop.done(&["deploy", "-y"]);
        assert_eq!(shop.answers(), Ok(1), "after {place}");
        shop.assert_whole(&place);
        shop.done(&["down", "-y", "--volumes"]);
        shop.assert_gone(&place);
        if !was_killed {
            break;
        }
        kills += 1;
    }
    enough("deploy", kills);
    kills = 0;
    for line in lines(2) {
        shop.done(&["deploy", "-y"]);
        let (was_killed, ran) = killed(&shop, &["down", "-y", "--volumes"], line);
        let place = format!("a down killed after {line} lines: {}", ran.all());
        shop.done(&["down", "-y", "--volumes"]);
        shop.assert_gone(&place);
        if !was_killed {
            break;
        }
        kills += 1;
    }
    enough("down", kills);
}
