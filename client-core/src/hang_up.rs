//! A server that hangs up at a command, because it does not know it: as twemproxy does, and no memcached.
//!
//! What is seen is a closed connection, as of a server that fails. The difference shows when another command is answered
//! right after it, and, where the first may be sent again, when that ends in the same way.

use memring_text::{Get, Key, Request, request::GetVerb};

use crate::failure::Cause;

/// Whether there are servers, or proxies before them, that may not know the command. All know the verbs that store, delete
/// and count, `get` and `gets`.
#[must_use]
pub const fn may_be_unknown(request: &Request<'_>) -> bool {
    match request {
        Request::Get(get) => !matches!(get.verb, GetVerb::Get | GetVerb::Gets),
        Request::Store(_) | Request::Delete(_) | Request::Arith(_) | Request::Auth(_) | Request::Quit => {
            false
        }
        _ => true,
    }
}

/// What is asked to see whether a server answers at all. It is a miss, unless somebody has stored it.
pub const PROBE: Get<'static> = Get { verb: GetVerb::Get, key: PROBE_KEY };

const PROBE_KEY: Key<'static> = match Key::new(b"memring:is-anybody-there") {
    Ok(key) => key,
    Err(_) => unreachable!(),
};

/// Whether `probed`, the result of the [`PROBE`], shows that the server answers. To refuse is an answer.
pub fn answers<T>(probed: Result<T, &Cause>) -> bool {
    matches!(probed, Ok(_) | Err(Cause::Server(_)))
}
