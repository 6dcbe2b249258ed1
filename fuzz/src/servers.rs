//! Laws of how servers are written.

use memring_client::spec::{ServerList, ServerSpec, entries};
use memring_core::{AsServer, Weight, peers::pymemcache::PYMEMCACHE_RENDEZVOUS};

/// What is accepted is shown as what is read as the same; lines are read alone as they are read together; and the command
/// that places keys, and both clients, have the same servers.
pub fn are_read_alike(text: &str) {
    let whole = text.parse::<ServerList>();
    let _ = format!("{whole:?} {:?}", entries(text));
    let Ok(whole) = whole else { return };
    let whole: Vec<ServerSpec> = whole.into_iter().collect();
    for spec in &whole {
        let shown = spec.to_string();
        let again: ServerSpec = shown.parse().unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        let said = |spec: &ServerSpec| (spec.name().to_owned(), spec.address().clone(), spec.is_encrypted());
        assert_eq!(said(&again), said(spec), "{shown:?}");
        assert!(is_weight(again.weight(), spec.weight()), "{shown:?}");
        assert_eq!(spec.address().to_string().parse(), Ok(spec.address().clone()));
    }
    // A file is read as a whole by the commands; who goes by lines reads the same.
    let lines = text.split('\n').filter(|line| !line.trim().is_empty());
    let lines = lines.flat_map(|line| line.parse::<ServerList>().expect("each line is right"));
    assert_eq!(lines.collect::<Vec<_>>(), whole);
    // As `memring where` goes.
    let placed: Vec<_> =
        entries(text).expect("it is right").iter().map(|entry| entry.read().unwrap()).collect();
    let placed: Vec<_> = placed.iter().map(AsServer::as_server).collect();
    assert_eq!(placed, whole.iter().map(AsServer::as_server).collect::<Vec<_>>());
    if whole.is_empty() || whole.iter().any(ServerSpec::is_encrypted) {
        return;
    }
    let std = memring_std::Client::builder()
        .scheme(PYMEMCACHE_RENDEZVOUS)
        .servers([text])
        .build()
        .expect("it is right");
    let tokio = memring_tokio::Client::builder()
        .scheme(PYMEMCACHE_RENDEZVOUS)
        .servers([text])
        .build()
        .expect("it is right");
    assert_eq!(std.servers().into_iter().map(|status| status.spec).collect::<Vec<_>>(), whole);
    assert_eq!(tokio.servers().into_iter().map(|status| status.spec).collect::<Vec<_>>(), whole);
}

/// Whether two weights are the same: a fraction of more digits than the core reads may differ in the last bit.
pub(crate) fn is_weight(one: Weight, other: Weight) -> bool {
    match (one, other) {
        (Weight::Real(one), Weight::Real(other)) => (one - other).abs() <= 2.0 * f64::EPSILON * other,
        _ => one == other,
    }
}

/// A password is in nothing that is shown of a list, whether that is right or wrong: `before` and `behind` are around the
/// URL, `rest` is the end of the password.
pub fn keep_their_secrets(before: &str, rest: &str, behind: &str) {
    let clean = [before, rest, behind].map(|text| text.replace(SECRET, ""));
    let [before, rest, behind] = clean;
    for between in [",", " ", "\n", "x="] {
        let text = format!("{before}{between}memcached://bob:{SECRET}{rest}@{behind}");
        let (list, entries) = (text.parse::<ServerList>(), entries(&text));
        let mut shown = format!("{list:?} {entries:?}");
        match list {
            Ok(list) => {
                list.into_iter().for_each(|spec| shown += &format!("\n{spec} {spec:?} {}", spec.name()))
            }
            Err(error) => shown += &format!("\n{error}"),
        }
        for entry in entries.iter().flatten() {
            match entry.as_written() {
                Ok(server) => shown += &format!("\n{}", server.name),
                Err(error) => shown += &format!("\n{error}"),
            }
        }
        let builder = memring_std::Client::builder().servers([&text]);
        shown += &format!("\n{builder:?}");
        shown += &builder
            .build()
            .map_or_else(|error| format!("\n{error} {error:?}"), |client| format!("\n{client:?}"));
        assert!(!shown.contains(SECRET), "{text:?}: {shown}");
    }
}

/// A password that is in no text of ours.
const SECRET: &str = "s3cR3t";

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of texts, which a seeded generator puts together.
    const PARTS: [&str; 64] = [
        "a",
        "b.example",
        "10.0.0.1",
        "[::1]",
        "::1",
        "/run/m.sock",
        "/a",
        ":1",
        ":0",
        ":11211",
        ":x",
        ":2",
        " 2",
        " 2.5",
        " 3.0",
        " 0",
        " -1",
        ",",
        " ",
        "\n",
        "\r\n",
        "\t",
        "#",
        " #",
        "=",
        "eu1=",
        "/b=",
        "?weight=2",
        "?timeout=1",
        "?",
        "@",
        "memcached://",
        "memcacheds://",
        "tcp://",
        "unix:///",
        "unix:/",
        "unix:",
        "redis://",
        "bob:pw@",
        "%20",
        "%3A",
        "%2C",
        "%zz",
        "%",
        "%25eth0",
        "%eth0",
        "\u{feff}",
        "é",
        "\u{a0}",
        "\u{0}",
        "\"",
        "'",
        ";",
        "/",
        "-",
        ".",
        "..",
        "//",
        "&",
        "4294967295",
        "4294967296",
        ":1:2",
        "x=",
        "0.1",
    ];

    #[test]
    fn texts_of_all_parts_obey() {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut accepted = 0;
        for _ in 0..20_000 {
            let mut text = || (0..1 + random(6)).map(|_| PARTS[random(PARTS.len())]).collect::<String>();
            let text = [text(), text(), text()];
            accepted += usize::from(text[0].parse::<ServerList>().is_ok());
            are_read_alike(&text[0]);
            keep_their_secrets(&text[0], &text[1], &text[2]);
        }
        assert!(accepted > 1_500, "{accepted} were accepted");
    }

    /// The end of one message and the beginning of another were taken for a password.
    #[test]
    fn what_is_shown_of_one_server_stands_apart_from_another() {
        keep_their_secrets("3cR3tone=1", "0.0", ".01:1112.1,two=10.");
    }

    #[test]
    fn documented_forms_obey() {
        let table = include_str!("../../client-core/doc/servers.md");
        let written = table.split('`').skip(1).step_by(2);
        let accepted =
            written.inspect(|text| are_read_alike(text)).filter(|text| text.parse::<ServerList>().is_ok());
        assert!(accepted.count() > 20);
        for row in include_str!("../../client-core/tests/servers/refused.tsv").lines() {
            let text = row.split('\t').next().unwrap_or_default();
            keep_their_secrets(text, text, text);
        }
    }
}
