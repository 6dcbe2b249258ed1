#![no_main]
memring_fuzz::target!(values_are_read_within_bounds);
