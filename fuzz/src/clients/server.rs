//! A server that does to its replies what it is told.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    mem,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
};

use arbitrary::Arbitrary;
use memring_text::server::{Engine, MemoryStore, Session};

use crate::codec::{NOW, engine};

/// What becomes of a reply.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It comes.
    Whole,
    /// It comes, cut behind so many bytes.
    Pieces(u8),
    /// So many bytes come, and the connection is closed.
    Cut(u8),
    /// It comes, with something behind it that nobody asked for.
    Behind(u8),
    /// Something comes in its place, and the connection is closed.
    Instead(u8),
}

impl Fate {
    /// Whether the client has no reason to complain.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Whole | Self::Pieces(_))
    }

    const fn closes(self) -> bool {
        matches!(self, Self::Cut(_) | Self::Instead(_))
    }
}

/// What nobody asks for. None of it could be the true reply to anything that is asked, and untrue.
const FOREIGN: [&[u8]; 8] = [
    b"VALUE other 0 3\r\nbad\r\nEND\r\n",
    b"VALUE k 0 3 7\r\nbad\r\nEND\r\n",
    b"VA 3\r\nbad\r\n",
    b"STORED\r\n",
    b"DELETED\r\n",
    b"SERVER_ERROR out of memory storing object\r\n",
    b"ERROR\r\n",
    b"VALUE k 0",
];

/// What one client sees: a server of its own, and what its next reply is to meet.
pub(super) struct World {
    state: Shared,
    listener: MutexGuard<'static, Listener>,
}

struct State {
    engine: Engine<MemoryStore>,
    fate: Fate,
}

/// The socket of the process, and whose connections it takes: one client's at a time.
struct Listener {
    path: PathBuf,
    current: Arc<Mutex<Option<Shared>>>,
}

type Shared = Arc<Mutex<State>>;

static LISTENER: LazyLock<Mutex<Listener>> = LazyLock::new(|| {
    let path = env::temp_dir().join(format!("memring-fuzz-{}.sock", std::process::id()));
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a socket");
    let current = Arc::new(Mutex::new(None::<Shared>));
    let whose = Arc::clone(&current);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if let Some(state) = locked(&whose).clone() {
                thread::spawn(move || serve(stream, &state));
            }
        }
    });
    Mutex::new(Listener { path, current })
});

impl World {
    pub(super) fn new() -> Self {
        let listener = locked(&LISTENER);
        let state = Arc::new(Mutex::new(State { engine: engine(), fate: Fate::Whole }));
        *locked(&listener.current) = Some(Arc::clone(&state));
        Self { state, listener }
    }

    /// What the client is to connect to.
    pub(super) fn path(&self) -> &str {
        self.listener.path.to_str().expect("it is text")
    }

    /// The next reply meets `fate`, and whatever comes behind it comes whole.
    pub(super) fn is_to_meet(&self, fate: Fate) {
        locked(&self.state).fate = fate;
    }
}

/// Answers one connection until either side closes it.
fn serve(mut stream: UnixStream, state: &Mutex<State>) {
    let (mut session, mut inbox, mut buf) = (Session::new(Vec::new()), Vec::new(), [0; 4096]);
    while let Ok(len @ 1..) = stream.read(&mut buf) {
        inbox.extend_from_slice(&buf[..len]);
        let mut reply = Vec::new();
        let fate = {
            let mut state = locked(state);
            let fed = session.feed(&inbox, &mut state.engine, &mut reply, NOW);
            inbox.drain(..fed.consumed);
            if reply.is_empty() { Fate::Whole } else { mem::replace(&mut state.fate, Fate::Whole) }
        };
        if answer(&mut stream, &reply, fate).is_err() || fate.closes() {
            return;
        }
    }
}

fn answer(stream: &mut UnixStream, reply: &[u8], fate: Fate) -> io::Result<()> {
    let cut = |len: u8| reply.split_at(usize::from(len) % reply.len().max(1));
    let foreign = |which: u8| FOREIGN[usize::from(which) % FOREIGN.len()];
    match fate {
        Fate::Whole => stream.write_all(reply),
        Fate::Pieces(len) => {
            let (first, rest) = cut(len);
            stream.write_all(first)?;
            thread::yield_now();
            stream.write_all(rest)
        }
        Fate::Cut(len) => stream.write_all(cut(len).0),
        Fate::Behind(which) => stream.write_all(&[reply, foreign(which)].concat()),
        Fate::Instead(which) => stream.write_all(foreign(which)),
    }
}

/// What one thread left behind by a panic is as good to the next.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
