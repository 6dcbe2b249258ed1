#![no_main]
memring_fuzz::target!(placement_is_stable);
