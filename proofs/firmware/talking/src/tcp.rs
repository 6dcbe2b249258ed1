//! TCP with smoltcp, as blocking sockets.

use core::{cell::RefCell, error, fmt};

use embedded_io::{ErrorKind, ErrorType, Read, Write};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage},
    socket::tcp,
    time::Instant,
    wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Address},
};

use crate::{
    board,
    fleet::{BOARD, HOST, SERVERS},
    lan9118::{ADDRESS, Lan9118},
};

/// Memory for what has come and what is to leave, of each socket.
pub type Buffers = [[[u8; 512]; 2]; SERVERS];

/// The chip, the protocols over it, and their sockets.
pub struct Net<'b> {
    stack: RefCell<Stack<'b>>,
}

struct Stack<'b> {
    device: Lan9118,
    interface: Interface,
    sockets: SocketSet<'b>,
    /// The port that the next connection comes from.
    port: u16,
}

impl<'b> Net<'b> {
    /// Starts the network.
    pub fn start(storage: &'b mut [SocketStorage<'b>; SERVERS]) -> Self {
        let mut device = Lan9118::start();
        let config = Config::new(EthernetAddress(ADDRESS).into());
        let mut interface = Interface::new(config, &mut device, now());
        interface.update_ip_addrs(|addresses| {
            let (address, bits) = BOARD;
            if addresses.push(IpCidr::new(IpAddress::Ipv4(address.into()), bits)).is_err() {
                board::fail("there is no room for an address");
            }
        });
        let sockets = SocketSet::new(&mut storage[..]);
        Self { stack: RefCell::new(Stack { device, interface, sockets, port: 49152 }) }
    }

    /// A socket for the host's `port`. It is not connected.
    pub fn socket(&self, port: u16, buffers: &'b mut [[u8; 512]; 2]) -> Socket<'_, 'b> {
        let [received, sent] = buffers.each_mut().map(|buffer| tcp::SocketBuffer::new(&mut buffer[..]));
        let mut socket = tcp::Socket::new(received, sent);
        socket.set_nagle_enabled(false);
        Socket { net: self, handle: self.stack.borrow_mut().sockets.add(socket), port }
    }
}

/// One connection.
pub struct Socket<'n, 'b> {
    net: &'n Net<'b>,
    handle: SocketHandle,
    port: u16,
}

impl Socket<'_, '_> {
    /// Connects, whatever was before.
    pub fn connect(&mut self) -> Result<(), NetError> {
        {
            let stack = &mut *self.net.stack.borrow_mut();
            let socket = stack.sockets.get_mut::<tcp::Socket<'_>>(self.handle);
            socket.abort();
            stack.interface.poll(now(), &mut stack.device, &mut stack.sockets);
            stack.port = stack.port.checked_add(1).unwrap_or(49152);
            let host = IpAddress::Ipv4(Ipv4Address::from(HOST));
            let socket = stack.sockets.get_mut::<tcp::Socket<'_>>(self.handle);
            let begun = socket.connect(stack.interface.context(), (host, self.port), stack.port);
            begun.map_err(|_| NetError::Refused)?;
        }
        self.wait(|socket| {
            if socket.may_send() {
                Some(Ok(()))
            } else if socket.is_open() {
                None
            } else {
                Some(Err(NetError::Refused))
            }
        })
    }

    /// Lets the network work until `done` has a result, but not for ever.
    fn wait<T>(
        &mut self,
        mut done: impl FnMut(&mut tcp::Socket<'_>) -> Option<Result<T, NetError>>,
    ) -> Result<T, NetError> {
        let begin = board::now();
        loop {
            let stack = &mut *self.net.stack.borrow_mut();
            stack.interface.poll(now(), &mut stack.device, &mut stack.sockets);
            if let Some(result) = done(stack.sockets.get_mut(self.handle)) {
                return result;
            }
            if board::now().wrapping_sub(begin) > PATIENCE {
                return Err(NetError::TimedOut);
            }
        }
    }
}

impl ErrorType for Socket<'_, '_> {
    type Error = NetError;
}

impl Read for Socket<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, NetError> {
        self.wait(|socket| {
            if socket.can_recv() {
                Some(socket.recv_slice(buffer).map_err(|_| NetError::Reset))
            } else if socket.may_recv() {
                None
            } else {
                // The peer has ended it in order, or not.
                Some(if socket.is_open() { Ok(0) } else { Err(NetError::Reset) })
            }
        })
    }
}

impl Write for Socket<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NetError> {
        self.wait(|socket| {
            if socket.can_send() {
                Some(socket.send_slice(bytes).map_err(|_| NetError::Reset))
            } else if socket.may_send() {
                None
            } else {
                Some(Err(NetError::Reset))
            }
        })
    }

    fn flush(&mut self) -> Result<(), NetError> {
        Ok(())
    }
}

/// Why a socket did not do what it was to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// Nobody answered in time.
    TimedOut,
    /// Nobody listens there.
    Refused,
    /// The connection is no more.
    Reset,
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "timed out",
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
        })
    }
}

impl error::Error for NetError {}

impl embedded_io::Error for NetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Refused => ErrorKind::ConnectionRefused,
            Self::Reset => ErrorKind::ConnectionReset,
        }
    }
}

fn now() -> Instant {
    Instant::from_millis(board::now())
}

/// How long anything may take, in milliseconds.
const PATIENCE: u32 = 3000;
