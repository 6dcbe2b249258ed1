#![no_main]
memring_fuzz::target!(plan_agrees_with_keys);
