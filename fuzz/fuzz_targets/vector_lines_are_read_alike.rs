#![no_main]
memring_fuzz::target!(vector_lines_are_read_alike);
