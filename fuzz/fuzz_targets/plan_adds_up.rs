#![no_main]
memring_fuzz::target!(plan_adds_up);
