//! Arguments of every kind, where they are not streams, scripts of callers, or fleets.

use std::{collections::BTreeSet, io};

use memring_fuzz::{placement::vector_files, targets::Target};

use crate::write as write_seeds;

/// Writes the seeds.
pub(crate) fn write() -> io::Result<()> {
    for target in [
        "accepted_keys_make_one_request",
        "client_and_server_agree",
        "meta_is_answered",
        "meta_round_trips",
        "requests_round_trip",
    ] {
        write_seeds(target, "seed", searched(target))?;
    }
    for target in ["typed_values_round_trip", "values_are_read_within_bounds"] {
        write_seeds(target, "made", searched(target))?;
    }
    write_seeds("clients_tell_the_truth", "seed", scripts())?;
    write_seeds("clusters_are_read_alike", "seed", clusters())?;
    write_seeds("machines_take_any_answer", "seed", answers())?;
    write_seeds("placements_never_change", "seed", picks())?;
    write_seeds("vector_lines_are_read_alike", "seed", lines())?;
    write_seeds("servers_are_read_alike", "seed", servers())
}

/// The bytes by which a derived enumeration is its `number`-th of `count`.
pub(crate) fn variant(number: u32, count: u32) -> [u8; 4] {
    let least = (u64::from(number) << 32).div_ceil(u64::from(count));
    u32::try_from(least).expect("there are so many").to_le_bytes()
}

/// Bytes by chance, of which each makes an argument with a word that no other has: a kind of request, a flag, a length.
fn searched(target: &str) -> Vec<Vec<u8>> {
    let target = Target::named(target).expect("a target");
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let mut seen = BTreeSet::new();
    let mut seeds = Vec::new();
    for turn in 0..4_000 {
        let bytes: Vec<u8> = (0..20 + turn % 140).map(|_| random()).collect();
        let Some(shown) = (target.shown)(&bytes) else { continue };
        let words = shown.split(|letter: char| !letter.is_ascii_alphabetic() && letter != '_');
        let fields = shown.lines().filter(|line| line.contains("verb:") || line.contains(": true"));
        let new = words.chain(fields).filter(|word| seen.insert(word.trim().to_owned())).count();
        if new > 0 && seeds.len() < 60 {
            seeds.push(bytes);
        }
    }
    seeds
}

/// What servers say of their cluster, rightly and not.
fn clusters() -> Vec<Vec<u8>> {
    let answers = [
        "CONFIG cluster 0 60\r\n12\na.example|10.0.0.1|11211 |10.0.0.2|7\n\r\nEND\r\n",
        "VALUE AmazonElastiCache:cluster 0 1\r\n1\r\na.example.||011211 a.example||11211\r\nEND\r\n",
        "CONFIG cluster 0 1\n1\n|::ffff:10.0.0.1|1 v6|fd00::1|2\n\nEND\n",
        "CONFIG cluster 0 1\r\n\r\nEND\r\n",
        "CONFIG cluster 0 1\r\n1\na||1\nb||2\nEND\r\n",
        "CONFIG cluster 0 1\r\n99999999999999999999\na||1\nEND\r\n",
        "ERROR\r\n",
        "END\r\n",
        "SERVER_ERROR out of memory\r\n",
    ];
    answers.map(|answer| answer.as_bytes().to_vec()).into()
}

/// Answers by chance, ever more of them.
fn answers() -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..20).map(|number| (0..10 * number).map(|_| random()).collect()).collect()
}

/// Each operation with each fate, and those that come whole around it.
fn scripts() -> Vec<Vec<u8>> {
    let step = |ask, fate, byte: &[u8]| [&[1][..], &variant(ask, 4), &[1], &variant(fate, 5), byte].concat();
    let fates = (0..5).flat_map(|fate| [0, 1, 2, 7, 20].map(|byte| (fate, byte)));
    let each = fates.flat_map(|(fate, byte)| (0..4).map(move |ask| (ask, fate, byte)));
    let each = each.filter(|(_, fate, byte)| *fate > 0 || *byte == 0);
    each.map(|(ask, fate, byte)| {
        let byte = if fate == 0 { &[][..] } else { &[byte] };
        [
            step(2, 0, &[]),
            step(ask, fate, byte),
            step(0, 0, &[]),
            step(ask, fate, byte),
            step(1, 0, &[]),
            vec![0],
        ]
        .concat()
    })
    .collect()
}

/// Some rows of every tenth file, held in one form after the other.
fn picks() -> Vec<Vec<u8>> {
    let files = u16::try_from(vector_files().count()).expect("not so many");
    let pick = |(turn, file): (u32, u16)| {
        [&file.to_le_bytes()[..], &(file * 3).to_le_bytes(), &[20], &variant(turn % 7, 7)].concat()
    };
    (0..).zip((0..files).step_by(10)).map(pick).collect()
}

/// The heads of files, and the keys that are the oddest: one file for each scheme and option.
fn lines() -> Vec<Vec<u8>> {
    let mut seen = BTreeSet::new();
    let files = vector_files().filter_map(|(_, text)| {
        let words = text.lines().filter(|line| line.starts_with("# scheme") || line.starts_with("# option"));
        let new = words.filter(|line| seen.insert((*line).to_owned())).count();
        let lines = text.lines().filter(|line| line.starts_with("# ") || line.contains("\\x")).take(16);
        (new > 0).then(|| lines.collect::<Vec<_>>().join("\n").into_bytes())
    });
    files.filter(|text| text.len() < 800).take(60).collect()
}

/// What is documented of servers, and what is refused; secrets and all.
fn servers() -> Vec<Vec<u8>> {
    let table = include_str!("../../../client-core/doc/servers.md");
    let documented = table.split('`').skip(1).step_by(2).map(str::to_owned);
    let refused = include_str!("../../../client-core/tests/servers/refused.tsv");
    let refused = refused.lines().filter_map(|row| Some(row.split('\t').next()?.replace("\\n", "\n")));
    // The lengths of the first two texts stand behind all three.
    let texts = documented.chain(refused).filter(|text| text.len() < 100);
    texts.map(|text| [text.as_bytes(), &[0, text.len() as u8]].concat()).collect()
}
