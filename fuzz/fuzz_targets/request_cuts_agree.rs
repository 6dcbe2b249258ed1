#![no_main]
memring_fuzz::target!(request_cuts_agree);
