//! Changes of servers without lost hits and without old values: the decisions, as machines.
//!
//! In a transition a key may have two servers: the *old* one and the *new* one. A key of which both are the same is not
//! touched by any of this. [`Course`] says which [`Phase`] the client is in, and [`Moved`] what an operation on a moved key
//! sends to which of the two, and in which order. Neither opens, waits or reads a clock.
//!
//! | | read | set | delete | incr, decr |
//! |---|---|---|---|---|
//! | [`Guard`](Phase::Guard) | old | old, then delete new | delete old, then new | old, then delete new |
//! | [`Prepare`](Phase::Prepare) | old, then new | the same | the same | the same |
//! | [`Move`](Phase::Move) | mark new; if that was empty, *take* from old | delete old, then new | the same | mark or take, *wipe* old, then new |
//! | [`Seal`](Phase::Seal) | new | delete old, then new | the same | delete old, then new |
//!
//! - A **mark** is an empty item that `mg … N` makes in the new place, and says who made it. Whoever made it, and nobody else,
//!   may bring the old item over, by the mark's cas: so a change in between makes that fail.
//! - A **take** is: mark the new place, read the old one, delete there what was read by its cas, store it over the mark.
//! - A **wipe** is the delete of the old item before the new one is changed, though the new one is there.
//!
//! # Who may be in which phase at the same time
//! Guard, Prepare, Move and Seal may be mixed in any way. Two lines must be kept: **nobody is in Prepare or later while anybody
//! still uses the old list alone, and nobody is done while anybody is in Guard, Prepare or Move.** Back from Move leads through
//! Prepare and Guard. `simulation` has processes in all of these mixes, and shows that no read is stale; and that the rule that
//! comes to mind first (read new, then old, `add` what was found) is.
//!
//! # What differs from the plan for it
//! - An item is taken away by `ms … C T-1` on every server, and not by `md … C`, which never matches on memcached 1.6.10 to
//!   1.6.16: one way for all versions. It stores an empty item that has expired already, so that nothing can be read of it.
//! - The time that a mark tells (`t-1`) is never copied: what is stored over it has the time that the old item had left.
//! - A mark that is not needed any more is always taken away, also where the old item could not be taken.
//! - A counter whose item is just being taken by another process is waited for, and not told to be missing.
//! - `replace` and `add` have rules; `append`, `prepend`, `touch`, `gat`, batches and the relatives of `fetch` have none for
//!   moved keys: clients refuse them. [`fetch`](crate::fetch) itself loads, and stores nothing.
//! - Many keys are read one after the other where they move, and not in three rounds.
//! - Servers without meta commands, or without cas uniques, are refused; there is no rule without marks.
//! - A failure of the old server fails what needs it, always.
//! - Items that are marked stale, as `invalidate` leaves them, are not moved: their mark would be lost.

mod course;
mod motion;
mod moved;
#[cfg(test)]
mod simulation;

pub use course::{Course, Phase, Transition, TransitionError};
pub use motion::{Crossed, Crossing, TransitionCounts, TransitionStatus, read_token, token};
pub(crate) use motion::{Motion, check_many};
pub use moved::{Moved, Next, Outcome, Side, Verb, is_mark};
