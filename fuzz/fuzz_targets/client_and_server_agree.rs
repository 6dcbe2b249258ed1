#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{AnyRequest, client_and_server_agree};

fuzz_target!(|requests: Vec<AnyRequest>| client_and_server_agree(&requests));
