//! The same server on a Unix socket.

use std::{
    fs, io,
    os::unix::{
        fs::FileTypeExt as _,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use memring_client::{Clock, testing::ServerBuilder};
use socket2::SockAddr;

use super::Running;

/// A server with memcached's classic and meta commands on a Unix socket, on threads of this process.
///
/// Dropping it closes its connections, ends its threads and takes the socket away.
///
/// ```
/// use memring_std::{Client, testing::UnixServer};
///
/// let path = std::env::temp_dir().join(format!("memring-{}.sock", std::process::id()));
/// let server = UnixServer::bind(UnixServer::builder(), &path)?;
/// let client = Client::connect([path.to_str().unwrap()])?;
/// client.set("k", "v", memring_std::Ttl::NEVER)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UnixServer {
    running: Running,
    path: PathBuf,
}

impl UnixServer {
    /// A builder, which sets further options.
    pub const fn builder() -> ServerBuilder<Self> {
        ServerBuilder::new()
    }

    /// Starts the server that `builder` describes on the socket `path`. A socket that is there and on which nobody listens is
    /// what another server has left, and is replaced.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`]: somebody listens there, or it is no socket; or another error of the system; or a name or
    /// password is invalid.
    pub fn bind(builder: ServerBuilder<Self>, path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let host = builder.host(Clock::SYSTEM)?;
        let own = SockAddr::unix(path)?;
        let is_left = fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket())
            && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_left {
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        Ok(Self { running: Running::new(host, listener.into(), own)?, path: path.to_owned() })
    }

    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.running.connections()
    }

    /// Closes all connections, ends all threads and takes the socket away.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for UnixServer {
    fn drop(&mut self) {
        self.running.end();
        // Where it is gone already, so much the better.
        let _ = fs::remove_file(&self.path);
    }
}
