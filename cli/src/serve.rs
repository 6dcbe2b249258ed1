//! `memring serve`: the embedded server, for trying things out.

use core::net::SocketAddr;

use memring_std::testing::Server;

use crate::{
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    output,
    verbs::secure::{auth_file, users},
};

/// Runs a memcached inside this process until it is interrupted.
///
/// It knows memcached's classic commands and forgets everything at the end: for tests and for trying things out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one. The address is printed when it can be connected to.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:11311")]
    listen: SocketAddr,

    /// How much it may hold, in MiB; when that is full, what was not used for longest is dropped.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    memory: u16,

    /// A file of users, one `USER:PASSWORD` a line: nobody else is let in.
    #[arg(long, value_name = "FILE")]
    auth_file: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let interrupt = Interrupt::take()?;
    let mut server = Server::builder().memory(usize::from(args.memory) << 20);
    if let Some(path) = &args.auth_file {
        for (user, password) in users(&auth_file(path)?)? {
            server = server.auth(user, password);
        }
    }
    let server = server
        .bind(args.listen)
        .map_err(|error| Failure::failed(format_args!("{}: {error}", args.listen)))?;
    output::print(&format!("listening on {}\n", server.addr()))?;
    interrupt.wait();
    server.stop();
    Ok(Outcome::Fine)
}
