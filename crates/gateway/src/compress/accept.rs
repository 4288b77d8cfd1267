//! Which codings a client can read, and wants most (RFC 9110, section 12.5.3).

use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// A way to write a body shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    /// Of two that a client wants alike, the first is taken.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// What it is called in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn is_called(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name()) || self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip")
    }
}

/// The one that a client wants most; none where it can read none, or says nothing.
pub(crate) fn best(headers: &HeaderMap) -> Option<Coding> {
    Coding::ALL.into_iter().filter(|coding| accepted(headers, *coding) > 0).reduce(|best, coding| {
        if accepted(headers, coding) > accepted(headers, best) { coding } else { best }
    })
}

/// How much a client wants a coding, in thousandths; 0 is not at all.
pub(crate) fn accepted(headers: &HeaderMap, coding: Coding) -> u16 {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = 0;
    for item in lines.flat_map(|line| line.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        if coding.is_called(name) {
            return weight;
        }
        if name == "*" {
            any = weight;
        }
    }
    any
}

/// A weight from 0 to 1; what is none counts as 0.
fn thousandths(text: &str) -> u16 {
    match text.parse::<f32>() {
        // The bounds make the cast exact enough.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 1000")]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn the_one_wanted_most_and_of_equal_ones_the_best() {
        for (said, coding) in [
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip, br", Some(Coding::Brotli)),
            ("gzip;q=1.0, br;q=0.5, zstd;q=0", Some(Coding::Gzip)),
            ("br;q=0.001, gzip;q=0.002", Some(Coding::Gzip)),
            ("x-gzip", Some(Coding::Gzip)),
            ("GZIP; Q=0.3", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0, gzip", Some(Coding::Gzip)),
            ("gzip;q=0, *", Some(Coding::Zstd)),
            ("identity", None),
            ("gzip;q=0", None),
            ("gzip;q=2", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(said))]);
            assert_eq!(best(&headers), coding, "{said}");
        }
        assert_eq!(best(&HeaderMap::new()), None);
    }
}
