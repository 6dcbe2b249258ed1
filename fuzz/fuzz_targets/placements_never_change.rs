#![no_main]
memring_fuzz::target!(placements_never_change);
