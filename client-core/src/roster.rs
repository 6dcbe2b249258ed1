//! The servers of a client whose list is found out while it runs: which slot each has, and when a change is taken.
//!
//! A [`Source`](crate::discovery::Source) is asked again and again for the servers. What it answers is no list to place keys on: the
//! servers of a name come in any order, one is away while it restarts, another one comes back with another address. So
//! each server has a [`Slot`], whose name decides placement, and [`assign`] fits each answer to the slots: no key moves
//! because a server has restarted, and its replacement gets the slot that became free. [`Roster`] decides which change is
//! taken at once, which only when it has lasted, and which not without the caller's word.
//!
//! The rules go beyond "a slot more or fewer must last": so must a slot that becomes free, because a server that one answer
//! has lost works as before; and a server that takes a free slot is believed at once, because its keys have none.
//!
//! Everything here is fed with answers and with the time; nothing waits and nothing is opened.

use core::time::Duration;
use std::{collections::BTreeSet, time::Instant};

use memring_core::Weight;

use crate::spec::{Address, ServerSpec};

mod assign;
mod machine;

pub use assign::{Naming, Rules, assign};
pub use machine::{Report, Roster, Why};

/// A server, as a source that has no names for slots tells of it.
///
/// ```
/// use memring_client::{roster::Member, spec::Address};
///
/// let pod = Member::at(Address::tcp("10.0.0.7", 11211)).called("memcached-0.memcached:11211");
/// assert_eq!(pod.identity.as_deref(), Some("memcached-0.memcached:11211"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What the server is called, whatever its address: it survives a restart. `None`: the source knows addresses only.
    pub identity: Option<String>,
    /// The ways to the server; it is reached over the first, in their order.
    pub addresses: BTreeSet<Address>,
    /// Its weight. `None`: that of its slot stays, and is 1 in a new one.
    pub weight: Option<Weight>,
}

impl Member {
    /// A server of which only the address is known.
    #[must_use]
    pub fn at(address: Address) -> Self {
        Self { identity: None, addresses: [address].into(), weight: None }
    }

    /// The same server, with what survives its restarts.
    #[must_use]
    pub fn called(self, identity: impl Into<String>) -> Self {
        Self { identity: Some(identity.into()), ..self }
    }
}

/// The place of a server in the list: its name decides placement, and stays when the server behind it is another.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The name, the weight, and where to connect to.
    pub spec: ServerSpec,
    /// What the server is called, if the source has names.
    pub identity: Option<String>,
    /// The ways to the server.
    pub addresses: BTreeSet<Address>,
    /// Since when no server has the slot. Its keys stay where they are, and fail as those of a server that is down.
    pub free_since: Option<Instant>,
}

impl Slot {
    /// A slot for a server as a caller has written it.
    #[must_use]
    pub fn of(spec: ServerSpec) -> Self {
        let addresses = [spec.address().clone()].into();
        Self { spec, identity: None, addresses, free_since: None }
    }

    /// Whether no server has the slot.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.free_since.is_some()
    }
}

/// What a source says.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The servers.
    pub servers: Servers,
    /// How long the answer is good for, if the source says so.
    pub ttl: Option<Duration>,
}

/// The servers that a source tells of.
#[derive(Clone, Debug, PartialEq)]
pub enum Servers {
    /// Who is there, in no order: slots are assigned.
    Members(Vec<Member>),
    /// The list itself: names, order and weights as somebody wrote them.
    List(Vec<ServerSpec>),
}

impl Servers {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Members(members) => members.is_empty(),
            Self::List(list) => list.is_empty(),
        }
    }
}

impl From<Servers> for Answer {
    fn from(servers: Servers) -> Self {
        Self { servers, ttl: None }
    }
}

impl From<Vec<ServerSpec>> for Answer {
    fn from(list: Vec<ServerSpec>) -> Self {
        Servers::List(list).into()
    }
}

impl From<Vec<Member>> for Answer {
    fn from(members: Vec<Member>) -> Self {
        Servers::Members(members).into()
    }
}

impl From<Vec<Address>> for Answer {
    fn from(addresses: Vec<Address>) -> Self {
        addresses.into_iter().map(Member::at).collect::<Vec<_>>().into()
    }
}

/// How a client finds out its servers: when it asks, and which changes it takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// How often the source is asked. `None` (the default): as long as the answer is good for, where the source says so
    /// (DNS), from a second to a minute; else what suits the source: a file is looked at each second, a function is
    /// called each ten, the command `config get cluster` is sent once a minute.
    ///
    /// A source that fails is asked again after a second, then after twice as long each time, up to a minute. Each time
    /// differs by up to a tenth at random, so that processes that began together do not ask together.
    pub interval: Option<Duration>,

    /// How long one question may take. Default: 5 s. No operation waits for it.
    pub timeout: Duration,

    /// How long a change of the list must last before it is taken. Default: 10 s. It is taken sooner when
    /// [`answers`](Self::answers) in a row have said the same.
    ///
    /// This is about what moves keys or leaves them without a server: a slot more, a slot fewer, another weight, a slot
    /// that becomes free. A server that has another address, and a server that takes a free slot, are taken at once.
    pub damping: Duration,

    /// How many answers in a row must say the same before a change of the list is taken. Default: 2; 0 and 1 mean that
    /// every answer is believed.
    pub answers: u32,

    /// The largest share of all keys that a change may move to other servers or leave without one, from 0 to 1. `None`
    /// (the default): every change is taken. 0.5 is a good beginning: half of the fleet does not go at once, but half of
    /// an answer does get lost.
    ///
    /// A change that is too large is refused ([`Report::Refused`]), and the servers stay as
    /// they were, until the caller accepts it or the source says something else.
    pub max_share: Option<f64>,

    /// After which time the last slots of the list are given up when no server has them. Default: 10 min. Then their
    /// keys move to the others. A free slot that is not the last one stays for the next new server. The last server
    /// stays, whatever happens.
    pub shrink_after: Duration,

    /// How many servers there should be. With a count, free slots behind it are given up at once, and those before it
    /// never. Default: `None`.
    pub count: Option<usize>,

    /// What slots are called. Default: `s0`, `s1` and so on.
    pub naming: Naming,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: None,
            timeout: Duration::from_secs(5),
            damping: Duration::from_secs(10),
            answers: 2,
            max_share: None,
            shrink_after: Duration::from_secs(600),
            count: None,
            naming: Naming::default(),
        }
    }
}

#[cfg(test)]
mod tests;
