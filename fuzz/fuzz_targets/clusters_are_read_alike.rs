#![no_main]
memring_fuzz::target!(clusters_are_read_alike);
