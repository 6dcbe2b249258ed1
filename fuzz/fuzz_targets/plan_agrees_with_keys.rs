#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::placement::{Resize, plan_agrees_with_keys};

fuzz_target!(|resize: Resize| plan_agrees_with_keys(&resize));
