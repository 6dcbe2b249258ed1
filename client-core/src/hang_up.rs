//! Servers that hang up at a command which they do not know: twemproxy does, and no memcached.
//!
//! The client sees a closed connection, as when a server fails. Such a server answers another command right after it, and
//! closes the connection again at a [`Witness`] of the first. To find that out costs connections and, where many callers share
//! one, their requests: so the client remembers it.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use memring_text::{Get, Key, Request, request::GetVerb};

use crate::failure::Cause;

mod batch;

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

/// The request that shows whether a server answers at all. It is a miss unless somebody has stored the key.
pub const PROBE: Get<'static> = Get { verb: GetVerb::Get, key: PROBE_KEY };

const PROBE_KEY: Key<'static> = match Key::new(b"memring:is-anybody-there") {
    Ok(key) => key,
    Err(_) => unreachable!(),
};

/// A second request, at which a server must hang up, too, before it is held to hang up at a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The request itself, which may be sent again.
    Itself,
    /// `mn`: the request changes something, and a server that does not know one meta command knows none.
    Noop,
    /// None: the request changes something, and no other request is like it.
    Nobody,
}

impl Witness {
    /// The witness of `request`.
    #[must_use]
    pub fn of(request: &Request<'_>) -> Self {
        match request {
            _ if request.may_retry(1) => Self::Itself,
            Request::Meta(_) | Request::Lease(_) => Self::Noop,
            _ => Self::Nobody,
        }
    }
}

/// Whether `probed`, the result of the [`PROBE`], shows that the server answers. To refuse is an answer.
pub fn answers<T>(probed: Result<T, &Cause>) -> bool {
    matches!(probed, Ok(_) | Err(Cause::Server(_)))
}

/// The commands at which one server is known to hang up. Each is known for [a minute](REMEMBERED), in which the server may be
/// replaced by one that knows it.
#[derive(Debug, Default)]
pub(crate) struct HangUps {
    /// Whether there are any, to be read without the lock.
    are_there: AtomicBool,
    known: Mutex<Vec<(Box<[u8]>, Instant)>>,
}

/// How long a server is not sent again what it hangs up at.
pub const REMEMBERED: Duration = Duration::from_secs(60);

impl HangUps {
    /// Whether any command is known.
    #[inline]
    pub(crate) fn are_there(&self) -> bool {
        self.are_there.load(Ordering::Relaxed)
    }

    /// Whether the command of `request` is known `now`.
    #[cold]
    pub(crate) fn at(&self, request: &Request<'_>, now: Instant) -> bool {
        let parts = request.parts();
        let mut known = self.known();
        known.retain(|(_, until)| now < *until);
        self.are_there.store(!known.is_empty(), Ordering::Relaxed);
        known.iter().any(|(command, _)| **command == *word(parts.head.as_bytes()))
    }

    /// Notes the command of `request`, and that it is known `now`.
    pub(crate) fn note(&self, request: &Request<'_>, now: Instant) {
        let parts = request.parts();
        let command = word(parts.head.as_bytes());
        let mut known = self.known();
        known.retain(|(other, _)| **other != *command);
        known.push((command.into(), now + REMEMBERED));
        self.are_there.store(true, Ordering::Relaxed);
    }

    /// The server may be another one.
    pub(crate) fn forget(&self) {
        if self.are_there() {
            self.known().clear();
            self.are_there.store(false, Ordering::Relaxed);
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<(Box<[u8]>, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The command that a line begins with.
fn word(line: &[u8]) -> &[u8] {
    line.split(|byte| matches!(byte, b' ' | b'\r')).next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use memring_text::request::Verbosity;

    use super::*;

    #[test]
    fn a_command_is_known_for_a_minute_or_until_the_server_is_another() {
        let (hang_ups, now) = (HangUps::default(), Instant::now());
        let get = |verb| Request::Get(Get { verb, key: PROBE.key });
        let verbosity = |level| Request::Verbosity(Verbosity { level, noreply: false });
        assert!(!hang_ups.are_there());
        hang_ups.note(&get(GetVerb::Gat(1)), now);
        hang_ups.note(&verbosity(1), now + REMEMBERED / 2);
        let known = |request, after| hang_ups.at(&request, now + after);
        assert!(known(get(GetVerb::Gat(2)), Duration::ZERO) && known(verbosity(2), Duration::ZERO));
        assert!(!known(get(GetVerb::Gats(1)), Duration::ZERO) && !known(Request::Version, Duration::ZERO));
        assert!(!known(get(GetVerb::Gat(1)), REMEMBERED) && known(verbosity(1), REMEMBERED));
        hang_ups.note(&Request::Version, now);
        assert!(known(Request::Version, Duration::ZERO));
        hang_ups.forget();
        assert!(!hang_ups.are_there() && !known(Request::Version, Duration::ZERO));
    }

    #[test]
    fn all_servers_know_the_first_verbs() {
        let get = |verb| Request::Get(Get { verb, key: PROBE.key });
        for known in [get(GetVerb::Get), get(GetVerb::Gets), Request::Quit] {
            assert!(!may_be_unknown(&known), "{known:?}");
        }
        for new in [get(GetVerb::Gat(1)), get(GetVerb::Gats(1)), Request::Version] {
            assert!(may_be_unknown(&new), "{new:?}");
        }
    }

    #[test]
    fn what_changes_something_is_not_its_own_witness() {
        use memring_text::{Operation as _, meta::MetaDelete, request::Touch};

        let key = PROBE.key;
        assert_eq!(Witness::of(&Request::Touch(Touch::new(key, 0))), Witness::Itself);
        assert_eq!(Witness::of(&MetaDelete::new(key).request()), Witness::Noop);
        let verbosity = Request::Verbosity(Verbosity { level: 1, noreply: false });
        assert_eq!(Witness::of(&verbosity), Witness::Nobody);
    }

    #[test]
    fn a_server_that_could_not_be_reached_may_be_another() {
        use std::{io, sync::Arc};

        use crate::{clock::Clock, config::Config, spec::ServerSpec, watch::Watch};

        let spec: ServerSpec = "localhost".parse().unwrap();
        let watch = Watch::new(&spec, Arc::new(Config::default()), Clock::SYSTEM);
        let ended = |cause| watch.attempt("get", Instant::now(), false).ended(Err::<(), _>(&cause));
        watch.has_hung_up(&Request::Version);
        ended(Cause::Closed(None));
        ended(Cause::HangsUp);
        assert!(watch.hangs_up(&Request::Version));
        ended(Cause::connect(io::ErrorKind::ConnectionRefused.into()));
        assert!(!watch.hangs_up(&Request::Version));
    }
}
