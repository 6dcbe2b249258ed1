//! What verbs make of the outcomes of the protocol.

use memring_text::StoreOutcome;

use crate::failure::Cause;

/// The result of `set`, which stores in any case.
///
/// # Errors
/// [`Cause::NotStored`]: the server has not stored the value.
pub fn must_be_stored(outcome: StoreOutcome) -> Result<(), Cause> {
    if outcome == StoreOutcome::Stored { Ok(()) } else { Err(Cause::NotStored) }
}

/// The result of `add`, `replace` and the like: whether the value is stored.
///
/// # Errors
/// None: it has the type of what reads an outcome.
pub fn is_stored(outcome: StoreOutcome) -> Result<bool, Cause> {
    Ok(outcome == StoreOutcome::Stored)
}
