//! Laws of what stands in vector files: lines, escaped keys, weights, options.

use memring_client::spec::ServerSpec;
use memring_core::{
    Server, Weight, peers,
    vector::{Escaped, Header, Line, unescape},
};

use crate::{placement::fleet::placement, servers::is_weight};

/// A line that is accepted is accepted again as it is written anew, and means the same; a server's weight is what it is in
/// a list of servers; an option that a scheme takes leaves a scheme that places keys.
pub fn lines_are_read_alike(text: &str) {
    for line in text.lines() {
        escapes_agree(line.as_bytes());
        let Ok(read) = Line::parse(line) else { continue };
        let written = written(&read);
        let again = Line::parse(&written);
        match (read, again) {
            (Line::Header(Header::Server(server)), Ok(Line::Header(Header::Server(again)))) => {
                assert_eq!(again.name, server.name);
                assert!(is_weight(again.weight, server.weight), "{line:?} {written:?}");
                weights_agree(server);
            }
            _ => assert_eq!(again, Ok(read), "{line:?} {written:?}"),
        }
        match read {
            Line::Key { escaped, .. } => escapes_agree(escaped.as_bytes()),
            Line::Header(Header::Option(name, value)) => options_place(name, value),
            Line::Header(_) => {}
        }
    }
}

/// The line as a file of ours has it.
fn written(line: &Line<'_>) -> String {
    match *line {
        Line::Key { escaped, servers } => format!("{escaped}\t{servers}"),
        Line::Header(Header::Scheme(name)) => format!("# scheme: {name}"),
        Line::Header(Header::Server(server)) => {
            format!("# server: {} {}", server.name, weight(server.weight))
        }
        Line::Header(Header::Option(name, value)) => format!("# option: {name}={value}"),
        Line::Header(Header::FullOrder(true)) => "# order: full".to_owned(),
        Line::Header(Header::FullOrder(false)) => "# order: primary".to_owned(),
        Line::Header(Header::Remark(text)) => format!("# note: {text}"),
        Line::Header(other) => panic!("a header that nobody can write: {other:?}"),
    }
}

/// The weight as operators write it: a real number has a point, however whole it is.
fn weight(weight: Weight) -> String {
    match weight {
        Weight::Whole(weight) => weight.to_string(),
        Weight::Real(weight) if weight.fract() == 0.0 => format!("{weight:.1}"),
        Weight::Real(weight) => weight.to_string(),
    }
}

/// What an escaped key says comes back from how that is written anew; nothing comes behind an error.
fn escapes_agree(escaped: &[u8]) {
    let said: Vec<_> = unescape(escaped).collect();
    let wrong = said.iter().position(Result::is_err);
    assert!(wrong.is_none_or(|at| at + 1 == said.len()), "more behind an error");
    let key: Vec<u8> = said.into_iter().map_while(Result::ok).collect();
    let again = Escaped(&key).to_string();
    assert_eq!(unescape(again.as_bytes()).collect::<Result<Vec<_>, _>>(), Ok(key));
}

/// A list of servers that takes the name and the weight takes the same weight.
fn weights_agree(server: Server<'_>) {
    let text = format!("{} {}", server.name, weight(server.weight));
    if let Ok(spec) = text.parse::<ServerSpec>() {
        assert!(is_weight(spec.weight(), server.weight), "{text:?} weighs {:?}", spec.weight());
    }
}

/// Every scheme takes or refuses the option, and then places keys or says why not.
fn options_place(name: &str, value: &str) {
    let servers = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11212"].map(Server::new);
    for peer in peers::all() {
        if let Ok(scheme) = peer.scheme.with_option(name, value)
            && let Some(placement) = placement(scheme, &servers)
        {
            let key = value.as_bytes();
            assert_eq!(
                scheme.choose(&servers, key),
                Ok(placement.primary(key)),
                "{} {name}={value}",
                scheme.name
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::vector_files;

    #[test]
    fn the_files_of_peers_obey() {
        for (_, text) in vector_files() {
            let short: Vec<_> = text.lines().take(40).collect();
            lines_are_read_alike(&short.join("\n"));
        }
    }

    #[test]
    fn odd_lines_obey() {
        for text in [
            "",
            "\t",
            "# server: a 1.0",
            "# server: a 4294967295",
            "# server: a .5",
            "# server: a 1.",
            "a\\x\t0",
            "# option: =",
            "# option: a==",
            "# note: ",
            "# server: \u{a0} 1",
            "#\t#",
            "# server: a 0.1000000000000000055",
        ] {
            lines_are_read_alike(text);
        }
    }
}
