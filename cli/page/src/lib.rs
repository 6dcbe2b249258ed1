//! The answer to a page's request; the program around it carries it to and fro.
#![forbid(unsafe_code)]

use std::io::Write as _;

use memring_core::{
    Placement, Scheme, Server,
    storage::Boxed,
    vector::{Header, Line, unescape},
};

/// A list of servers, placed.
type Placed<'r> = Placement<'r, Vec<Server<'r>>, Boxed>;

/// Writes the two servers of each key of `request` behind `answer`.
///
/// # Errors
/// What is wrong with one of the two lists, as a text.
pub fn answer(request: &[u8], answer: &mut Vec<u8>) -> Result<(), String> {
    let mut lines = request.split(|byte| *byte == b'\n');
    let (old, new) = (placed(&mut lines)?, placed(&mut lines)?);
    for line in lines.filter(|line| !line.is_empty()) {
        let key: Result<Vec<u8>, _> = unescape(line).collect();
        let written = match key {
            Ok(key) => writeln!(answer, "{}\t{}", old.primary(&key), new.primary(&key)),
            Err(error) => writeln!(answer, "! {error}"),
        };
        written.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Reads headers up to the line that ends them.
fn placed<'r>(lines: &mut dyn Iterator<Item = &'r [u8]>) -> Result<Placed<'r>, String> {
    let (mut name, mut options, mut servers) = ("", Vec::new(), Vec::new());
    for line in lines.take_while(|line| *line != b"---") {
        let line = str::from_utf8(line).map_err(|error| error.to_string())?;
        match Line::parse(line).map_err(|error| error.to_string())? {
            Line::Header(Header::Scheme(scheme)) => name = scheme,
            Line::Header(Header::Option(option, value)) => options.push((option, value)),
            Line::Header(Header::Server(server)) => servers.push(server),
            other => return Err(format!("neither scheme, option nor server: {other:?}")),
        }
    }
    let scheme = Scheme::named(name, options, |value| value).map_err(|error| error.to_string())?;
    Placement::owned(scheme, servers).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(request: &str) -> Result<String, String> {
        let mut out = Vec::new();
        answer(request.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn keys_have_a_server_before_and_after() {
        let list = "# scheme: libmemcached-modula\n# option: hash=md5\n# server: 10.0.1.1:11211\n";
        let request = format!("{list}---\n{list}# server: 10.0.1.2:11211 2\n---\nbar\n\nb\\ad\n");
        let text = answered(&request).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "0\t1");
        assert!(lines.len() == 2 && lines[1].starts_with("! bad escape at byte 1"), "{text}");
    }

    #[test]
    fn lists_that_are_wrong_are_told() {
        for (request, part) in [
            ("# scheme: no-such\n---\n---\n", "unknown scheme"),
            ("# scheme: libketama\n---\n# scheme: libketama\n---\nkey\n", "no server"),
            ("tokyo\t1\n---\n", "neither scheme"),
        ] {
            let reason = answered(request).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }
}
