//! Promises about looking at instances closely, and running commands beside them.

use std::time::Duration;

use seaworthy_project::Sensitive;
use tokio::sync::mpsc;

use super::{Case, Harness, PATIENCE, Sample, cleaned, ended, ensured, observed, prepared, ready};
use crate::{
    EngineError, Exec, ExecControl, ExecStreams, Happened, Instance, InstanceEvent, LogStream, Seen,
};

/// The signal that asks a process to end.
const TERMINATE: i32 = 15;

fn command(harness: &dyn Harness, words: &[&str]) -> Exec {
    Exec { words: harness.words(words), user: None, folder: None, variables: Vec::new(), terminal: false }
}

/// Runs a command with that input; gives its exit code and what it wrote.
async fn run(
    harness: &dyn Harness,
    case: &Case,
    instance: &Instance,
    exec: &Exec,
    input: &[&str],
    controls: &[ExecControl],
) -> Result<(i32, String), EngineError> {
    let (give, given) = mpsc::channel(8);
    let (write, mut written) = mpsc::channel(8);
    let (tell, told) = mpsc::channel(8);
    for text in input {
        give.send(text.as_bytes().to_vec()).await.expect("there is room");
    }
    drop(give);
    let streams = ExecStreams { input: given, output: write, control: told };
    let gather = async {
        let mut all = String::new();
        while let Some((stream, bytes)) = written.recv().await {
            assert_eq!(stream, LogStream::Stdout);
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
        all
    };
    let control = async {
        for control in controls {
            // A command is there a moment after it was asked for; until then a signal finds nobody.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let _ = tell.send(*control).await;
        }
        tell
    };
    let exec = harness.engine().exec(&case.revision.project, &instance.id, exec, streams);
    let (code, all, _tell) = tokio::time::timeout(PATIENCE, async { tokio::join!(exec, gather, control) })
        .await
        .expect("a command that ends is told of");
    Ok((code?, all))
}

/// Facts tell what runs, and looking leaves no trace; of what does not run nothing is seen.
pub async fn facts_are_of_what_runs_and_change_nothing(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    let before = observed(harness, &case).await;
    let facts =
        harness.engine().facts(&case.revision, &instance.id).await.expect("what runs can be looked at");
    assert_eq!(facts.artifact, Seen::Is(case.revision.artifact.digest.clone()));
    assert_eq!(facts.published, Seen::Is(Vec::new()), "ports are the gateway's");
    assert_eq!(facts.exposed, Seen::Is(Vec::new()));
    assert_eq!(facts.restart, Seen::Is("no".to_owned()));
    assert_eq!(facts.memory_bytes, Seen::Is(None));
    assert_eq!(observed(harness, &case).await, before);
    harness.end(&case, &instance);
    ended(harness, &case, &instance).await;
    let facts = harness.engine().facts(&case.revision, &instance.id).await.expect("it is still there");
    assert!(matches!(facts.user, Seen::Unseen(_)) && matches!(facts.artifact, Seen::Unseen(_)), "{facts:?}");
    cleaned(harness, &[&case]).await;
}

/// The exit code of a command is its own; the instance runs on.
pub async fn a_command_beside_an_instance_tells_its_code(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    for code in ["0", "7"] {
        let exec = command(harness, &["job", "0", code]);
        let ran = run(harness, &case, &instance, &exec, &[], &[]).await.expect("it can be run");
        assert_eq!(ran, (code.parse().expect("a code is a number"), String::new()));
    }
    assert_eq!(observed(harness, &case).await[0].process, instance.process);
    harness.end(&case, &instance);
    ended(harness, &case, &instance).await;
    let exec = command(harness, &["job", "0", "0"]);
    let refused = run(harness, &case, &instance, &exec, &[], &[]).await;
    assert!(matches!(refused, Err(EngineError::Refused { .. })), "{refused:?}");
    cleaned(harness, &[&case]).await;
}

/// Input reaches a command, to its end; output comes back; variables are set.
pub async fn a_command_reads_and_writes_beside_an_instance(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    let echo = command(harness, &["echo"]);
    let ran = run(harness, &case, &instance, &echo, &["one\n", "two\n"], &[]).await.expect("it can be run");
    assert_eq!(ran, (0, "one\ntwo\n".to_owned()));
    let mut exec = command(harness, &["variable", "GREETING"]);
    exec.variables = vec![("GREETING".to_owned(), Sensitive::new("hello"))];
    let (code, written) = run(harness, &case, &instance, &exec, &[], &[]).await.expect("it can be run");
    assert_eq!((code, written.trim()), (0, "hello"));
    cleaned(harness, &[&case]).await;
}

/// A signal ends a command, and its code says so.
pub async fn a_command_is_sent_signals(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    let exec = command(harness, &["linger"]);
    let ran = run(harness, &case, &instance, &exec, &[], &[ExecControl::Signal(TERMINATE)]).await;
    assert_eq!(ran.expect("it can be run").0, 128 + TERMINATE);
    cleaned(harness, &[&case]).await;
}

/// Usage is told of what runs, and of nothing else.
pub async fn what_an_instance_uses_is_told_while_it_runs(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    let ask = || harness.engine().usage(&case.revision.project, &instance.id);
    let usage = ask().await.expect("what runs can be asked").expect("it runs");
    assert!(usage.pids >= 1 && usage.memory_bytes > 0, "{usage:?}");
    let later = ask().await.expect("what runs can be asked").expect("it runs");
    assert!(later.cpu_nanos >= usage.cpu_nanos && later.taken_at >= usage.taken_at);
    harness.end(&case, &instance);
    ended(harness, &case, &instance).await;
    assert_eq!(ask().await.expect("what ended can be asked"), None);
    cleaned(harness, &[&case]).await;
}

/// Events tell how an instance was made, started and ended.
pub async fn what_happened_is_told_in_order(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    ready(harness, &case, &instance).await;
    harness.end(&case, &instance);
    ended(harness, &case, &instance).await;
    let project = &case.revision.project;
    let now = harness.engine().observe(project).await.expect("observing has no reason to fail").taken_at;
    let mut events: Vec<InstanceEvent> = Vec::new();
    let mut take = |event| {
        events.push(event);
        true
    };
    harness.engine().events(project, None, Some(now), &mut take).await.expect("what happened is told");
    assert!(events.iter().all(|event| event.instance == instance.id));
    let what: Vec<Happened> = events.iter().map(|event| event.what).collect();
    assert_eq!(what, [Happened::Made, Happened::Started, Happened::Ended]);
    assert_eq!(events[2].code, Some(137));
    let ended_at = events[2].at;
    let mut first = None;
    let mut take = |event: InstanceEvent| {
        first = Some(event.what);
        false
    };
    harness.engine().events(project, Some(ended_at), None, &mut take).await.expect("what happened is told");
    assert_eq!(first, Some(Happened::Ended), "from then on, to when nobody listens");
    cleaned(harness, &[&case]).await;
}

/// Looking at what is not there is an error that names it.
pub async fn what_is_not_there_has_nothing_to_tell(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Serves).await;
    let instance = ensured(harness, &case, 1).await;
    let project = &case.revision.project;
    let described =
        harness.engine().describe(project, &instance.id).await.expect("what is there can be told");
    assert!(described.is_object(), "{described}");
    harness.engine().remove(project, &instance.id).await.expect("it can be removed");
    let facts = harness.engine().facts(&case.revision, &instance.id).await.map(drop);
    let described = harness.engine().describe(project, &instance.id).await.map(drop);
    let used = harness.engine().usage(project, &instance.id).await.map(drop);
    let exec = command(harness, &["job", "0", "0"]);
    let ran = run(harness, &case, &instance, &exec, &[], &[]).await.map(drop);
    for answer in [facts, described, used, ran] {
        assert!(matches!(answer, Err(EngineError::NoInstance { .. })), "{answer:?}");
    }
    cleaned(harness, &[&case]).await;
}
