#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{Stream, request_cuts_agree};

fuzz_target!(|stream: Stream<'_>| request_cuts_agree(&stream));
