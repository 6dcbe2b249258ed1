#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::placement::{Resize, placement_is_stable};

fuzz_target!(|resize: Resize| placement_is_stable(&resize));
