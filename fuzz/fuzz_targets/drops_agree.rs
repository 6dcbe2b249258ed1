#![no_main]
memring_fuzz::target!(drops_agree);
