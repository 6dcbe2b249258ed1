//! Schemes, servers and keys, made of whatever bytes a fuzzer has.

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use memring_core::{Placement, Scheme, Server, Weight, peers, storage::Boxed};

use super::words::accepted;

/// A scheme, some servers and some keys.
#[derive(Arbitrary, Clone, Debug, Default)]
pub struct Fleet {
    /// Which scheme, counted round.
    pub scheme: u8,
    /// What is set.
    pub options: Vec<(u8, Setting)>,
    /// The servers.
    pub servers: Vec<Listed>,
    /// Keys to place.
    pub keys: Vec<Vec<u8>>,
}

/// The value of an option.
#[derive(Arbitrary, Clone, Debug)]
pub enum Setting {
    /// One that the option takes, counted round.
    Known(u8),
    /// One of some numbers, counted round.
    Number(u8),
    /// Anything.
    Text(String),
}

/// A server.
#[derive(Arbitrary, Clone, Debug)]
pub struct Listed {
    /// What it is called.
    pub name: Name,
    /// How much it takes.
    pub load: Load,
}

/// What a server is called.
#[derive(Arbitrary, Clone, Debug)]
pub enum Name {
    /// As most are: a host and a port, often the one that peers leave out.
    Address(u8, u8, bool),
    /// Anything.
    Text(String),
}

/// How much a server takes.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// As much as any other.
    One,
    /// A small whole number, or none.
    Some(u8),
    /// Any whole number.
    Whole(u32),
    /// Hundredths.
    Real(u16),
}

/// A change: one server more, or one fewer, as one looks at it.
#[derive(Arbitrary, Clone, Debug, Default)]
pub struct Resize {
    /// With all its servers.
    pub fleet: Fleet,
    /// Which of them is the one.
    pub at: u8,
}

/// Numbers that an option may take, and some that it should not.
const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "10",
    "16",
    "31",
    "40",
    "64",
    "100",
    "127",
    "160",
    "256",
    "1000",
    "1024",
    "4096",
    "65536",
    "4294967295",
];

/// Most points of a ring; an option can ask for billions.
const MOST_POINTS: usize = 20_000;

/// Most servers of a fleet; larger ones make slow runs, not other ones.
const MOST_SERVERS: usize = 64;

/// A placement in memory of its own.
pub type Built<'f> = Placement<'f, &'f [Server<'f>], Boxed>;

impl Fleet {
    /// Any scheme with whatever options it accepts.
    pub fn scheme(&self) -> Scheme<'_> {
        let peers: Vec<_> = peers::all().collect();
        let number = usize::from(self.scheme) % peers.len();
        let peer = peers[number];
        self.options.iter().fold(peer.scheme, |scheme, (option, setting)| {
            let option = usize::from(*option) % peer.options.len().max(1);
            let Some(name) = peer.options.get(option) else { return scheme };
            match setting {
                Setting::Known(value) => {
                    let values = accepted(number, option);
                    scheme.with_option(name, values[usize::from(*value) % values.len()]).unwrap_or(scheme)
                }
                Setting::Number(value) => {
                    let number = NUMBERS[usize::from(*value) % NUMBERS.len()];
                    scheme.with_option(name, number).unwrap_or(scheme)
                }
                Setting::Text(value) => scheme.with_option(name, value).unwrap_or(scheme),
            }
        })
    }

    /// The names of the servers, each of which is there once.
    pub fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.servers.iter().take(MOST_SERVERS).map(|server| match &server.name {
            Name::Address(host, port, true) => format!("10.0.{port}.{host}:11211"),
            Name::Address(host, port, false) => format!("10.0.0.{host}:{}", 11_000 + u16::from(*port)),
            Name::Text(text) => text.clone(),
        });
        names
            .map(|name| if seen.insert(name.clone()) { name } else { format!("{name}#{}", seen.len()) })
            .collect()
    }

    /// The servers under these names.
    pub fn servers<'f>(&self, names: &'f [String]) -> Vec<Server<'f>> {
        let weights = self.servers.iter().map(|server| match server.load {
            Load::One => Weight::Whole(1),
            Load::Some(weight) => Weight::Whole(u32::from(weight % 8)),
            Load::Whole(weight) => Weight::Whole(weight),
            Load::Real(hundredths) => Weight::Real(f64::from(hundredths) / 100.0),
        });
        names.iter().zip(weights).map(|(name, weight)| Server { name, weight }).collect()
    }
}

/// The placement of these servers, unless it cannot be built or is too large to be worth it.
pub fn placement<'f>(scheme: Scheme<'f>, servers: &'f [Server<'f>]) -> Option<Built<'f>> {
    scheme.needs(servers).ok().filter(|needs| needs.entries <= MOST_POINTS)?;
    Placement::build(scheme, servers, Boxed::default()).ok()
}

/// Keys that are as likely as any others, the same at each call. They are long, because some peers' hashes make little of
/// short ones.
pub fn random_keys(count: usize) -> impl Iterator<Item = String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    // Letters that no scheme's option has a meaning for.
    let letters =
        |number: u64| (0..16).map(move |place| char::from(b'G' + (number >> (4 * place) & 15) as u8));
    (0..count).map(move |_| letters(next()).chain(letters(next())).collect())
}

#[cfg(test)]
pub mod tests {
    use std::{fs, path::Path};

    use arbitrary::Unstructured;

    use super::*;

    /// A fleet of `count` ordinary servers of weight one.
    pub fn ordinary(scheme: u8, count: u8) -> Fleet {
        let listed = |host| Listed { name: Name::Address(host, host % 5, host % 3 == 0), load: Load::One };
        Fleet { scheme, servers: (1..=count).map(listed).collect(), ..Fleet::default() }
    }

    /// How many options a scheme has.
    pub fn options(scheme: u8) -> u8 {
        let peer = peers::all().nth(scheme.into()).expect("a scheme");
        u8::try_from(peer.options.len()).unwrap()
    }

    /// Every scheme and option; of options that are not any text, every value.
    #[test]
    fn the_seeds_reach_everything() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/placement_ways_agree");
        let (mut schemes, mut values) = (BTreeSet::new(), BTreeSet::new());
        for seed in fs::read_dir(folder).unwrap() {
            let bytes = fs::read(seed.unwrap().path()).unwrap();
            let fleet = Fleet::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
            let (number, names) = (usize::from(fleet.scheme), fleet.names());
            let Some(peer) = peers::all().nth(number) else { continue };
            assert!(fleet.servers(&names).len() > 1);
            schemes.insert(peer.scheme.name);
            for (option, setting) in &fleet.options {
                let (option, Setting::Known(value)) = (usize::from(*option), setting) else { continue };
                let known = accepted(number, option);
                values.insert((peer.options[option], known[usize::from(*value) % known.len()]));
            }
        }
        for (number, peer) in peers::all().enumerate() {
            assert!(schemes.contains(peer.scheme.name), "{}", peer.scheme.name);
            for (option, name) in peer.options.iter().enumerate() {
                let known = accepted(number, option);
                let least = if known.len() <= 24 { known } else { &known[..1] };
                for value in least {
                    assert!(values.contains(&(*name, *value)), "{}: {name}={value}", peer.scheme.name);
                }
            }
        }
    }

    /// The numbers of all schemes.
    pub fn schemes() -> impl Iterator<Item = u8> {
        0..u8::try_from(peers::all().count()).unwrap()
    }
}
