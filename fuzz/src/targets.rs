//! The targets: how each makes its law's argument of a fuzzer's bytes.
//!
//! A program in `fuzz_targets` is [`target!`](crate::target) and a name from here, so what the fuzzer runs, the unit tests
//! can run on a stable compiler, and so can `examples/obey.rs`.

use core::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};

use crate::{
    callers, clients, clusters, codec,
    codec::{AnyRequest, Smuggled, Stream},
    connection, fetch, guard, meta,
    meta::AnyMeta,
    placement,
    placement::{Fleet, Pick, Resize},
    servers, small, values, vectors,
};

/// A law that takes a fuzzer's bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it is called; so are its program and the folder of its seeds.
    pub name: &'static str,
    /// Calls the law, and says whether the bytes made an argument.
    pub run: fn(&[u8]) -> bool,
    /// The argument that the bytes make, as text.
    pub shown: fn(&[u8]) -> Option<String>,
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// What `cargo fuzz` makes of bytes.
fn argument<'a, A: Arbitrary<'a> + Debug>(bytes: &'a [u8]) -> Option<A> {
    let (least, _) = A::size_hint(0);
    (bytes.len() >= least).then(|| A::arbitrary_take_rest(Unstructured::new(bytes)).ok())?
}

/// Makes a function and a row of the table for each target.
macro_rules! targets {
    ($($name:ident: $argument:ident as $type:ty => $law:expr;)*) => {
        $(
            #[doc = concat!("Calls the law of `", stringify!($name), "`, and says whether `bytes` made an argument.")]
            pub fn $name(bytes: &[u8]) -> bool {
                let Some($argument) = argument::<$type>(bytes) else { return false };
                $law;
                true
            }
        )*

        /// Every target, in the order of the names.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $name,
            shown: |bytes| argument::<$type>(bytes).map(|argument| format!("{argument:#?}")),
        }),*];
    };
}

targets! {
    accepted_keys_make_one_request: smuggled as Smuggled<'_> => codec::accepted_keys_make_one_request(&smuggled);
    callers_keep_apart: script as &[u8] => callers::callers_keep_apart(script);
    calls_agree: stream as Stream<'_> => connection::calls_agree(&stream);
    client_and_server_agree: list as Vec<AnyRequest> => codec::client_and_server_agree(&list);
    clients_tell_the_truth: script as Vec<clients::Step> => clients::clients_tell_the_truth(&script);
    clusters_are_read_alike: answer as &[u8] => clusters::are_read_alike(answer);
    drops_agree: stream as Stream<'_> => connection::drops_agree(&stream);
    exchange_cuts_agree: stream as Stream<'_> => codec::exchange_cuts_agree(&stream);
    guards_agree: stream as Stream<'_> => guard::guards_agree(&stream);
    machines_take_any_answer: script as &[u8] => fetch::machines_take_any_answer(script);
    meta_is_answered: list as Vec<AnyMeta> => meta::meta_is_answered(&list);
    meta_round_trips: list as Vec<AnyMeta> => meta::meta_round_trips(&list);
    placement_is_stable: resize as Resize => placement::placement_is_stable(&resize);
    placement_ways_agree: fleet as Fleet => placement::ways_agree(&fleet);
    placements_never_change: pick as Pick => placement::placements_never_change(pick);
    plan_adds_up: fleets as (Fleet, Fleet) => placement::plan_adds_up(&fleets);
    plan_agrees_with_keys: resize as Resize => placement::plan_agrees_with_keys(&resize);
    reply_cuts_agree: stream as Stream<'_> => codec::reply_cuts_agree(&stream);
    request_cuts_agree: stream as Stream<'_> => codec::request_cuts_agree(&stream);
    requests_round_trip: list as Vec<AnyRequest> => codec::requests_round_trip(&list);
    servers_are_read_alike: texts as (&str, &str, &str) => {
        servers::are_read_alike(texts.0);
        servers::keep_their_secrets(texts.0, texts.1, texts.2);
    };
    sessions_answer: stream as Stream<'_> => codec::sessions_answer(&stream);
    small_ways_agree: stream as Stream<'_> => small::small_ways_agree(&stream);
    typed_values_round_trip: item as values::Item<'_> => values::typed_values_round_trip(&item);
    values_are_read_within_bounds: item as values::Item<'_> => values::values_are_read_within_bounds(&item);
    vector_lines_are_read_alike: text as &str => vectors::lines_are_read_alike(text);
}

/// The program of the target `$name`.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> libfuzzer_sys::Corpus {
            if $crate::targets::$name(bytes) {
                libfuzzer_sys::Corpus::Keep
            } else {
                libfuzzer_sys::Corpus::Reject
            }
        });
    };
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    /// The names of what is in a folder, without their endings.
    fn names(path: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(folder(path)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    /// Those in git; a fuzzer leaves others beside them.
    #[test]
    fn the_seeds_obey() {
        for target in TARGETS {
            let entries = fs::read_dir(folder("corpus").join(target.name)).expect(target.name);
            let mut seeds: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            seeds.retain(|seed| seed.file_name().unwrap().to_str().unwrap().starts_with("seed-"));
            assert!(!seeds.is_empty(), "{} has no seeds", target.name);
            for seed in seeds {
                assert!((target.run)(&fs::read(&seed).unwrap()), "{} makes no argument", seed.display());
            }
        }
    }

    #[test]
    fn each_target_has_its_program_and_its_line() {
        let known: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(names("fuzz_targets"), known);
        let readme = fs::read_to_string(folder("README.md")).unwrap();
        for name in known {
            let program = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
            assert_eq!(program, format!("#![no_main]\nmemring_fuzz::target!({name});\n"));
            assert!(readme.contains(&format!("\n| `{name}` |")), "{name} is missing in README.md");
        }
    }
}
