//! The bytes of a server, for connections that wait and for those that block.

use core::{convert::Infallible, future, task::Poll};

use embedded_io::ErrorType;

/// Bytes of a server, which come up to each of `ends`; whoever waits for them waits there once.
pub(crate) struct Wire<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    at: usize,
    has_waited: bool,
}

impl<'a> Wire<'a> {
    pub(super) const fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        Self { bytes, ends, at: 0, has_waited: false }
    }

    /// The same bytes once more, from the beginning.
    pub(super) const fn again(&self) -> Self {
        Self::new(self.bytes, self.ends)
    }

    /// How many bytes were read.
    pub(crate) const fn read(&self) -> usize {
        self.at
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        let end = self.ends.iter().find(|end| **end > self.at).copied().unwrap_or(self.at);
        let len = buf.len().min(end - self.at);
        buf[..len].copy_from_slice(&self.bytes[self.at..][..len]);
        self.at += len;
        len
    }
}

impl ErrorType for Wire<'_> {
    type Error = Infallible;
}

impl embedded_io::Read for Wire<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.take(buf))
    }
}

impl embedded_io::Write for Wire<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io_async::Read for Wire<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        let is_end = self.at == 0 || self.ends.contains(&self.at);
        future::poll_fn(|_| match is_end && !self.has_waited {
            true => {
                self.has_waited = true;
                Poll::Pending
            }
            false => Poll::Ready(()),
        })
        .await;
        self.has_waited = false;
        Ok(self.take(buf))
    }
}

impl embedded_io_async::Write for Wire<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        Ok(buf.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
