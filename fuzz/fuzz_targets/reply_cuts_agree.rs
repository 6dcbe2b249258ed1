#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{Stream, reply_cuts_agree};

fuzz_target!(|stream: Stream<'_>| reply_cuts_agree(&stream));
