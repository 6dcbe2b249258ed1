#![no_main]
use libfuzzer_sys::fuzz_target;
use memring_fuzz::placement::{Fleet, plan_adds_up};

fuzz_target!(|fleets: (Fleet, Fleet)| plan_adds_up(&fleets));
