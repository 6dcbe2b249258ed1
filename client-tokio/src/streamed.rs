//! Values that pass piece by piece between a server and the caller's stream, on a connection of their own, so that
//! other requests need not wait for them.

use core::time::Duration;
use std::io;

use memring_client::failure::{Cause, Error};
use memring_text::{
    Exchange, Get, Item, Limits, Operation as _, Reply, Request, Store, StoreOutcome, buffer::ArrayBuffer,
    exchange::Progress, reply::Event,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    call::Target,
    socket::{Stream, Transport as _},
};

/// Sends `store` with a value of `len` bytes from `source`. `step` is how long each piece may take.
pub(crate) async fn send_from(
    target: &Target<'_>,
    store: &Store<'_>,
    len: usize,
    source: &mut (impl AsyncRead + Unpin),
    step: Duration,
) -> Result<StoreOutcome, Error> {
    let (mut attempt, mut is_sent) = (target.attempt(), false);
    let shorter = target.shorter(store);
    let store = shorter.as_ref().unwrap_or(store);
    let exchange = async |stream: Stream, limits: Limits| {
        let mut wire = Wire::new(stream, limits, step);
        let line = store.line_for(len)?;
        let mut piece = Vec::with_capacity(PIECE.min(len));
        wire.write(line.as_bytes(), &mut is_sent).await?;
        let mut left = len;
        while left > 0 {
            piece.resize(left.min(PIECE), 0);
            let read = read(source, &mut piece).await.map_err(Cause::stream)?;
            left = left.saturating_sub(read);
            wire.write(piece.get(..read).unwrap_or(&[]), &mut is_sent).await?;
        }
        wire.write(b"\r\n", &mut is_sent).await?;
        wire.flush().await?;
        let mut reply = Reply::new(ArrayBuffer::<0>::new());
        wire.receive(&Request::Store(*store), &mut reply, &mut tokio::io::sink()).await?;
        Ok(store.output(reply)?)
    };
    let done = target.pool().alone(step, exchange).await;
    attempt.was_silent_for(step);
    attempt.ended(done.as_ref());
    done.map_err(|cause| target.failed(cause, is_sent))
}

/// Sends `get` and writes the value to `sink`. `step` is how long each piece may take. The item has the value's length
/// instead of the value.
pub(crate) async fn get_to(
    target: &Target<'_>,
    get: Get<'_>,
    sink: &mut (impl AsyncWrite + Unpin),
    step: Duration,
) -> Result<Option<Item<usize>>, Error> {
    let request = Request::Get(get);
    let (mut attempt, mut is_sent) = (target.attempt(), false);
    let exchange = async |stream: Stream, limits: Limits| {
        let mut wire = Wire::new(stream, limits, step);
        wire.write(request.parts().head.as_bytes(), &mut is_sent).await?;
        wire.flush().await?;
        let mut reply = Reply::new(ArrayBuffer::<0>::new());
        let len = wire.receive(&request, &mut reply, sink).await?;
        sink.flush().await.map_err(Cause::stream)?;
        let item = get.output(reply)?;
        Ok(item.map(|Item { flags, cas, .. }| Item { flags, cas, value: len }))
    };
    let done = target.pool().alone(step, exchange).await;
    // A get changes nothing.
    attempt.was_silent_for(step);
    attempt.ended(done.as_ref());
    done.map_err(|cause| target.error(cause))
}

/// A connection for one exchange. Dropping it closes it.
pub(crate) struct Wire {
    io: Stream,
    exchange: Exchange,
    inbox: Vec<u8>,
    /// The part of the inbox that is received and not consumed.
    taken: usize,
    filled: usize,
    step: Duration,
}

impl Wire {
    pub(crate) fn new(io: Stream, limits: Limits, step: Duration) -> Self {
        let inbox = vec![0; PIECE.max(limits.line)];
        Self { io, exchange: Exchange::new(limits), inbox, taken: 0, filled: 0, step }
    }

    /// Writes all of `bytes`; the time begins anew with each part that leaves. Notes that bytes may have left.
    pub(crate) async fn write(&mut self, bytes: &[u8], is_sent: &mut bool) -> Result<(), Cause> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = in_time(self.step, self.io.write(rest)).await;
            *is_sent |= written.is_ok() || self.io.may_have_sent();
            match written? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                len => rest = rest.get(len..).unwrap_or(&[]),
            }
        }
        Ok(())
    }

    pub(crate) async fn flush(&mut self) -> Result<(), Cause> {
        in_time(self.step, self.io.flush()).await
    }

    /// Reads the reply to `request`, which has been sent: its value goes to `sink`, whose time does not count, the rest
    /// to `reply`. Returns the value's length.
    async fn receive(
        &mut self,
        request: &Request<'_>,
        reply: &mut Reply<ArrayBuffer<0>>,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<usize, Cause> {
        let mut len = 0;
        self.exchange.sent();
        while self.exchange.owed() > 0 {
            let received = self.inbox.get(self.taken..self.filled).unwrap_or(&[]);
            match self.exchange.decode(received, request)? {
                Progress::Event { consumed, event, .. } => {
                    if let Event::Data(piece) = event {
                        len += piece.len();
                        sink.write_all(piece).await.map_err(Cause::stream)?;
                    } else {
                        reply.take(&event);
                    }
                    self.taken = self.taken.saturating_add(consumed);
                }
                Progress::NeedMore => self.read().await?,
            }
        }
        Ok(len)
    }

    /// Reads the reply to `request`, which has been sent, and gives each of its events to `take`. `then` is how long each
    /// piece may take behind the first.
    pub(crate) async fn receive_events(
        &mut self,
        request: &Request<'_>,
        then: Duration,
        mut take: impl FnMut(&Event<'_>),
    ) -> Result<(), Cause> {
        self.exchange.sent();
        while self.exchange.owed() > 0 {
            let received = self.inbox.get(self.taken..self.filled).unwrap_or(&[]);
            let taken = self.exchange.decode_each(received, request, |event, _| take(event))?;
            self.taken = self.taken.saturating_add(taken.consumed);
            if self.exchange.owed() > 0 {
                self.read().await?;
                self.step = then;
            }
        }
        Ok(())
    }

    /// Reads more bytes.
    async fn read(&mut self) -> Result<(), Cause> {
        self.inbox.copy_within(self.taken..self.filled, 0);
        (self.taken, self.filled) = (0, self.filled.saturating_sub(self.taken));
        match in_time(self.step, self.io.read(self.inbox.get_mut(self.filled..).unwrap_or(&mut []))).await? {
            0 => Err(Cause::Closed(None)),
            len => {
                self.filled = self.filled.saturating_add(len);
                Ok(())
            }
        }
    }
}

async fn in_time<T>(step: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, Cause> {
    timeout(step, work).await.map_err(|_| Cause::Timeout)?.map_err(Stream::cause_of)
}

/// Reads some bytes. The end of the source is an error: bytes are still missing.
async fn read(source: &mut (impl AsyncRead + Unpin), piece: &mut [u8]) -> io::Result<usize> {
    match source.read(piece).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        len => Ok(len),
    }
}

/// How many bytes of a value are in memory at a time.
const PIECE: usize = 32 * 1024;
