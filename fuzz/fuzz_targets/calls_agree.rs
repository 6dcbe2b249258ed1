#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::{codec::Stream, connection::calls_agree};

fuzz_target!(|stream: Stream<'_>| calls_agree(&stream));
