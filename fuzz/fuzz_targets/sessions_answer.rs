#![no_main]
memring_fuzz::target!(sessions_answer);
