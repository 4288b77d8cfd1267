//! `healthcheck` (Compose Specification, "healthcheck").

use std::time::Duration;

use crate::quantity::duration_text;
use crate::{Node, Scalar, ScalarStyle, Span, Value};

/// How the health of a service is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// The test; `None` when only intervals are given and the test comes with the image.
    pub test: Option<HealthTest>,
    /// `interval`; the engine's default is 30 s.
    pub interval: Option<Duration>,
    /// `timeout`; the engine's default is 30 s.
    pub timeout: Option<Duration>,
    /// `retries`; the engine's default is 3.
    pub retries: Option<u32>,
    /// `start_period`.
    pub start_period: Option<Duration>,
    /// `start_interval`.
    pub start_interval: Option<Duration>,
}

/// The test of a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthTest {
    /// `NONE`, or `disable: true`.
    Disabled,
    /// `CMD`: words, run as they are.
    Command(Vec<String>),
    /// `CMD-SHELL`, or a string: run by the shell.
    Shell(String),
}

impl Healthcheck {
    /// This check where a service says nothing else: what `own` says wins. `None` when it says everything.
    pub fn under(&self, own: Option<&Healthcheck>) -> Option<Self> {
        let Some(own) = own else { return Some(self.clone()) };
        own.test.is_none().then(|| Self {
            test: self.test.clone(),
            interval: own.interval.or(self.interval),
            timeout: own.timeout.or(self.timeout),
            retries: own.retries.or(self.retries),
            start_period: own.start_period.or(self.start_period),
            start_interval: own.start_interval.or(self.start_interval),
        })
    }

    /// As it stands in a file.
    pub(crate) fn node(&self, span: Span) -> Node {
        let words = match self.test.as_ref() {
            Some(HealthTest::Disabled) => vec!["NONE".to_owned()],
            Some(HealthTest::Command(words)) => [&["CMD".to_owned()], words.as_slice()].concat(),
            Some(HealthTest::Shell(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
            None => Vec::new(),
        };
        let mut node = Node::new(Value::Mapping(Vec::new()), span);
        if !words.is_empty() {
            let words = words.into_iter().map(|word| Node::string(word, span)).collect();
            node.set("test", Node::new(Value::Sequence(words), span));
        }
        let times = [
            ("interval", self.interval),
            ("timeout", self.timeout),
            ("start_period", self.start_period),
            ("start_interval", self.start_interval),
        ];
        for (key, time) in times {
            if let Some(time) = time.and_then(|time| i64::try_from(time.as_nanos()).ok()) {
                node.set(key, Node::string(duration_text(time), span));
            }
        }
        if let Some(retries) = self.retries {
            let scalar = Scalar { text: retries.to_string(), style: ScalarStyle::Plain };
            node.set("retries", Node::new(Value::Scalar(scalar), span));
        }
        node
    }
}
