#![no_main]
memring_fuzz::target!(callers_keep_apart);
