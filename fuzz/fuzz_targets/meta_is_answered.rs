#![no_main]
memring_fuzz::target!(meta_is_answered);
