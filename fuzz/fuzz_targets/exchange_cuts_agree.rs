#![no_main]
memring_fuzz::target!(exchange_cuts_agree);
