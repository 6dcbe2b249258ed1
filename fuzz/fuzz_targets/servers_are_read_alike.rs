#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::servers::{are_read_alike, keep_their_secrets};

fuzz_target!(|texts: (&str, &str, &str)| {
    are_read_alike(texts.0);
    keep_their_secrets(texts.0, texts.1, texts.2);
});
