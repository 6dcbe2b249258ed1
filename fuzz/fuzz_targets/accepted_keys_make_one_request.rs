#![no_main]
memring_fuzz::target!(accepted_keys_make_one_request);
