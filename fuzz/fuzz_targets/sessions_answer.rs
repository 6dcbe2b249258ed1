#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{Stream, sessions_answer};

fuzz_target!(|stream: Stream<'_>| sessions_answer(&stream));
