//! The part of a memcached client that neither waits nor opens anything: all that clients of many servers have in
//! common.
//!
//! The blocking client `memring-std` and the asynchronous client `memring-tokio` are loops around sockets; their
//! decisions are made here. This crate opens no socket, knows no task, thread or runtime, and reads no clock but the
//! one that a client hands in. It is for people who write such a client for another runtime. A program that only uses a
//! client finds the names of [`vocabulary`] there, and does not need this crate.
//!
//! ```text
//!  client-std   client-tokio            sockets, pools, loops
//!          client-core                  decisions
//!    proto-text     ring-core           bytes; places
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`config`] | all that a client can be told: [`Config`], and the [`Builder`] that sets it call by call |
//! | [`spec`] | servers as configurations write them: the one grammar and its reader |
//! | [`owned`] | schemes and placements that own their texts |
//! | [`discovery`] | where the list of servers comes from, if it is found out |
//! | [`roster`] | servers that are found out: which slot each has, and when a change is taken |
//! | [`route`] | the fleet: placement, health, and the server to ask for a key |
//! | [`shares`] | the keys of a batch, divided among the servers that are to be asked |
//! | [`outcome`] | what verbs make of the outcomes of the protocol |
//! | [`dial`] | what a connection to a server takes, but for opening it |
//! | [`testing`] | a memcached inside the process, but for its sockets |
//! | [`hang_up`] | servers that hang up at what they do not know |
//! | [`change`] | what a change of servers moves |
//! | [`batch`] | operations of different kinds to be sent together |
//! | [`watch`] | the health of one server, and the events about it |
//! | `tls` | whom encrypted connections trust (feature `tls`); [`Records`]: which requests share a record |
//! | [`typed`] | typed values: encodings, compression, and the flags that tell them |
//! | [`values`] | values of other clients: types and compression by flags, as a table each |
//! | [`vocabulary`] | the names that callers of every client need |
//! | `file` | configurations from files in TOML (feature `file`) |
//! | [`fetch`] | get or compute without a stampede, and its relatives, as machines |
//! | [`transition`] | other servers without lost hits and old values, as machines |
//! | [`failure`] | errors, what a client tells its observer, and the results of many keys |
//! | [`guide`] | guides for those who use a client |
//!
//! # Features
//! - `file`: `Config::from_file`, for configurations in TOML.
//! - `metrics`, `tracing`: figures, spans and events, for whoever collects them.
//! - `tls`: encrypted connections, by rustls.
//! - `json`, `postcard`: encodings of [`typed`] values; `zstd`, `lz4`: their compression.
//! - `zlib`, `zstd`: compressed [`values`] of other clients.
//! - `embedded-io`: [`failure::Cause`] from the errors of the codec's blocking `Connection`.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod any_operation;
pub mod batch;
mod builder;
mod capabilities;
pub mod change;
mod clock;
mod common;
pub mod config;
mod credentials;
pub mod dial;
pub mod discovery;
pub mod failure;
pub mod fetch;
#[cfg(feature = "file")]
pub mod file;
mod groups;
pub mod guide;
pub mod hang_up;
mod insight;
mod lines;
mod naming;
pub mod outcome;
pub mod owned;
mod records;
pub mod roster;
pub mod route;
pub mod shares;
pub mod spec;
mod status;
mod target;
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
pub mod transition;
pub mod typed;
pub mod values;
pub mod vocabulary;
pub mod watch;

pub use any_operation::{AnyOperation, AnyOutcome};
pub use builder::{Builder, FromConfig};
pub use capabilities::{Corrections, KnownCapabilities};
pub use clock::Clock;
pub use common::{Changing, ChangingMany, Common, WeakCommon};
pub use config::Config;
pub use credentials::OwnedCredentials;
pub use lines::Lines;
pub use naming::KeyScratch;
pub use owned::{OwnedPlacement, OwnedScheme};
pub use records::Records;
#[cfg(feature = "tls")]
pub use rustls;
pub use status::{Connections, ServerStatus};
pub use target::{Deadline, Target};
#[cfg(feature = "tls")]
pub use tls::Tls;

// The README's example, compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
