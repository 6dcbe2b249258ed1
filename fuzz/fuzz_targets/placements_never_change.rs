#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::placement::{Pick, placements_never_change};

fuzz_target!(|pick: Pick| placements_never_change(pick));
