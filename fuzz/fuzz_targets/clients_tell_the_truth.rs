#![no_main]
memring_fuzz::target!(clients_tell_the_truth);
