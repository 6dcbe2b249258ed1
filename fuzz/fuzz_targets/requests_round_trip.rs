#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::codec::{AnyRequest, requests_round_trip};

fuzz_target!(|requests: Vec<AnyRequest>| requests_round_trip(&requests));
