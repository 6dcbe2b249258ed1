//! Where keys are today is where they will be.

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use memring_core::{
    Placement, Scheme, Server, ServerIndex, peers,
    storage::{Boxed, Fixed, FixedWide, Storage as _},
    vector::{Header, Line, unescape},
};

use super::words::vector_files;

/// Some keys of one of the files of what peers did, and how to ask for them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Pick {
    file: u16,
    row: u16,
    rows: u8,
    form: Form,
}

/// What holds a placement.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Form {
    Nothing,
    Boxed,
    Many,
    Fixed,
    Wide,
    Prebuilt,
    Rebuilt,
}

/// Every file, read.
static FILES: LazyLock<Vec<File>> =
    LazyLock::new(|| vector_files().map(|(name, text)| File::read(name.leak(), text.leak())).collect());

/// What a peer did with some servers and keys.
struct File {
    name: &'static str,
    scheme: Scheme<'static>,
    servers: Vec<Server<'static>>,
    rows: Vec<(Vec<u8>, usize)>,
}

impl File {
    fn read(name: &'static str, text: &'static str) -> Self {
        let mut scheme = None;
        let (mut options, mut servers, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for line in text.lines() {
            match Line::parse(line).unwrap_or_else(|error| panic!("{name}: {error}")) {
                Line::Header(Header::Scheme(name)) => scheme = Scheme::from_name(name),
                Line::Header(Header::Server(server)) => servers.push(server),
                Line::Header(Header::Option(name, value)) => options.push((name, value)),
                Line::Header(_) => {}
                Line::Key { escaped, servers } => {
                    let key = unescape(escaped.as_bytes()).collect::<Result<_, _>>().expect("a key");
                    let first = servers.split(',').next().and_then(|index| index.parse().ok());
                    rows.push((key, first.expect("a server")));
                }
            }
        }
        let scheme = options.into_iter().fold(scheme.expect("a scheme"), |scheme, (option, value)| {
            scheme
                .with_option(option, value)
                .unwrap_or_else(|error| panic!("{name}: {option}={value}: {error}"))
        });
        Self { name, scheme, servers, rows }
    }
}

/// The keys of a peer's file are where the peer had them, whatever holds the placement.
pub fn placements_never_change(pick: Pick) {
    let file = &FILES[usize::from(pick.file) % FILES.len()];
    let start = usize::from(pick.row) % file.rows.len();
    let rows: Vec<_> = file.rows.iter().skip(start).take(1 + usize::from(pick.rows)).collect();
    let (scheme, servers) = (file.scheme, &file.servers[..]);
    let found: Vec<Option<ServerIndex>> = match pick.form {
        Form::Nothing => rows.iter().map(|(key, _)| scheme.choose(servers, key).ok()).collect(),
        Form::Boxed => {
            let placement = Placement::build(scheme, servers, Boxed::default()).unwrap();
            rows.iter().map(|(key, _)| Some(placement.primary(key))).collect()
        }
        Form::Many => {
            let placement = Placement::build(scheme, servers, Boxed::default()).unwrap();
            let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
            let mut out = vec![ServerIndex::default(); keys.len()];
            placement.place_many(&keys, &mut out);
            out.into_iter().map(Some).collect()
        }
        Form::Fixed => {
            let Ok(placement) = Placement::build(scheme, servers, Fixed::<8192, 128>::new()) else { return };
            rows.iter().map(|(key, _)| Some(placement.primary(key))).collect()
        }
        Form::Wide => {
            let Ok(placement) = Placement::build(scheme, servers, FixedWide::<4096>::new()) else { return };
            rows.iter().map(|(key, _)| Some(placement.primary(key))).collect()
        }
        Form::Prebuilt => {
            let built = Placement::build(scheme, servers, Boxed::default()).unwrap();
            let placement = Placement::prebuilt(scheme, servers, built.storage().entries());
            rows.iter().map(|(key, _)| Some(placement.primary(key))).collect()
        }
        Form::Rebuilt => {
            let Ok(mut placement) = Placement::build(scheme, &servers[..1], Boxed::default()) else { return };
            placement.rebuild(servers).unwrap();
            rows.iter().map(|(key, _)| Some(placement.primary(key))).collect()
        }
    };
    for ((key, expected), found) in rows.iter().zip(found) {
        let key = key.escape_ascii();
        assert_eq!(found.map(ServerIndex::get), Some(*expected), "{} {key} {:?}", file.name, pick.form);
    }
}

/// Where a million keys are on seven servers of unequal weight, in one number.
pub fn digest_of(scheme: Scheme<'_>) -> Option<u64> {
    let names: Vec<String> = (1..=7).map(|host| format!("10.1.2.{host}:112{}", 10 + host % 3)).collect();
    let servers: Vec<_> =
        names.iter().zip([1, 1, 2, 3, 1, 5, 4]).map(|(name, w)| Server::new(name).weighing(w)).collect();
    let placement = Placement::build(scheme, &servers[..], Boxed::default()).ok()?;
    let digest = (0..1_000_000_u32).fold(FNV_OFFSET, |digest, number| {
        let server = placement.primary(format!("user:{number}:name").as_bytes());
        (digest ^ server.get() as u64).wrapping_mul(FNV_PRIME)
    });
    Some(digest)
}

/// A line for each scheme: its name, and what it makes of a million keys.
pub fn digests() -> String {
    let line = |peer: &peers::Peer| {
        let digest = digest_of(peer.scheme).map_or("none".to_owned(), |digest| format!("{digest:016x}"));
        format!("{}\t{digest}\n", peer.scheme.name)
    };
    peers::all().map(line).collect()
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_holds_in_every_form() {
        use Form::{Boxed, Fixed, Many, Nothing, Prebuilt, Rebuilt, Wide};
        let forms = [Nothing, Boxed, Many, Fixed, Wide, Prebuilt, Rebuilt];
        for file in 0..FILES.len() as u16 {
            for (row, form) in (0..).zip(forms) {
                placements_never_change(Pick { file, row: row * 50, rows: 50, form });
            }
        }
    }

    /// What changes here changes where users' keys are. Schemes may join; no line may change. With a new scheme:
    /// `cargo run --release --manifest-path fuzz/Cargo.toml --example digests > fuzz/src/placement/golden/digests.tsv`.
    #[test]
    fn a_million_keys_are_where_they_were() {
        assert_eq!(
            digests(),
            include_str!("golden/digests.tsv"),
            "a scheme places keys elsewhere than before"
        );
    }
}
