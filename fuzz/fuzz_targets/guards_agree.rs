#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::{codec::Stream, guard::guards_agree};

fuzz_target!(|stream: Stream<'_>| guards_agree(&stream));
