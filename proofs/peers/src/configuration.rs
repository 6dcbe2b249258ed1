//! Servers, weights and options, in our words and in a peer's.

use core::fmt;

use fastrand::Rng;
use memring_std::Client;

use crate::{Failure, fleet::Fleet};

/// What is drawn for one peer, but for servers.
pub(crate) struct Drawn {
    /// Our name of the scheme.
    pub(crate) scheme: &'static str,
    /// The scheme's options.
    pub(crate) ours: Vec<(&'static str, String)>,
    /// The peer's options, as its program reads them.
    pub(crate) theirs: Vec<(&'static str, String)>,
    pub(crate) weights: Weights,
}

impl Drawn {
    /// The scheme without options, with equal weights.
    pub(crate) const fn plain(scheme: &'static str) -> Self {
        Self { scheme, ours: Vec::new(), theirs: Vec::new(), weights: Weights::Equal }
    }

    /// The same option in our words and in the peer's.
    pub(crate) fn option(mut self, ours: (&'static str, &str), theirs: (&'static str, &str)) -> Self {
        self.ours.push((ours.0, ours.1.to_owned()));
        self.theirs.push((theirs.0, theirs.1.to_owned()));
        self
    }

    /// A word for the peer where we have another scheme.
    pub(crate) fn told(mut self, name: &'static str, value: &str) -> Self {
        self.theirs.push((name, value.to_owned()));
        self
    }

    pub(crate) const fn weighing(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }
}

/// Which weights a peer takes.
#[derive(Clone, Copy)]
pub(crate) enum Weights {
    /// None.
    Equal,
    /// One to this.
    Whole(u32),
    /// Tenths, up to this many.
    Tenths(u32),
}

/// A configuration, complete.
pub(crate) struct Configuration {
    drawn: Drawn,
    /// Host, port and weight of each of five servers.
    pub(crate) servers: Vec<(String, u16, String)>,
}

impl Configuration {
    pub(crate) fn draw(rng: &mut Rng, fleet: &Fleet, draw: fn(&mut Rng) -> Drawn) -> Self {
        let drawn = draw(rng);
        let mut addresses = fleet.addresses.clone();
        rng.shuffle(&mut addresses);
        let mut weight = || match drawn.weights {
            Weights::Equal => "1".to_owned(),
            Weights::Whole(most) => rng.u32(1..=most).to_string(),
            Weights::Tenths(most) => {
                let tenths = rng.u32(5..=most);
                format!("{}.{}", tenths / 10, tenths % 10)
            }
        };
        let servers = addresses.into_iter().take(5).map(|(host, port)| (host, port, weight()));
        Self { servers: servers.collect(), drawn }
    }

    /// Our client of it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let options = self.drawn.ours.iter().map(|(name, value)| (*name, value.as_str()));
        let servers = self.servers.iter().map(|(host, port, weight)| format!("{host}:{port} {weight}"));
        Ok(Client::builder().scheme_named(self.drawn.scheme, options).servers(servers).build()?)
    }

    /// The value of one of the peer's options.
    pub(crate) fn told(&self, name: &str) -> Option<&str> {
        self.drawn.theirs.iter().find(|(option, _)| *option == name).map(|(_, value)| value.as_str())
    }

    /// The peer's options, and the servers, as programs read them.
    pub(crate) fn line(&self) -> String {
        let options: Vec<_> =
            self.drawn.theirs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let servers = self.servers.iter().map(|(host, port, weight)| format!("{host}:{port}:{weight}"));
        format!("{}\t{}", options.join(","), servers.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}, told {}", self.drawn.scheme, self.drawn.ours, self.line())
    }
}
