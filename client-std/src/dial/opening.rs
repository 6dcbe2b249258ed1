//! Opening a connection, in steps: the look-up of the name, an address, encryption, the password. Each step goes on
//! when it can, so that many connections can be opened at once; only [`Opening::finish`] waits.

use core::{fmt, mem, time::Duration};
use std::{io, sync::Arc, time::Instant};

#[cfg(feature = "tls")]
use memring_client::dial::Terms;
use memring_client::failure::Cause;
use memring_text::{
    Connection, Limits, Operation as _, Reply, Request, buffer::ArrayBuffer, request::Credentials,
};
use rustix::event::PollFd;

use super::{Dialer, Place, connecting::Connecting};
#[cfg(feature = "tls")]
use crate::socket::TlsStream;
use crate::{
    deadline::Deadline,
    pool::Wire,
    resolve::{Inquiry, Resolver},
    socket::{Socket, Stream, wait},
};

/// A connection that is being opened.
pub(crate) struct Opening<'d> {
    dialer: &'d Dialer,
    begun: Instant,
    deadline: Deadline,
    /// The usual timeout of the connection's operations.
    timeout: Duration,
    limits: Limits,
    step: Step<'d>,
}

enum Step<'d> {
    Begin,
    Resolve(&'d Arc<Resolver>, Inquiry),
    Connect(Connecting<'d>),
    #[cfg(feature = "tls")]
    Encrypt(Box<TlsStream>),
    LogIn(Wire, Credentials<'d>, Reply<ArrayBuffer<0>>),
}

/// The result of a step.
enum Moved<'d> {
    On(Step<'d>),
    /// The step has to wait.
    Not(Step<'d>),
    Open(Wire),
}

impl<'d> Opening<'d> {
    /// Begins to open a connection, which must be open by `deadline`.
    pub(super) fn new(dialer: &'d Dialer, deadline: Deadline, timeout: Duration, limits: Limits) -> Self {
        Self { dialer, begun: Instant::now(), deadline, timeout, limits, step: Step::Begin }
    }

    /// When opening began.
    pub(crate) const fn begun(&self) -> Instant {
        self.begun
    }

    /// Goes on as far as that is possible without waiting. Returns the connection once it is open; it takes turns.
    ///
    /// # Errors
    /// The connection cannot be opened, or not in time. Then the opening is over.
    pub(crate) fn turn(&mut self) -> Result<Option<Wire>, Cause> {
        loop {
            if self.deadline.left().is_zero() {
                let late = io::ErrorKind::TimedOut.into();
                let is_named = matches!(self.step, Step::Resolve(_, Inquiry::Asked { .. }));
                return Err(if is_named { Cause::resolve(late) } else { Cause::connect(late) });
            }
            let step = mem::replace(&mut self.step, Step::Begin);
            match self.go_on(step)? {
                Moved::On(step) => self.step = step,
                Moved::Not(step) => {
                    self.step = step;
                    return Ok(None);
                }
                Moved::Open(wire) => return Ok(Some(wire)),
            }
        }
    }

    /// Waits until the connection is open, and returns it for the use of one caller, whose reads and writes wait.
    pub(crate) fn finish(&mut self) -> Result<Wire, Cause> {
        loop {
            if let Some(mut wire) = self.turn()? {
                wire.io_mut().end_turns().map_err(Cause::connect)?;
                return Ok(wire);
            }
            match &self.step {
                Step::Resolve(resolver, inquiry) => resolver.wait(inquiry, self.deadline.left()),
                _ => wait(self.awaited().into_iter(), self.patience(), &mut Vec::new())?,
            }
        }
    }

    /// The event to wait for, if the system can report one.
    pub(crate) fn awaited(&self) -> Option<PollFd<'_>> {
        match &self.step {
            Step::Connect(connecting) => connecting.awaited().map(|(awaited, _)| awaited),
            #[cfg(feature = "tls")]
            Step::Encrypt(stream) => Some(stream.awaited()),
            Step::LogIn(wire, ..) => Some(wire.io().awaited()),
            Step::Begin | Step::Resolve(..) => None,
        }
    }

    /// How long to wait before the next look if the system reports nothing.
    pub(crate) fn patience(&self) -> Duration {
        let left = self.deadline.left();
        match &self.step {
            Step::Connect(connecting) => {
                connecting.awaited().map_or(LOOK_AGAIN, |(_, part)| part.left()).min(left)
            }
            Step::Begin | Step::Resolve(..) => left.min(LOOK_AGAIN),
            _ => left,
        }
    }

    fn go_on(&self, step: Step<'d>) -> Result<Moved<'d>, Cause> {
        match step {
            Step::Begin => Ok(Moved::On(match &self.dialer.place {
                Place::Tcp(resolver) => Step::Resolve(resolver, resolver.ask().map_err(Cause::resolve)?),
                Place::Unix(path) => Step::Connect(Connecting::Unix(path)),
                Place::Vacant => return Err(Cause::Vacant),
            })),
            Step::Resolve(resolver, inquiry) => {
                let options = self.dialer.terms.tcp;
                Ok(match resolver.answer(&inquiry).map_err(Cause::resolve)? {
                    Some(addresses) => Moved::On(Step::Connect(Connecting::to_any(addresses, options))),
                    None => Moved::Not(Step::Resolve(resolver, inquiry)),
                })
            }
            Step::Connect(mut connecting) => match connecting.turn(self.deadline).map_err(Cause::connect)? {
                Some(stream) => self.encrypt(stream),
                None => Ok(Moved::Not(Step::Connect(connecting))),
            },
            #[cfg(feature = "tls")]
            Step::Encrypt(mut stream) => match stream.shake_hands()? {
                true => self.log_in(Stream::Tls(stream)),
                false => Ok(Moved::Not(Step::Encrypt(stream))),
            },
            Step::LogIn(wire, credentials, reply) => receive_answer(wire, credentials, reply),
        }
    }

    fn encrypt(&self, stream: Stream) -> Result<Moved<'d>, Cause> {
        match (stream, &self.dialer.terms) {
            #[cfg(feature = "tls")]
            (Stream::Tcp(tcp), Terms { tls: Some(target), .. }) => {
                Ok(Moved::On(Step::Encrypt(Box::new(TlsStream::new(tcp, target)?))))
            }
            (stream, _) => self.log_in(stream),
        }
    }

    /// Logs in, if there is a password.
    fn log_in(&self, stream: Stream) -> Result<Moved<'d>, Cause> {
        let socket = Socket::new(stream, self.timeout).map_err(Cause::connect)?;
        let buffer = vec![0; BUFFER.max(self.limits.line)].into_boxed_slice();
        let mut wire = Box::new(Connection::with_limits(socket, buffer, self.limits));
        let Some(auth) = &self.dialer.terms.auth else { return Ok(Moved::Open(wire)) };
        let credentials = auth.credentials();
        wire.io_mut().begin(self.deadline);
        wire.send(&Request::Auth(credentials))?;
        Ok(Moved::On(Step::LogIn(wire, credentials, Reply::new(ArrayBuffer::new()))))
    }
}

fn receive_answer<'d>(
    mut wire: Wire,
    credentials: Credentials<'d>,
    mut reply: Reply<ArrayBuffer<0>>,
) -> Result<Moved<'d>, Cause> {
    wire.io_mut().push()?;
    while !wire.receive_filled(&Request::Auth(credentials), |event, _| reply.take(event))? {
        if !wire.fill(Socket::pull)? {
            return Ok(Moved::Not(Step::LogIn(wire, credentials, reply)));
        }
    }
    credentials.output(reply)?;
    Ok(Moved::Open(wire))
}

impl fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("dialer", &self.dialer).finish_non_exhaustive()
    }
}

/// The time between two looks at a step for which the system reports no event.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The size of a connection's read buffer, in bytes.
const BUFFER: usize = 16 * 1024;
