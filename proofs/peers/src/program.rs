//! A peer as a program that does one task a line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{Failure, configuration::Configuration, fleet::Keys, peers::Row};

/// Another client, or a proxy.
pub(crate) trait Peer {
    fn version(&self) -> &str;

    /// Stores all keys, and says how many that were; `None` if the peer only reads.
    fn set(&mut self, configuration: &Configuration, keys: &Keys) -> Result<Option<usize>, Failure>;

    /// How many of the keys it finds with their values.
    fn get(&mut self, configuration: &Configuration, keys: &Keys) -> Result<usize, Failure>;
}

/// A program of `clients`. It prints its version, and then, for each line `set` or `get`, options, servers and a file of keys,
/// with tabs between, how many keys it stored or found.
struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: String,
}

/// Starts the program of a row.
pub(crate) fn start(row: &Row) -> Result<Box<dyn Peer>, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (program, args) = row.program.split_first().ok_or("no program")?;
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let input = child.stdin.take().ok_or("no input")?;
    let output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut program = Program { child, input, output, version: String::new() };
    program.version = program.line()?;
    Ok(Box::new(program))
}

impl Program {
    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("it ended".into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn ask(&mut self, task: &str, configuration: &Configuration, keys: &Keys) -> Result<usize, Failure> {
        writeln!(self.input, "{task}\t{}\t{}", configuration.line(), keys.file().display())?;
        let line = self.line()?;
        Ok(line.parse().map_err(|_| format!("{line:?} is no number"))?)
    }
}

impl Peer for Program {
    fn version(&self) -> &str {
        &self.version
    }

    fn set(&mut self, configuration: &Configuration, keys: &Keys) -> Result<Option<usize>, Failure> {
        self.ask("set", configuration, keys).map(Some)
    }

    fn get(&mut self, configuration: &Configuration, keys: &Keys) -> Result<usize, Failure> {
        self.ask("get", configuration, keys)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
