//! The command line, as scripts and people meet it.
//!
//! Needs memcached and chromium in PATH.

mod bench;
mod browser;
mod clients;
mod demo;
mod doctor;
mod flush;
mod help;
mod hostile;
mod init;
mod json;
mod keys;
mod limits;
mod locate;
mod many;
mod memring;
mod page;
mod ping;
mod plan;
mod readme;
mod secure;
mod serve;
mod server;
mod servers;
mod settings;
mod spread;
mod top;
mod verbs;
mod verify;
mod warnings;
mod watch_servers;
