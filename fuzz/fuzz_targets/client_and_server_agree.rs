#![no_main]
memring_fuzz::target!(client_and_server_agree);
