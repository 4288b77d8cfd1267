//! A program that is not configured well does not start, and says all that is wrong.

use std::io::Write;

use crate::program::{MIGRATE, Program, TOKEN, WEB, WORKER, database, migrate};

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let (status, lines) = Program::start(WEB, &[("NOTES_TOKEN", "hush-hush"), ("HOST", "nowhere")]).end();
    assert_eq!((status.code(), lines.len()), (Some(2), 1), "{lines:?}");
    assert_eq!(lines[0]["level"], "error");
    let message = lines[0]["message"].as_str().unwrap();
    for words in [
        "the configuration has 3 problems:",
        "`HOST` (the address to listen on) must be",
        "`DATABASE_PATH` (the file that holds the notes) is missing",
        "`NOTES_TOKEN` (what clients must know to write) is shorter than 16 characters",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert!(!message.contains("hush"));
}

#[test]
fn a_placeholder_is_refused_in_production_and_tolerated_in_development() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let variables = [("DATABASE_PATH", path.as_str()), ("NOTES_TOKEN", "change-me"), ("DEBUG", "0")];
    let (status, lines) = Program::start(WEB, &variables).end();
    assert_eq!(status.code(), Some(2));
    assert!(lines[0]["message"].as_str().unwrap().contains("`NOTES_TOKEN`"), "{lines:?}");

    let development = [variables[0], variables[1], ("DEBUG", "1")];
    let web = Program::start(WEB, &development);
    assert_eq!(web.get("/health").status, 200);
    assert_eq!(web.line("a warning", |line| line["level"] == "warn")["setting"], "NOTES_TOKEN");
}

#[test]
fn the_token_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
    writeln!(file, "{TOKEN}").unwrap();
    let path = database(folder.path());
    let web =
        Program::start(WEB, &[("DATABASE_PATH", &path), ("NOTES_TOKEN_FILE", file.path().to_str().unwrap())]);
    assert_eq!(web.ask("PUT /notes/a", r#"{"text":"by file"}"#).status, 201);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/notes.db").to_str().unwrap().to_owned();
    for program in [WEB, WORKER, MIGRATE] {
        let (status, lines) =
            Program::start(program, &[("DATABASE_PATH", &path), ("NOTES_TOKEN", TOKEN)]).end();
        assert_eq!(status.code(), Some(1), "{program}");
        let error = lines.last().unwrap()["error"].as_str().unwrap();
        assert!(error.contains(&path) && error.contains("DATABASE_PATH"), "{error}");
    }
}

#[test]
fn the_token_is_in_no_log_line() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let path = database(folder.path());
    let web =
        Program::start(WEB, &[("DATABASE_PATH", &path), ("NOTES_TOKEN", TOKEN), ("LOG_LEVEL", "trace")]);
    assert_eq!(web.ask("PUT /notes/a", r#"{"text":"x"}"#).status, 201);
    assert_eq!(web.get(&format!("/notes?token={TOKEN}")).status, 200);
    web.line("the last request", |line| line["route"] == "/notes");
    web.signal(nix::sys::signal::Signal::SIGTERM);
    let (status, lines) = web.end();
    assert!(status.success() && lines.len() > 3);
    assert!(!format!("{lines:?}").contains(TOKEN));
}
