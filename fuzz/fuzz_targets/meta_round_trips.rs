#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::meta::{AnyMeta, meta_round_trips};

fuzz_target!(|requests: Vec<AnyMeta>| meta_round_trips(&requests));
