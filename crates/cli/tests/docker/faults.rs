//! Every call of a deploy to the daemon spoilt in turn: no request fails, one release serves, the message says what was
//! tried, and the next deploy makes it good.

use crate::containers::Containers;
use crate::load::Load;
use crate::proxy::{Call, Fault, Proxy};
use crate::site::Ran;

/// Spoils every call in every way, where one way for each call is taken else. It takes half an hour.
const ALL: &str = "SEAWORTHY_TEST_ALL_FAULTS";
/// More calls that change something than a deploy of the sample has.
const MOST_CALLS: usize = 120;
/// What can become of a call, in turn.
const FAULTS: [Fault; 7] = [
    Fault::Answer(500, "something went wrong"),
    Fault::LoseAnswer,
    Fault::Hang,
    Fault::Close,
    Fault::Unheard,
    Fault::Late,
    Fault::Gone,
];

/// The faults that a call is spoilt with: one by rotation, or all.
fn faults(position: usize) -> Vec<Fault> {
    match std::env::var_os(ALL) {
        Some(_) => FAULTS.to_vec(),
        None => vec![FAULTS[position % FAULTS.len()]],
    }
}

/// What holds of every spoilt deploy, whatever became of it.
#[track_caller]
fn assert_told(ran: &Ran, fault: Fault, place: &str) {
    // With the daemon gone in the middle there is no way back: that is told as it is.
    let allowed: &[i32] = if fault == Fault::Gone { &[0, 2, 3, 4] } else { &[0, 2, 3] };
    assert!(allowed.contains(&ran.code), "exit code {} at {place}", ran.code);
    if fault == Fault::Late {
        assert_eq!(ran.code, 0, "a late answer is an answer: {place}");
    }
    if ran.code != 0 {
        let told = ran.stderr.contains("could not ") || ran.stderr.contains("cannot be used");
        assert!(told, "it is not told what was tried: {place}");
    }
    assert!(!ran.stderr.contains("panicked"), "{place}");
}

/// Spoils one deploy of a running site, and has the next one make it good. `None` when it had no such call.
fn spoilt(shop: &Containers, release: u32, call: Call, fault: Fault) -> Option<i32> {
    shop.release(release);
    let proxy = Proxy::start(&shop.site.project(), &format!("{release}.sock"), Some((call, fault)));
    let ran = shop.run_through(&proxy, &["deploy", "-y"]);
    let hit = proxy.hit();
    let place = format!("{call:?} {fault:?} {hit:?}: {}", ran.all());
    if std::env::var_os(ALL).is_some() {
        eprintln!("exit code {} of {place}", ran.code);
    }
    if hit.is_none() {
        // A daemon with much to do may answer another call too late for the little patience there is then.
        assert!(ran.code == 0 || fault == Fault::Hang, "nothing was spoilt: {place}");
        shop.done(&["deploy", "-y"]);
        return (ran.code != 0).then_some(ran.code);
    }
    assert_told(&ran, fault, &place);
    let serves = shop.answers().unwrap_or_else(|error| panic!("nothing serves ({error}) after {place}"));
    match ran.code {
        0 => assert_eq!(serves, release, "after {place}"),
        3 => {
            assert_eq!((serves, shop.last_change().as_str()), (release - 1, "rolled-back"), "after {place}");
        }
        2 => assert_eq!(serves, release - 1, "after {place}"),
        _ => assert!([release - 1, release].contains(&serves), "after {place}"),
    }
    shop.done(&["deploy", "-y"]);
    assert_eq!(shop.answers(), Ok(release), "after {place}");
    shop.assert_whole(&place);
    Some(ran.code)
}

fn assert_none_failed(load: Load) {
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
}

#[test]
fn any_changing_call_of_a_rollout_may_be_spoilt() {
    let shop = Containers::prebuilt();
    shop.done(&["deploy", "-y"]);
    let load = Load::start(shop.site.port);
    let (mut release, mut position, mut codes) = (1, 0, Vec::new());
    'calls: loop {
        position += 1;
        assert!(position < MOST_CALLS, "the deploy never came to its end");
        for fault in faults(position) {
            release += 1;
            match spoilt(&shop, release, Call::Changing(position), fault) {
                Some(code) => codes.push(code),
                None => break 'calls,
            }
        }
    }
    assert!(position > FAULTS.len(), "a deploy changes more than that: {position}");
    assert!(codes.contains(&0) && codes.contains(&3), "some go well, some are taken back: {codes:?}");
    eprintln!("{} deploys spoilt at {} calls: {codes:?}", codes.len(), position - 1);
    assert_none_failed(load);
}

#[test]
fn looking_calls_of_a_rollout_may_be_spoilt() {
    let shop = Containers::prebuilt();
    shop.done(&["deploy", "-y"]);
    let load = Load::start(shop.site.port);
    // Closer at the beginning, where each call is another question; later the same ones come again.
    let positions = [1, 2, 3, 4, 6, 9, 14, 22, 35, 56, 90];
    let mut release = 1;
    for (turn, position) in positions.into_iter().enumerate() {
        for fault in faults(turn) {
            release += 1;
            spoilt(&shop, release, Call::Looking(position), fault);
        }
    }
    assert_none_failed(load);
}

#[test]
fn any_changing_call_of_a_first_deploy_may_be_spoilt() {
    let shop = Containers::prebuilt();
    for position in 1..MOST_CALLS {
        for fault in faults(position + 3) {
            let name = format!("{position}-{fault:?}.sock").replace(' ', "");
            let name =
                name.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect::<String>();
            let proxy = Proxy::start(&shop.site.project(), &name, Some((Call::Changing(position), fault)));
            let ran = shop.run_through(&proxy, &["deploy", "-y"]);
            let place = format!("first deploy, call {position} {fault:?} {:?}: {}", proxy.hit(), ran.all());
            if std::env::var_os(ALL).is_some() {
                eprintln!("exit code {} of {place}", ran.code);
            }
            if proxy.hit().is_none() && ran.code == 0 {
                assert!(position > FAULTS.len(), "a first deploy changes more than that");
                eprintln!("first deploys spoilt at {} calls", position - 1);
                return;
            }
            assert_told(&ran, fault, &place);
            match ran.code {
                0 => assert_eq!(shop.answers(), Ok(1), "after {place}"),
                2 | 3 => assert!(shop.answers().is_err(), "something serves after {place}"),
                _ => {}
            }
            shop.done(&["deploy", "-y"]);
            assert_eq!(shop.answers(), Ok(1), "after {place}");
            shop.assert_whole(&place);
            shop.done(&["down", "-y", "--volumes"]);
            shop.assert_gone(&place);
        }
    }
    panic!("the first deploy never came to its end");
}
