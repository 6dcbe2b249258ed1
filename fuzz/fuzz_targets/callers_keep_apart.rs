#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::callers::callers_keep_apart;

fuzz_target!(|script: &[u8]| callers_keep_apart(script));
