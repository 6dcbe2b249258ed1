#![no_main]
memring_fuzz::target!(reply_cuts_agree);
