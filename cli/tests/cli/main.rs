//! The command line, as scripts and people meet it.

mod locate;
mod memring;
mod plan;
mod spread;
mod verify;
