//! A byte stream of any of the kinds that servers listen on.

use core::{
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};
use std::io;

use memring_client::failure::Cause;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// The byte stream of a connection.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Whether there is nothing to read, neither a byte nor the end. Asks the system, which may know of more than the
    /// runtime has noticed yet.
    fn is_silent(&mut self) -> bool;

    /// Whether some of the bytes of a write that failed may have left.
    fn may_have_sent(&self) -> bool {
        false
    }

    /// Whether bytes that are written at once arrive in records.
    fn has_records(&self) -> bool {
        false
    }

    /// Why a read or a write failed.
    fn cause_of(error: io::Error) -> Cause
    where
        Self: Sized,
    {
        Cause::from(error)
    }

    /// Registers the stream with the current runtime, which then reports when it can be read and written.
    fn move_here(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(test)]
    Memory(Box<dyn Transport + Send>),
}

#[cfg(test)]
impl core::fmt::Debug for dyn Transport + Send {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Memory")
    }
}

impl Transport for Stream {
    fn is_silent(&mut self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = match self {
            Self::Tcp(stream) => SockRef::from(&*stream).peek(&mut byte),
            #[cfg(unix)]
            Self::Unix(stream) => SockRef::from(&*stream).peek(&mut byte),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => peek(stream),
            #[cfg(test)]
            Self::Memory(stream) => return stream.is_silent(),
        };
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    #[cfg(feature = "tls")]
    fn may_have_sent(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    #[cfg(feature = "tls")]
    fn has_records(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    fn move_here(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => move_tcp_here(stream)?,
            #[cfg(unix)]
            Self::Unix(stream) => {
                *stream = tokio::net::UnixStream::from_std(SockRef::from(&*stream).try_clone()?.into())?;
            }
            #[cfg(feature = "tls")]
            Self::Tls(stream) => move_tcp_here(stream.get_mut().0)?,
            #[cfg(test)]
            Self::Memory(stream) => stream.move_here()?,
        }
        Ok(())
    }

    #[cfg(feature = "tls")]
    fn cause_of(error: io::Error) -> Cause {
        memring_client::tls::cause_of(error, Cause::from)
    }
}

/// Replaces the descriptor by a copy that the current runtime watches, and closes the old one.
fn move_tcp_here(stream: &mut TcpStream) -> io::Result<()> {
    *stream = TcpStream::from_std(SockRef::from(&*stream).try_clone()?.into())?;
    Ok(())
}

/// The number of bytes that can be read. Messages of TLS itself (tickets to resume the session, new keys) are
/// processed.
#[cfg(feature = "tls")]
fn peek(stream: &mut TlsStream<TcpStream>) -> io::Result<usize> {
    let (tcp, session) = stream.get_mut();
    let socket = SockRef::from(&*tcp);
    loop {
        let state = session.process_new_packets();
        let state = state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let waiting = state.plaintext_bytes_to_read();
        if waiting > 0 || session.read_tls(&mut &*socket)? == 0 {
            return Ok(waiting);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            // An end without TLS's farewell is an end, too: the codec notices if something is missing.
            #[cfg(feature = "tls")]
            Self::Tls(stream) => match Pin::new(stream).poll_read(cx, buf) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Poll::Ready(Ok(()))
                }
                read => read,
            },
            #[cfg(test)]
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(test)]
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(test)]
            Self::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(test)]
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
