#![no_main]
memring_fuzz::target!(meta_round_trips);
