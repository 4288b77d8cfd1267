//! A daemon on a machine that `ssh` reaches: `ssh://user@host:port/path/of/its/socket`.

use std::path::PathBuf;

/// How such an address is written.
pub(super) const FORM: &str =
    "write `ssh://user@host`, `ssh://user@host:2222`, or a name that `~/.ssh/config` knows";
/// How long `ssh` may take to reach the machine.
const CONNECT_SECONDS: u16 = 30;

/// A machine that `ssh` reaches. What is in it was looked at: no part can pass for an option of `ssh`, or for more than
/// one word to the shell at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshPlace {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    /// The daemon's socket over there, where it is not the usual one.
    socket: Option<String>,
    /// The socket of the agent that signs in.
    pub(in crate::docker) agent: Option<PathBuf>,
}

impl SshPlace {
    /// Understands what stands behind `ssh://`; what is wrong with it is told as the end of a sentence.
    pub(super) fn parse(address: &str, agent: Option<PathBuf>) -> Result<Self, &'static str> {
        let (authority, socket) = match address.split_once('/') {
            Some((authority, path)) => (authority, Some(format!("/{path}")).filter(|path| path != "/")),
            None => (address, None),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("holds a password, which others could read: use a key");
        }
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (host, None),
        };
        let port =
            port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or("has no valid port"));
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if !is_word(host, "._-:%") {
            return Err("has no valid host");
        }
        if user.is_some_and(|user| !is_word(user, "._-\\@+")) {
            return Err("has no valid user");
        }
        if socket.as_deref().is_some_and(|path| !is_word(path, "/._-")) {
            return Err("has a path that is not of letters, digits, `.`, `_`, `-` and `/`");
        }
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port: port.transpose()?,
            socket,
            agent,
        })
    }

    /// The words behind `ssh` that reach the daemon: its socket becomes the program's input and output.
    pub(in crate::docker) fn words(&self) -> Vec<String> {
        // Nobody may be there to be asked, and many connections would ask at once.
        let mut words = vec!["-o".to_owned(), "BatchMode=yes".to_owned()];
        words.extend(["-o".to_owned(), format!("ConnectTimeout={CONNECT_SECONDS}"), "-T".to_owned()]);
        if let Some(user) = &self.user {
            words.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            words.extend(["-p".to_owned(), port.to_string()]);
        }
        words.extend(["--".to_owned(), self.host.clone(), "docker".to_owned()]);
        if let Some(socket) = &self.socket {
            words.extend(["--host".to_owned(), format!("unix://{socket}")]);
        }
        words.extend(["system".to_owned(), "dial-stdio".to_owned()]);
        words
    }

    /// What one types behind `ssh` to get there.
    pub(in crate::docker) fn typed(&self) -> String {
        let port = self.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("{port}{user}{}", self.host)
    }
}

impl std::fmt::Display for SshPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            write!(f, "{}", self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.socket.as_deref().unwrap_or_default())
    }
}

/// Whether it is one word, of letters, digits and what else is allowed, that no program takes for an option.
fn is_word(text: &str, also: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_single_ones_and_none_passes_for_an_option() {
        let words = |address: &str| SshPlace::parse(address, None).unwrap().words().join(" ");
        let begin = "-o BatchMode=yes -o ConnectTimeout=30 -T";
        assert_eq!(words("there"), format!("{begin} -- there docker system dial-stdio"));
        let socket = "docker --host unix:///run/user/1000/docker.sock system dial-stdio";
        assert_eq!(
            words("me@there.example:2222/run/user/1000/docker.sock"),
            format!("{begin} -l me -p 2222 -- there.example {socket}")
        );
        assert_eq!(words("[::1]:22/"), format!("{begin} -p 22 -- ::1 docker system dial-stdio"));
    }

    #[test]
    fn what_could_be_more_than_a_word_is_refused() {
        let refused = [
            ["", "@", "me@", "there:0", "there:70000", "there:ssh"],
            [
                "-oProxyCommand=x",
                "me@-oProxyCommand=x",
                "-oProxyCommand=x@there",
                "me:secret@there",
                "a b",
                "-x",
            ],
            ["there;id", "$(id)", "there/run/$(id)", "there/a b", "there?x=1", "there/a'b"],
        ];
        for address in refused.as_flattened() {
            assert!(SshPlace::parse(address, None).is_err(), "{address}");
        }
    }

    #[test]
    fn it_is_shown_as_it_was_said() {
        for address in ["there", "me@there", "me@there:2222/run/docker.sock", "[::1]:22"] {
            assert_eq!(SshPlace::parse(address, None).unwrap().to_string(), format!("ssh://{address}"));
        }
    }
}
