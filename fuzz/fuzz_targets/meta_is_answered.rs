#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::meta::{AnyMeta, meta_is_answered};

fuzz_target!(|requests: Vec<AnyMeta>| meta_is_answered(&requests));
