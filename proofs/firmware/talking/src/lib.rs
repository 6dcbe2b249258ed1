//! What the programs here stand on: a board with its clock and console, its network chip, and TCP in two forms.
//!
//! `board` is below all, `lan9118` moves frames, `tcp` makes blocking sockets of it with smoltcp, `tasks` async ones with
//! embassy. Only `board` and `lan9118` touch the machine, and nothing else here is `unsafe`.
#![no_std]
#![deny(unsafe_code)]

pub mod board;
pub mod checks;
pub mod fleet;
mod lan9118;
pub mod standing;
pub mod tasks;
pub mod tcp;
