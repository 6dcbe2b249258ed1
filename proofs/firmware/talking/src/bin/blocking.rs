//! Places keys on three memcacheds and talks to them over blocking sockets, without a heap; one of the servers dies and
//! comes back.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use memring_core::{
    Placement, Server, ServerIndex,
    health::HealthPolicy,
    peers::libmemcached::KETAMA_WEIGHTED,
    storage::{Fixed, points_for},
};
use memring_text::{
    Connection, Get, Limits, Request, Store, StoreOutcome, Value,
    buffer::{ArrayBuffer, Buffer},
    connection::ConnectionError,
    exchange::ExchangeState,
    meta::MetaGet,
    reply::Event,
    request::{Arith, GetVerb, Keys},
};
use smoltcp::iface::SocketStorage;
use talking::{
    board,
    checks::{BUFFER, KEYS, check, is_as_stored, key},
    fleet::{Fleet, SERVERS, text},
    standing::Standing,
    tcp::{Buffers, Net, NetError, Socket},
};

#[entry]
fn main() -> ! {
    board::start();
    let fleet = Fleet::of_host();
    let (mut storage, mut buffers): (_, Buffers) =
        (<[SocketStorage<'_>; SERVERS]>::default(), [[[0; 512]; 2]; SERVERS]);
    let net = Net::start(&mut storage);

    stack::mark();
    let mut ring = Ring::new();
    let Ok(placement) = Placement::build(KETAMA_WEIGHTED, fleet.servers(), &mut ring) else {
        board::fail("the ring does not hold three servers");
    };
    hprintln!("a ring of three servers: {} bytes, built with {} of stack", size_of::<Ring>(), stack::used());

    let mut ports = fleet.ports.iter();
    let hosts = buffers.each_mut().map(|buffers| {
        let port = *ports.next().unwrap_or(&0);
        Host::new(net.socket(port, buffers))
    });
    hprintln!("a server: {} bytes", size_of_val(&hosts[0]));
    let mut program = Program { placement, hosts };

    stack::mark();
    program.keeps_items();
    program.finds_what_the_host_stored();
    program.asks_for_many();
    program.reads_a_long_value_in_pieces();
    program.counts();
    program.outlives_a_server();
    hprintln!("all of it with {} bytes of stack", stack::used());
    board::finish();
}

/// Three servers of 160 points.
type Ring = Fixed<{ points_for(SERVERS) }>;

struct Program<'p, 'n, 'b> {
    placement: Placement<'p, [Server<'p>; SERVERS], &'p mut Ring>,
    hosts: [Host<'n, 'b>; SERVERS],
}

impl<'n, 'b> Program<'_, 'n, 'b> {
    /// The server that holds `key`.
    fn host(&mut self, key: &[u8]) -> &mut Host<'n, 'b> {
        let server = self.placement.primary(key).get();
        self.hosts.get_mut(server).unwrap_or_else(|| board::fail("a key is on no server"))
    }

    fn keeps_items(&mut self) {
        for i in 0..KEYS {
            let name = text::<16>(format_args!("mcu:{i}"));
            self.set(&name, i);
            let key = key(&name);
            let item = self
                .host(key.as_bytes())
                .call(|connection| connection.call(&Get::gets(key), ArrayBuffer::<64>::new()));
            is_as_stored(item, &name, i);
            let item = self
                .host(key.as_bytes())
                .call(|connection| connection.call(&MetaGet::new(key).value(), ArrayBuffer::<64>::new()));
            let value = item.ok().flatten().and_then(|item| item.value);
            check(value.is_some_and(|value| value.as_slice() == name.as_bytes()), "mg brings another value");
        }
        hprintln!("{} items stored, asked for by gets and by mg", KEYS);
    }

    fn set(&mut self, name: &str, flags: u32) {
        let (key, value) = (key(name), value(name.as_bytes()));
        let set = Store::set(key, value).flags(flags).exptime(60);
        let stored =
            self.host(key.as_bytes()).call(|connection| connection.call(&set, ArrayBuffer::<0>::new()));
        check(stored == Ok(StoreOutcome::Stored), "an item is not stored");
    }

    fn finds_what_the_host_stored(&mut self) {
        for i in 0..KEYS {
            let name = text::<16>(format_args!("host:{i}"));
            let get = Get::new(key(&name));
            let item =
                self.host(name.as_bytes()).call(|connection| connection.call(&get, ArrayBuffer::<64>::new()));
            is_as_stored(item, &name, i);
        }
        hprintln!("{} items of the host's found where it put them", KEYS);
    }

    /// One line of keys for each server; one of the keys is a miss.
    fn asks_for_many(&mut self) {
        let names: [heapless::String<16>; KEYS as usize + 1] =
            core::array::from_fn(|i| text(format_args!("mcu:{i}")));
        let mut keys = names.each_ref().map(|name| key(name));
        let mut scratch = [ServerIndex::default(); KEYS as usize + 1];
        let mut found = 0;
        for (server, keys) in self.placement.group(&mut keys, &mut scratch) {
            let Some(host) = self.hosts.get_mut(server.get()) else {
                board::fail("a server that nobody has")
            };
            let done = host.call(|connection| {
                let mut rest = keys;
                let mut value = ArrayBuffer::<64>::new();
                while !rest.is_empty() {
                    let sent = connection.send_get(GetVerb::Get, rest)?;
                    let (line, later) = rest.split_at(sent);
                    rest = later;
                    connection.receive_items(
                        &Keys { keys: line, cas: false },
                        &mut value,
                        |position, item| {
                            let key = line.get(position).map(|key| key.as_bytes());
                            check(
                                item.is_ok_and(|item| Some(item.value.as_slice()) == key),
                                "a key has another's value",
                            );
                            found += 1;
                        },
                    )?;
                }
                Ok(())
            });
            check(done.is_ok(), "a multi-get failed");
        }
        check(found == KEYS, "a multi-get found another number of items");
        hprintln!("a multi-get over all servers found {} of {}", found, names.len());
    }

    /// The value is longer than any buffer here.
    fn reads_a_long_value_in_pieces(&mut self) {
        let long = [b'x'; 2000];
        let (key, value) = (key("long"), value(&long));
        let set = Store::set(key, value);
        let get = Request::Get(Get::new(key));
        let mut len = 0;
        let read = self.host(key.as_bytes()).call(|connection| {
            let stored = connection.call(&set, ArrayBuffer::<0>::new())?;
            check(stored == StoreOutcome::Stored, "a long value is not stored");
            connection.send(&get)?;
            connection.receive(&get, |event, _| {
                if let Event::Data(piece) = event {
                    check(piece.iter().all(|byte| *byte == b'x'), "a long value has other bytes");
                    len += piece.len();
                }
            })
        });
        check(read.is_ok() && len == long.len(), "a long value has another length");
        hprintln!("{} bytes read through a buffer of {}", len, BUFFER);
    }

    fn counts(&mut self) {
        let (key, value) = (key("counter"), value(b"41"));
        let set = Store::set(key, value);
        let incr = Arith::incr(key, 1);
        let counted = self.host(key.as_bytes()).call(|connection| {
            connection.call(&set, ArrayBuffer::<0>::new())?;
            connection.call(&incr, ArrayBuffer::<20>::new())
        });
        check(counted == Ok(Some(42)), "41 and 1 are not 42");
        hprintln!("counted");
    }

    /// While a server is away its keys are errors, soon without asking it, and the others' are not; when it is back, so are
    /// its keys.
    fn outlives_a_server(&mut self) {
        let away = self.placement.primary(b"mcu:0").get();
        hprintln!("please stop {}", away);
        let (mut failed, mut refused) = (0, 0);
        while refused == 0 {
            let get = Get::new(key("mcu:0"));
            match self.host(b"mcu:0").call(|connection| connection.call(&get, ArrayBuffer::<64>::new())) {
                Ok(_) if failed == 0 => {}
                Ok(_) => board::fail("a server that is away answers"),
                Err(Trouble::Down) => refused += 1,
                Err(_) => failed += 1,
            }
        }
        check(failed == HealthPolicy::DEFAULT.failures, "another number of failures than the policy has");
        for i in 1..KEYS {
            let name = text::<16>(format_args!("mcu:{i}"));
            if self.placement.primary(name.as_bytes()).get() != away {
                let get = Get::new(key(&name));
                let item = self
                    .host(name.as_bytes())
                    .call(|connection| connection.call(&get, ArrayBuffer::<64>::new()));
                is_as_stored(item, &name, i);
            }
        }
        hprintln!("{} failures, then down; the other servers' keys are there", failed);

        hprintln!("please start {}", away);
        let begin = board::now();
        loop {
            let get = Get::new(key("mcu:0"));
            match self.host(b"mcu:0").call(|connection| connection.call(&get, ArrayBuffer::<64>::new())) {
                Ok(item) => break check(item.is_none(), "a server that has just started has an item"),
                Err(_) => check(board::now().wrapping_sub(begin) < 20_000, "a server does not come back"),
            }
        }
        for i in 0..KEYS {
            self.set(&text::<16>(format_args!("mcu:{i}")), i);
        }
        hprintln!("it is back");
    }
}

/// A server, with what is known of it and the connection to it.
struct Host<'n, 'b> {
    standing: Standing,
    /// `None` only while it is being replaced.
    connection: Option<Wire<'n, 'b>>,
    is_connected: bool,
}

type Wire<'n, 'b> = Connection<Socket<'n, 'b>, [u8; BUFFER]>;

/// Why a server gave no answer.
#[derive(Debug, PartialEq)]
enum Trouble {
    /// It is left alone for now.
    Down,
    /// It could not be connected to.
    Connect(NetError),
    /// The exchange failed.
    Exchange,
}

impl<'n, 'b> Host<'n, 'b> {
    fn new(socket: Socket<'n, 'b>) -> Self {
        Self { standing: Standing::default(), connection: Some(connection(socket)), is_connected: false }
    }

    /// Does `work` on the connection, which is opened if need be, unless the server is left alone.
    fn call<T>(
        &mut self,
        work: impl FnOnce(&mut Wire<'n, 'b>) -> Result<T, ConnectionError<NetError>>,
    ) -> Result<T, Trouble> {
        if !self.standing.may_be_asked() {
            return Err(Trouble::Down);
        }
        let done = self.connected().and_then(|connection| work(connection).map_err(|_| Trouble::Exchange));
        self.is_connected &=
            self.connection.as_ref().is_some_and(|connection| connection.state() == ExchangeState::Idle);
        self.standing.note(done.is_ok());
        done
    }

    fn connected(&mut self) -> Result<&mut Wire<'n, 'b>, Trouble> {
        if !self.is_connected {
            // What was under way on the old connection is forgotten with it.
            self.connection = self.connection.take().map(|old| connection(old.into_inner().0));
        }
        let Some(connection) = &mut self.connection else { board::fail("a connection was lost") };
        if !self.is_connected {
            connection.io_mut().connect().map_err(Trouble::Connect)?;
            self.is_connected = true;
        }
        Ok(connection)
    }
}

fn connection<'n, 'b>(socket: Socket<'n, 'b>) -> Wire<'n, 'b> {
    let limits = Limits { line: BUFFER, ..Limits::DEFAULT };
    Connection::with_limits(socket, [0; BUFFER], limits)
}

fn value(bytes: &[u8]) -> Value<'_> {
    Value::new(bytes).unwrap_or_else(|_| board::fail("a value is too long"))
}
