#![no_main]
memring_fuzz::target!(guards_agree);
