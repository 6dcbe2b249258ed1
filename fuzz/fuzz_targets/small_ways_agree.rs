#![no_main]
memring_fuzz::target!(small_ways_agree);
