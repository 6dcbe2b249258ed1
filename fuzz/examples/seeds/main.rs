//! Writes seeds for all targets: what went there and back in the transcripts of real servers, scripts, and arguments of
//! every kind.
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --example seeds
//! ```
//!
//! In git are the files named `seed-…`, which a unit test runs. Where most of what is made reaches no code that the others do
//! not, of transcripts above all, all of it is named `made-…` and stays out of git, and what is new in it is kept as a seed.

mod fleets;
mod kinds;

use std::{collections::HashSet, fs, io, path::Path};

use memring_fuzz::{
    callers::Action,
    transcripts::{self, Way},
};

/// Longer ones are slow, and say nothing new.
const MAX_LEN: usize = 400;

fn main() -> io::Result<()> {
    let requests = short_ones(Way::Requests);
    let replies = short_ones(Way::Replies);
    write_streams("request_cuts_agree", &requests, |_| [0, 0])?;
    write_streams("sessions_answer", &requests, |_| [0, 0])?;
    write_streams("reply_cuts_agree", &replies, |_| [0, 0])?;
    // Items answer a get; everything else, a request that nobody waits for.
    let asked = |bytes: &[u8]| if bytes.starts_with(b"VALUE") { [0, 11] } else { [11, 11] };
    write_streams("exchange_cuts_agree", &replies, asked)?;
    // What a connection is asked for is the reply's kind, as well as there is one.
    let asked = |bytes: &[u8]| match bytes {
        [b'V', b'A', ..] => [0, 1],
        [b'S', ..] => [2, 2],
        [b'D' | b'N', ..] => [4, 2],
        _ => [5, 0],
    };
    write_streams("calls_agree", &replies, asked)?;
    // Items answer a get; a number, a count; everything else, a set.
    write_streams("small_ways_agree", &replies, |bytes| match bytes.first() {
        Some(b'V') => [0, 0],
        Some(b'0'..=b'9') => [7, 0],
        _ => [3, 0],
    })?;
    write_streams("drops_agree", &replies, asked)?;
    write_streams("guards_agree", &logins(), |_| [0, 0])?;
    write_scripts("callers_keep_apart")?;
    fleets::write()?;
    kinds::write()
}

/// Right and wrong logins, and what comes before or in place of one.
fn logins() -> Vec<Vec<u8>> {
    const LOGIN: &str = "set auth 0 0 12\r\nalice s3cret\r\n";
    let texts = [
        LOGIN.to_owned(),
        LOGIN.replace("s3cret", "secret"),
        LOGIN.replace("alice", "bob"),
        LOGIN.replace("12", "13"),
        LOGIN.replace("12", "11"),
        LOGIN.replace("12", "12 noreply"),
        LOGIN.replace(" s3", "_s3"),
        format!("{LOGIN}get k\r\n"),
        format!("{}{LOGIN}", LOGIN.replace("s3cret", "S3CRET")),
        format!("get k\r\n{LOGIN}"),
        format!("version\r\n{LOGIN}"),
        format!("quit\r\n{LOGIN}"),
        "ms auth 12\r\nalice s3cret\r\n".to_owned(),
        "set auth 0 0 0\r\n\r\n".to_owned(),
        "set auth 0 0 70000\r\n".to_owned(),
        "set auth 0 0 -1\r\n".to_owned(),
        format!("mn\r\n{LOGIN}"),
        "\r\n".to_owned(),
    ];
    texts.map(String::into_bytes).to_vec()
}

/// Three ask, the second goes away in the middle of the first reply; or something else comes instead.
fn write_scripts(target: &str) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    let foreign = [
        &b"VALUE kk 0 1\r\nx\r\nEND\r\n"[..],
        b"VALUE k 0 1 7\r\nx\r\nEND\r\n",
        b"VA 1 O0\r\nx\r\n",
        b"CLIENT_ERROR bad\r\n",
        b"STAT a b\r\nEND\r\n",
        b"ERROR\r\n",
    ];
    for what in 0..16 {
        for as_it_is in [false, true] {
            let mut script = Vec::new();
            let mut put =
                |actions: &[Action<'_>]| actions.iter().for_each(|action| action.write(&mut script));
            put(&[Action::Ask(4, 0), Action::Ask(what, 0), Action::Ask(15 - what, 1), Action::Ask(what, 2)]);
            put(&[Action::Deliver(12), Action::Leave { which: u8::from(as_it_is), as_it_is }]);
            if as_it_is {
                put(&[Action::Inject(foreign[usize::from(what) % foreign.len()])]);
            }
            put(&[Action::Deliver(usize::MAX), if as_it_is { Action::Close } else { Action::Overdue }]);
            fs::write(folder.join(format!("seed-{what:02}-{}", u8::from(as_it_is))), script)?;
        }
    }
    Ok(())
}

fn short_ones(way: Way) -> Vec<Vec<u8>> {
    let mut known = HashSet::new();
    let mut all = transcripts::all(way);
    all.retain(|bytes| bytes.len() <= MAX_LEN && known.insert(bytes.clone()));
    all
}

/// Writes `seeds` behind the head that says where to cut, and what is asked for.
fn write_streams(target: &str, seeds: &[Vec<u8>], asked: impl Fn(&[u8]) -> [u8; 2]) -> io::Result<()> {
    let cuts = [5, 0, 11, 0, 19, 0];
    write(target, "made", seeds.iter().map(|bytes| [&cuts[..], &asked(bytes), bytes].concat()))
}

/// Writes `seeds` into the target's folder, by `name` and their numbers.
fn write(target: &str, name: &str, seeds: impl IntoIterator<Item = Vec<u8>>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("{name}-{number:03}")), seed)?;
    }
    Ok(())
}
