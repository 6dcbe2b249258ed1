#![no_main]
memring_fuzz::target!(typed_values_round_trip);
