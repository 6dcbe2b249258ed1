//! The server: an engine that answers as memcached does, and a loop for each connection.

use core::net::SocketAddr;
use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::SystemTime,
};

use memring_text::{
    server::{Engine, MemoryStore, Next, RequestDecoder, Session},
    ttl::UnixTime,
};

/// Starts a server with 64 MiB on threads of this process, and returns its address.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let engine = Arc::new(Mutex::new(Engine::new(MemoryStore::new(64 << 20))));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let engine = Arc::clone(&engine);
            thread::spawn(move || serve(stream, &engine));
        }
    });
    Ok(address)
}

/// Answers requests until the client goes, or asks for something that ends the connection.
fn serve(mut stream: TcpStream, engine: &Mutex<Engine<MemoryStore>>) -> io::Result<()> {
    let (mut session, mut output) = (Session::new(Vec::new()), Vec::new());
    let (mut input, mut filled) = ([0; RequestDecoder::MIN_BUFFER], 0);
    loop {
        let fed = {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            session.feed(&input[..filled], &mut engine, &mut output, UnixTime::from(SystemTime::now()))
        };
        input.copy_within(fed.consumed..filled, 0);
        filled -= fed.consumed;
        stream.write_all(&output)?;
        output.clear();
        match fed.next {
            Next::Read => match stream.read(&mut input[filled..])? {
                0 => return Ok(()),
                len => filled += len,
            },
            Next::Write => {}
            Next::Close => return Ok(()),
        }
    }
}
