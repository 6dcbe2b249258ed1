//! What the ways to place a key have no use for: every other public function, and every message.

use core::{
    fmt::{Debug, Write},
    hint,
    time::Duration,
};

use memring_core::{
    hash::{self, Hash, Hasher},
    health::*,
    peers::{self, libketama::LIBKETAMA},
    plan::{self, Plan},
    scheme::{RingOptions, fallback::Order},
    storage::{Fixed, FixedWide, Lent, Source, Storage, StorageMut, points_for},
    vector::{Escaped, Line},
    *,
};

use crate::{FLEET, Writer, lines};

/// Whether all of it does no harm.
pub(crate) fn doors(input: &[u8]) -> Option<()> {
    let mut said = Writer::new();
    health(input, &mut said)?;
    hashes(input, &mut said)?;
    placements(input, &mut said)?;
    stores(input, &mut said)?;
    messages(input, &mut said);
    Some(())
}

/// A server alone, and the choice of one that is up.
fn health(input: &[u8], said: &mut Writer) -> Option<()> {
    let policy = HealthPolicy::default();
    let mut alone = ServerHealth::default();
    let mut many = [ServerHealth::default(); 3];
    let mut now = Instant::from_millis(input.len() as u64);
    for byte in input.iter().take(99) {
        let (began, jitter) = (now, u32::from(*byte) << 24);
        now = now.plus(Duration::from_millis(u64::from(*byte) * 50));
        seen((alone.lost(began, now, jitter, &policy), alone.status(now), alone.status(now).is_down()));
        seen((alone.is_noted(), alone.failures(), alone.retry_at().map(Instant::as_millis)));
        if let Some(server) = many.get_mut(usize::from(*byte) % 4) {
            server.failed(now, jitter, &policy);
        }
        let ask =
            |server: &usize| many.get_mut(*server).map_or(Verdict::Up, |server| server.ask(now, &policy));
        match choose([0, 1, 2], ask) {
            Ok(chosen) => seen(&chosen),
            Err(down) => said.display(&down),
        }
        alone.unlearned(now);
        many.iter_mut().for_each(|server| server.unlearned(now));
    }
    (alone.ask(now, &policy) == Verdict::Up || alone.is_down()).then_some(())
}

/// Hashes by their types, whose table entries may go another way.
fn hashes(input: &[u8], said: &mut Writer) -> Option<()> {
    piecewise::<hash::md5::Md5Word>(input)?;
    piecewise::<hash::md5::Md5SixDigits>(input)?;
    piecewise::<hash::Murmur64a>(input)?;
    piecewise::<hash::Xxh64>(input)?;
    piecewise::<hash::Xxh3>(input)?;
    piecewise::<hash::Xxh3Seeded>(input)?;
    said.debug(&Hash::new::<hash::md5::Md5Word>("mine"));
    Some(())
}

/// Whether a hash of pieces is that of the whole.
fn piecewise<H: Hasher<Output: PartialEq>>(input: &[u8]) -> Option<()> {
    let mut hasher = H::start(input.len());
    input.chunks(7).for_each(|piece| hasher.write(piece));
    (hasher.finish() == H::of(input)).then_some(())
}

/// A placement's own parts, and servers that are made while the program runs.
fn placements(input: &[u8], said: &mut Writer) -> Option<()> {
    let text = str::from_utf8(input).unwrap_or("tokyo");
    let servers = [Server::new(text), Server::new("b:1").weighing(input.len() as u32), FLEET[0]];
    let weight = Weight::from(input.len() as u32);
    seen((servers, weight));
    said.display(&ServerIndex::new(input.len() as u16));
    let own = Scheme::new("mine", LIBKETAMA.mechanism);
    seen((own.name, points_for(input.len()), RingOptions::new(input.len() as u32)));
    seen((Fixed::<8>::default().entries().owners.len(), FixedWide::<8>::default().entries().owners.len()));
    let scheme = Scheme::from_name(text).unwrap_or(LIBKETAMA);
    seen(scheme.needs(&servers).map(|needs| needs.entries).ok());
    let placement = match Placement::build(scheme, servers, Fixed::<2048>::new()) {
        Ok(placement) => placement,
        Err(error) => {
            said.display(&error);
            return Some(());
        }
    };
    seen((placement.scheme().name, placement.servers().len(), placement.len(), placement.is_empty()));
    seen((placement.server(input), placement.owner_on_ring(input.len() as u32)));
    said.display(&Source(placement.storage().entries()));
    let mut order = [ServerIndex::default(); 2];
    let mut order = Order::new(order.get_mut(..input.len() % 3)?);
    seen((order.is_empty(), order.push(ServerIndex::new(1))));
    let mut matrix = [0.0; 9];
    match plan::shares(&placement, matrix.get_mut(..input.len().min(9))?) {
        Ok(precision) => seen(&precision),
        Err(error) => said.display(&error),
    }
    let cells = matrix.get_mut(..input.len().min(9))?;
    match Plan::new(&placement, &placement, cells) {
        Ok(plan) => seen((plan.moved(), plan.shares().count())),
        Err(error) => said.display(&error),
    }
    let (servers, storage) = placement.into_parts();
    (servers.len() == 3 && lent(&storage)).then_some(())
}

/// Whether storage that is only lent has the same in it.
fn lent(storage: impl Storage) -> bool {
    storage.entries().owners.len() == (&storage).entries().owners.len()
}

/// Storage with an index and of wide points, lent to its placement.
fn stores(input: &[u8], said: &mut Writer) -> Option<()> {
    let (mut points, mut wide, mut owners, mut index) = ([0; 600], [0; 600], [0; 600], [0; 64]);
    for peer in peers::all() {
        let mut narrow = Lent::new(&mut points, &mut owners).indexed(&mut index);
        let built = built(peer.scheme, &mut narrow, input, said);
        let mut wide = Lent::wide(&mut wide, &mut owners);
        let built = built.or_else(|| self::built(peer.scheme, &mut wide, input, said));
        if built.is_some_and(|server| server.get() >= FLEET.len()) {
            return None;
        }
    }
    Some(())
}

fn built<S: StorageMut>(
    scheme: Scheme<'_>,
    storage: S,
    key: &[u8],
    said: &mut Writer,
) -> Option<ServerIndex> {
    let built = Placement::build(scheme, &FLEET, storage);
    built.map_err(|error| said.display(&error)).ok().map(|placement| placement.primary(key))
}

/// What is said of options, servers and lines that are wrong.
fn messages(input: &[u8], said: &mut Writer) {
    let text = str::from_utf8(input).unwrap_or("hash");
    peers::traps::Trap::of(text).for_each(|trap| said.display(&trap.says));
    seen(peers::versions::Versions::of(text).map(|versions| versions.is_proved()));
    seen(peers::manual::Manual::of(text, text).map(|manual| manual.means));
    seen(peers::Peer::named(text).map(|peer| peer.takes(text)));
    for line in lines(input) {
        if let Err(error) = Line::parse(line) {
            said.display(&error);
        }
        if let Err(error) = LIBKETAMA.with_option(line, line) {
            said.display(&error);
        }
    }
    said.debug(&Escaped(input));
}

/// Errors are only shown: their `Debug` is the standard library's of texts and times, which can panic, as far as a compiler
/// sees.
impl Writer {
    fn debug(&mut self, thing: &dyn Debug) {
        self.len = 0;
        let _ = write!(self, "{thing:?}");
    }

    fn display(&mut self, thing: &dyn core::fmt::Display) {
        self.len = 0;
        let _ = write!(self, "{thing} {thing:>9}");
    }
}

/// Keeps the compiler from leaving out what nobody reads.
fn seen<T>(value: T) {
    hint::black_box(value);
}
