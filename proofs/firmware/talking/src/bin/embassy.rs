//! The same with embassy: each server has a task of its own, so three exchanges are under way at a time, each with a time
//! limit. An exchange that was not finished in time leaves its connection useless, which its state tells.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use embassy_executor::{Executor, Spawner};
use embassy_net::{Ipv4Address, Stack, tcp::TcpSocket};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, channel::Channel};
use embassy_time::{Duration, Timer, with_timeout};
use memring_core::{
    Placement, Server,
    peers::libmemcached::KETAMA_WEIGHTED,
    storage::{Fixed, points_for},
};
use memring_text::{
    AsyncConnection, Get, Item, Limits, Operation, Store, StoreOutcome, Value,
    buffer::{ArrayBuffer, Buffer},
    connection::ConnectionError,
    exchange::ExchangeState,
};
use static_cell::StaticCell;
use talking::{
    board,
    checks::{BUFFER, KEYS, check, is_as_stored, key},
    fleet::{Fleet, HOST, SERVERS, text},
    standing::Standing,
    tasks,
};

#[entry]
fn main() -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    static FLEET: StaticCell<Fleet> = StaticCell::new();
    static RING: StaticCell<Fixed<{ points_for(SERVERS) }>> = StaticCell::new();
    static PLACEMENT: StaticCell<Ketama> = StaticCell::new();
    static DONE: StaticCell<Done> = StaticCell::new();

    board::start();
    let fleet: &'static Fleet = FLEET.init(Fleet::of_host());
    let Ok(placement) = Placement::build(KETAMA_WEIGHTED, fleet.servers(), RING.init(Fixed::new())) else {
        board::fail("the ring does not hold three servers");
    };
    let placement: &'static Ketama = PLACEMENT.init(placement);
    let done: &'static Done = DONE.init(Done::new());
    EXECUTOR.init(Executor::new()).run(|spawner| {
        let stack = tasks::start(spawner);
        for (server, port) in fleet.ports.into_iter().enumerate() {
            start(spawner, serve(stack, placement, server, port, done));
        }
        start(spawner, finish(done));
    })
}

type Ketama = Placement<'static, [Server<'static>; SERVERS], &'static mut Fixed<{ points_for(SERVERS) }>>;

/// How many keys each task has stored and found.
type Done = Channel<NoopRawMutex, u32, SERVERS>;

fn start<T, E>(spawner: Spawner, task: Result<embassy_executor::SpawnToken<T>, E>) {
    match task {
        Ok(task) => spawner.spawn(task),
        Err(_) => board::fail("there is no room for a task"),
    }
}

/// Stores and finds the keys of one server, and sees it die and come back if it holds the first.
#[embassy_executor::task(pool_size = SERVERS)]
async fn serve(
    stack: Stack<'static>,
    placement: &'static Ketama,
    number: usize,
    port: u16,
    done: &'static Done,
) {
    let (mut received, mut sent) = ([0; 512], [0; 512]);
    let mut socket = TcpSocket::new(stack, &mut received, &mut sent);
    socket.set_nagle_enabled(false);
    let mut host = Host::new(socket, port);

    let mut count = 0;
    for i in 0..KEYS {
        let name = text::<16>(format_args!("mcu:{i}"));
        if placement.primary(name.as_bytes()).get() == number {
            host.set(&name, i).await;
            is_as_stored(host.get(&name).await, &name, i);
            count += 1;
        }
        let name = text::<16>(format_args!("host:{i}"));
        if placement.primary(name.as_bytes()).get() == number {
            is_as_stored(host.get(&name).await, &name, i);
        }
    }
    if placement.primary(b"mcu:0").get() == number {
        host.dies_and_comes_back(number).await;
        for i in 0..KEYS {
            let name = text::<16>(format_args!("mcu:{i}"));
            if placement.primary(name.as_bytes()).get() == number {
                host.set(&name, i).await;
            }
        }
    }
    done.send(count).await;
}

/// Ends the program when all tasks have said how many keys they had.
#[embassy_executor::task]
async fn finish(done: &'static Done) {
    let mut count = 0;
    for _ in 0..SERVERS {
        count += done.receive().await;
    }
    check(count == KEYS, "another number of keys than there are");
    hprintln!("{} items stored and found by {} tasks", count, SERVERS);
    board::finish();
}

/// A server, with what is known of it and the connection to it.
struct Host<'b> {
    port: u16,
    standing: Standing,
    /// `None` only while it is being replaced.
    connection: Option<Wire<'b>>,
    is_connected: bool,
}

type Wire<'b> = AsyncConnection<TcpSocket<'b>, [u8; BUFFER]>;

/// Why a server gave no answer.
#[derive(Debug, PartialEq)]
enum Trouble {
    /// It is left alone for now.
    Down,
    /// The time is over.
    TimedOut,
    /// It could not be connected to.
    Connect,
    /// The exchange failed.
    Exchange,
}

impl<'b> Host<'b> {
    fn new(socket: TcpSocket<'b>, port: u16) -> Self {
        Self {
            port,
            standing: Standing::default(),
            connection: Some(connection(socket)),
            is_connected: false,
        }
    }

    /// Does `operation`, within a time limit, unless the server is left alone.
    async fn call<O: Operation, V: Buffer>(
        &mut self,
        operation: &O,
        value: V,
    ) -> Result<O::Output<V>, Trouble> {
        if !self.standing.may_be_asked() {
            return Err(Trouble::Down);
        }
        let exchange = async {
            let connection = self.connected().await?;
            connection.call(operation, value).await.map_err(|_: ConnectionError<_>| Trouble::Exchange)
        };
        let done = with_timeout(LIMIT, exchange).await.unwrap_or(Err(Trouble::TimedOut));
        // It is not idle when the time was over in the midst of an exchange.
        self.is_connected &=
            self.connection.as_ref().is_some_and(|connection| connection.state() == ExchangeState::Idle);
        self.standing.note(done.is_ok());
        done
    }

    async fn connected(&mut self) -> Result<&mut Wire<'b>, Trouble> {
        if !self.is_connected {
            // What was under way on the old connection is forgotten with it.
            self.connection = self.connection.take().map(|old| connection(old.into_inner().0));
        }
        let Some(connection) = &mut self.connection else { board::fail("a connection was lost") };
        if !self.is_connected {
            let socket = connection.io_mut();
            socket.abort();
            let [a, b, c, d] = HOST;
            let connected = socket.connect((Ipv4Address::new(a, b, c, d), self.port)).await;
            connected.map_err(|_| Trouble::Connect)?;
            self.is_connected = true;
        }
        Ok(connection)
    }

    async fn set(&mut self, name: &str, flags: u32) {
        let Ok(value) = Value::new(name.as_bytes()) else { board::fail("a value is too long") };
        let set = Store::set(key(name), value).flags(flags).exptime(60);
        let stored = self.call(&set, ArrayBuffer::<0>::new()).await;
        check(stored == Ok(StoreOutcome::Stored), "an item is not stored");
    }

    async fn get(&mut self, name: &str) -> Result<Option<Item<ArrayBuffer<64>>>, Trouble> {
        self.call(&Get::new(key(name)), ArrayBuffer::new()).await
    }

    async fn dies_and_comes_back(&mut self, number: usize) {
        hprintln!("please stop {}", number);
        while self.get("mcu:0").await != Err(Trouble::Down) {
            Timer::after(PAUSE).await;
        }
        hprintln!("please start {}", number);
        let begin = board::now();
        while self.get("mcu:0").await != Ok(None) {
            check(board::now().wrapping_sub(begin) < 20_000, "a server does not come back");
            Timer::after(PAUSE).await;
        }
        hprintln!("it is back");
    }
}

fn connection(socket: TcpSocket<'_>) -> Wire<'_> {
    let limits = Limits { line: BUFFER, ..Limits::DEFAULT };
    AsyncConnection::with_limits(socket, [0; BUFFER], limits)
}

/// How long an exchange may take.
const LIMIT: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(20);
