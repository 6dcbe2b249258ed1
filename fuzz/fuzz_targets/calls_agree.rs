#![no_main]
memring_fuzz::target!(calls_agree);
