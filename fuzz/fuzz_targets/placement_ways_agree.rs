#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::placement::{Fleet, ways_agree};

fuzz_target!(|fleet: Fleet| ways_agree(&fleet));
