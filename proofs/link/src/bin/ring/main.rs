//! Places the keys of standard input, one a line, with every scheme, over every storage, and plans a change.
//!
//! The exit status is 0 when all ways agree.
#![no_std]
#![no_main]

use core::{
    fmt::{self, Write},
    time::Duration,
};

use memring_core::{
    Placement, Scheme, Server, ServerIndex, Weight,
    health::{HealthPolicy, Instant, ServerHealth, Verdict},
    peers::{self, libketama::LIBKETAMA},
    plan::Plan,
    storage::{Fixed, FixedWide, Lent, Static, StorageMut},
    vector::{Escaped, Line, unescape},
};

mod doors;

freestanding::program!(main);

include!("../../fleet.rs");

/// Built by the build script; here it lies in the program's read-only part, as it would in flash.
static RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));

fn main(input: &[u8]) -> u8 {
    for peer in peers::all() {
        for key in input.split(|&byte| byte == b'\n') {
            let agreed =
                agree(peer.scheme, key).unwrap_or(true) && agree_wide(peer.scheme, key).unwrap_or(true);
            if !agreed {
                freestanding::write(peer.scheme.name.as_bytes());
                return 1;
            }
        }
        if !options(peer.scheme, input) {
            return 2;
        }
    }
    if !flash_agrees(input) {
        return 5;
    }
    if !many_agree(input) {
        return 6;
    }
    if !text_is_read(input) {
        return 7;
    }
    if !health_is_kept(input) {
        return 8;
    }
    if doors::doors(input).is_none() {
        return 9;
    }
    planned(input)
}

/// Whether many keys at once are placed as one by one, also after a change of servers in place.
fn many_agree(input: &[u8]) -> bool {
    let mut keys = [&b""[..]; 40];
    for (place, key) in keys.iter_mut().zip(input.split(|&byte| byte == b'\n').cycle()) {
        *place = key;
    }
    peers::all().all(|peer| {
        let Ok(mut placement) = Placement::build(peer.scheme, &FLEET[..1], Fixed::<2048, 64>::new()) else {
            return true;
        };
        if placement.rebuild(&FLEET[..]).is_err() {
            return false;
        }
        let (mut keys, mut placed) = (keys, [ServerIndex::default(); 40]);
        placement.place_many(&keys, &mut placed);
        let is_placed = keys.iter().zip(placed).all(|(key, server)| placement.primary(key) == server);
        let mut grouped = placement.group(&mut keys, &mut placed).map(|(server, keys)| (server, keys.len()));
        is_placed && grouped.all(|(server, len)| len > 0 && server < ServerIndex::new(40))
    })
}

/// Whether lists, vectors and escaped keys are read without harm, and keys written come back.
fn text_is_read(input: &[u8]) -> bool {
    for line in lines(input) {
        let _ = (Weight::parse(line), Line::parse(line));
    }
    let key = input.get(..1000).unwrap_or(input);
    let mut written = Writer::new();
    let _ = write!(written, "{}", Escaped(key));
    let read = unescape(written.bytes.get(..written.len).unwrap_or_default());
    read.eq(key.iter().map(|&byte| Ok(byte)))
}

/// The lines of the input; one that is no text is empty.
pub(crate) fn lines(input: &[u8]) -> impl Iterator<Item = &str> {
    input.split(|&byte| byte == b'\n').map(|line| str::from_utf8(line).unwrap_or_default())
}

/// What was written.
pub(crate) struct Writer {
    bytes: [u8; 4000],
    len: usize,
}

impl Writer {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 4000], len: 0 }
    }
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = self.bytes.get_mut(self.len..).and_then(|rest| rest.get_mut(..text.len()));
        rest.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Whether a server that fails is left alone and comes back.
fn health_is_kept(input: &[u8]) -> bool {
    let (mut health, policy) = (ServerHealth::default(), HealthPolicy::default());
    let mut now = Instant::from_millis(input.len() as u64);
    for jitter in 0..100 {
        for _ in 0..3 {
            health.failed(now, jitter << 24, &policy);
        }
        now = now.plus(Duration::from_secs(40));
        if health.ask(now, &policy) != Verdict::Probe {
            return false;
        }
        if jitter > 50 {
            health.succeeded();
        }
    }
    !health.is_noted()
}

/// Whether the ring that was built beforehand places as one that is built now.
fn flash_agrees(input: &[u8]) -> bool {
    let flash = Placement::prebuilt(LIBKETAMA, &FLEET, RING);
    input.split(|&byte| byte == b'\n').all(|key| LIBKETAMA.choose(&FLEET, key) == Ok(flash.primary(key)))
}

/// Whether fixed storage, lent storage and no storage give one answer; `None` if the scheme cannot be built.
fn agree(scheme: Scheme<'_>, key: &[u8]) -> Option<bool> {
    let fixed = Placement::build(scheme, &FLEET, Fixed::<2048, 512>::new()).ok()?;
    let (mut points, mut owners) = ([0; 2048], [0; 2048]);
    let lent = Lent::new(&mut points, &mut owners);
    let lent = Placement::build(scheme, &FLEET, lent).ok()?;
    let primary = fixed.primary(key);
    Some(same(&fixed, key, primary) && same(&lent, key, primary) && scheme.choose(&FLEET, key) == Ok(primary))
}

/// The same for schemes of 128-bit points.
fn agree_wide(scheme: Scheme<'_>, key: &[u8]) -> Option<bool> {
    let wide = Placement::build(scheme, &FLEET, FixedWide::<1024>::new()).ok()?;
    let primary = wide.primary(key);
    Some(same(&wide, key, primary) && scheme.choose(&FLEET, key) == Ok(primary))
}

fn same<S: StorageMut>(
    placement: &Placement<'_, &[Server<'_>; 3], S>,
    key: &[u8],
    primary: ServerIndex,
) -> bool {
    let mut room = [ServerIndex::default(); 3];
    placement.primary(key) == primary && placement.order(key, &mut room).first() == Some(&primary)
}

/// Whether reading options from text does no harm.
fn options(scheme: Scheme<'_>, input: &[u8]) -> bool {
    let text = str::from_utf8(input).unwrap_or("1");
    let Some(peer) = peers::Peer::named(scheme.name) else { return false };
    peer.options.iter().all(|name| match scheme.with_option(name, text) {
        // What an option says need not fit these servers.
        Ok(scheme) => scheme.choose(&FLEET, input).map_or(true, |server| server.get() < FLEET.len()),
        Err(_) => true,
    })
}

fn planned(input: &[u8]) -> u8 {
    let count = input.len().clamp(1, 2);
    let mut matrix = [0.0; 9];
    for peer in peers::all() {
        let few = FLEET.get(..count).unwrap_or(&FLEET);
        let Ok(old) = Placement::build(peer.scheme, few, Fixed::<2048>::new()) else { continue };
        let Ok(new) = Placement::build(peer.scheme, &FLEET, Fixed::<2048>::new()) else { continue };
        let Ok(plan) = Plan::new(&old, &new, &mut matrix) else { return 3 };
        let (from, to) = (ServerIndex::new(0), ServerIndex::new(2));
        let total: f64 = (0..count as u16).map(|server| plan.before(ServerIndex::new(server))).sum();
        let is_whole = (total - 1.0) < 1e-6 && (1.0 - total) < 1e-6;
        if !is_whole
            || plan.share(from, to) > plan.before(from) + 1e-6
            || plan.share(from, to) > plan.after(to) + 1e-6
        {
            return 3;
        }
        if plan.moved() > 1.0 + 1e-6 || plan.precision().standard_error(plan.kept()) > 0.1 {
            return 4;
        }
    }
    0
}
