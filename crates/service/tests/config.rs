//! Configuration: all that is wrong is told at once, by name and never by value.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use seaworthy_service::{Config, Setting, Values};

const GOOD_TOKEN: &str = "4b1f6d0c9a7e35d8";

fn settings() -> [Setting; 4] {
    [
        Setting::required("DATABASE_PATH", "where the notes are"),
        Setting::secret("NOTES_TOKEN", "who may write").min_length(16).refuse(["Let-Me-In-Let-Me-In"]),
        Setting::optional("REGION", "where this runs"),
        Setting::with_default("INTERVAL", "2", "seconds").number(1..=60),
    ]
}

fn good() -> Values {
    Values::new().with("DATABASE_PATH", "/data/notes.db").with("NOTES_TOKEN", GOOD_TOKEN)
}

fn complaint(values: Values) -> String {
    Config::load(&values, settings()).unwrap_err().to_string()
}

#[test]
fn a_complete_configuration_is_read() {
    let config = Config::load(&good(), settings()).unwrap();
    assert_eq!(config.text("DATABASE_PATH"), "/data/notes.db");
    assert_eq!((config.text("REGION"), config.number("INTERVAL")), ("", Some(2)));
    assert!(config.secret("NOTES_TOKEN").matches(GOOD_TOKEN));
    assert_eq!(config.address().to_string(), "127.0.0.1:8080");
    assert_eq!((config.log_level(), config.is_development()), ("info", false));
    assert!(!config.secret("NO_SUCH").matches(""));
}

#[test]
fn a_secret_is_not_in_the_debug_output() {
    let config = Config::load(&good(), settings()).unwrap();
    assert!(!format!("{config:?}").contains(GOOD_TOKEN));
    assert_eq!(config.text("NOTES_TOKEN"), "");
}

#[test]
fn all_that_is_wrong_is_in_one_message() {
    let message = complaint(
        Values::new()
            .with("NOTES_TOKEN", "hush")
            .with("INTERVAL", "soon")
            .with("PORT", "70000")
            .with("LOG_LEVEL", "loud"),
    );
    assert_eq!(
        message,
        "the configuration has 5 problems:\n\
         - `PORT` (the port to listen on) must be a whole number from 0 to 65535; correct it.\n\
         - `LOG_LEVEL` (what is logged) must be `error`, `warn`, `info`, `debug` or `trace`, or a list such as \
         `info,hyper=warn`; correct it.\n\
         - `DATABASE_PATH` (where the notes are) is missing; set it, or name a file that holds it in `DATABASE_PATH_FILE`.\n\
         - `NOTES_TOKEN` (who may write) is shorter than 16 characters; make one of your own, for example with \
         `openssl rand -hex 32`.\n\
         - `INTERVAL` (seconds) must be a whole number from 1 to 60; correct it."
    );
}

#[test]
fn weak_secrets_are_refused_and_never_shown() {
    for (weak, words) in [
        ("change-me", "well-known placeholder"),
        ("CHANGEME", "well-known placeholder"),
        ("let-me-in-let-me-in", "well-known placeholder"),
        ("aaaaaaaaaaaaaaaaaaaa", "one character repeated"),
        ("fifteen-letters", "shorter than 16"),
    ] {
        let message = complaint(good().with("NOTES_TOKEN", weak));
        assert!(message.contains(words), "{weak}: {message}");
        assert!(!message.contains(weak), "{message}");
    }
}

#[test]
fn development_tolerates_weak_secrets_but_not_missing_ones() {
    let config =
        Config::load(&good().with("NOTES_TOKEN", "change-me").with("DEBUG", "1"), settings()).unwrap();
    assert!(config.is_development());
    assert_eq!(config.tolerated().len(), 1);
    assert!(config.secret("NOTES_TOKEN").matches("change-me"));
    let message = complaint(Values::new().with("DATABASE_PATH", "/d").with("DEBUG", "1"));
    assert!(message.contains("`NOTES_TOKEN` (who may write) is missing"), "{message}");
}

#[test]
fn a_value_may_stand_in_a_file() {
    let values = Values::new()
        .with("DATABASE_PATH", "/data")
        .with("NOTES_TOKEN", "")
        .with("NOTES_TOKEN_FILE", "/run/token");
    let config =
        Config::load(&values.clone().with_file("/run/token", format!("{GOOD_TOKEN}\r\n")), settings())
            .unwrap();
    assert!(config.secret("NOTES_TOKEN").matches(GOOD_TOKEN));

    let message = complaint(values.clone());
    assert!(message.contains("is in `/run/token`, which could not be read (entity not found)"), "{message}");
    let message = complaint(values.clone().with_file("/run/token", "\n"));
    assert!(message.contains("is in `/run/token`, which is empty"), "{message}");
    let message = complaint(values.with_file("/run/token", GOOD_TOKEN).with("NOTES_TOKEN", GOOD_TOKEN));
    assert!(message.contains("keep either `NOTES_TOKEN` or `NOTES_TOKEN_FILE`"), "{message}");
}

#[test]
fn an_empty_variable_is_not_set() {
    let message = complaint(good().with("DATABASE_PATH", ""));
    assert!(message.contains("`DATABASE_PATH` (where the notes are) is missing"), "{message}");
    assert_eq!(Config::load(&good().with("PORT", ""), settings()).unwrap().address().port(), 8080);
}

#[test]
fn log_levels_are_levels() {
    for level in ["info", "WARN", "off", "info,hyper=warn"] {
        assert!(Config::load(&good().with("LOG_LEVEL", level), settings()).is_ok(), "{level}");
    }
    for level in ["inof", "info,hyper=lots", "debug, notes=trace", "1x"] {
        assert!(Config::load(&good().with("LOG_LEVEL", level), settings()).is_err(), "{level}");
    }
}
