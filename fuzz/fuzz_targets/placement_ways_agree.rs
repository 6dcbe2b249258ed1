#![no_main]
memring_fuzz::target!(placement_ways_agree);
