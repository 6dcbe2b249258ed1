#![no_main]
memring_fuzz::target!(machines_take_any_answer);
