#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{Smuggled, accepted_keys_make_one_request};

fuzz_target!(|smuggled: Smuggled<'_>| accepted_keys_make_one_request(&smuggled));
