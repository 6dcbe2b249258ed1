#![no_main]
memring_fuzz::target!(servers_are_read_alike);
