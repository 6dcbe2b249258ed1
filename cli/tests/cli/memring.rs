//! Runs the binary.

use core::sync::atomic::{AtomicU32, Ordering};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The command, ready to be given more than arguments.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memring"));
    // What the developer's own environment says is not asked.
    command.env_remove("MEMRING_CONFIG").env_remove("MEMCACHED_SERVERS");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `memring` with arguments, separated by blanks.
pub(crate) fn memring(args: &str) -> Run {
    memring_with(args.split_ascii_whitespace())
}

/// Runs `memring` with arguments that may hold blanks.
pub(crate) fn memring_with<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    Run::of(command(args).output().unwrap())
}

/// Runs `memring` and writes `input` to its standard input.
pub(crate) fn memring_reading(args: &str, input: &[u8]) -> Run {
    let mut child = command(args.split_ascii_whitespace()).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // A command that refuses its arguments does not read, and one that answers meanwhile wants to be read.
        scope.spawn(move || stdin.write_all(input));
        Run::of(child.wait_with_output().unwrap())
    })
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by a signal"),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a command that did what it was asked to.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{self:?}");
        String::from_utf8(self.stdout).unwrap()
    }

    /// The same of a command that may tell of weights that the scheme ignores, and of servers that are listed twice.
    #[track_caller]
    pub(crate) fn text_of_odd_servers(self) -> String {
        let is_told =
            |line: &str| line.contains(" ignores weights: ") || line.contains(" is listed more than once");
        assert!(self.code == 0 && self.stderr.lines().all(is_told), "{self:?}");
        String::from_utf8(self.stdout).unwrap()
    }

    /// The same as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// Checks that it ended with `code` and said `part` of what is wrong, beside what it printed of the rest.
    #[track_caller]
    pub(crate) fn fails_with_output(self, code: i32, part: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(part), "{}", self.stderr);
    }

    /// Checks that it ended with `code`, said `part` of what is wrong, and printed nothing else.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, part: &str) {
        assert_eq!((self.code, self.stdout.as_slice()), (code, &b""[..]), "{self:?}");
        assert!(self.stderr.contains(part), "{}", self.stderr);
    }
}

/// A file with this text, in a directory of the build.
pub(crate) fn file(text: &str) -> String {
    let path = scratch("list");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A path where nothing is yet.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()))
}

/// A file of `count` servers.
pub(crate) fn servers(count: usize) -> String {
    file(&(1..=count).map(|number| format!("10.0.0.{number}:11211\n")).collect::<String>())
}

/// A vector file of the core.
pub(crate) fn vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ring-core/tests/vectors").join(name);
    path.to_str().unwrap().to_owned()
}
