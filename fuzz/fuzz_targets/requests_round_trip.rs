#![no_main]
memring_fuzz::target!(requests_round_trip);
