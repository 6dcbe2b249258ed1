//! `memring verify`: do vector files still hold.

use core::fmt::Write as _;

use memring_core::{
    ServerIndex,
    vector::{Header, Line, unescape},
};

use crate::{
    failure::{Failure, Outcome},
    input::{Input, Longest},
    output,
    scheme_args::{Choice, build},
    servers::NamedServer,
};

mod hashes;

/// Checks vector files: what a peer did, key by key.
///
/// Prints `ok N keys` for a file that holds, else its first mismatches; the exit code is 1 if there is any. A file is
/// about a scheme, and then says which servers a key has, or about a hash function, and then says its value.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Vector files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Fine;
    for path in &args.files {
        let input = Input::read("FILE", path, Longest::ANY)?;
        let report = Vector::parse(&input)?.verify().map_err(|failure| input.about(failure))?;
        if report.mismatches > 0 {
            outcome = Outcome::No("not all vectors hold");
        }
        output::print(&format!("{path}: {}", report.text))?;
    }
    Ok(outcome)
}

/// One file.
struct Vector<'t> {
    /// The hash function that it is about, if it is about one.
    hash: Option<&'t str>,
    choice: Choice<'t>,
    servers: Vec<NamedServer>,
    full_order: bool,
    rows: Vec<Row<'t>>,
}

/// One line: a key, escaped, and what the peer made of it.
struct Row<'t> {
    number: usize,
    escaped: &'t str,
    expected: &'t str,
}

struct Report {
    mismatches: usize,
    text: String,
}

impl<'t> Vector<'t> {
    fn parse(input: &'t Input) -> Result<Self, Failure> {
        let mut vector = Self {
            hash: None,
            choice: Choice::default(),
            servers: Vec::new(),
            full_order: false,
            rows: Vec::new(),
        };
        for line in input.text_lines() {
            let (number, line) = line?;
            if let Some(hash) = line.strip_prefix("# hash: ") {
                vector.hash = Some(hash);
                continue;
            }
            match Line::parse(line).map_err(|error| input.at(number, error))? {
                Line::Header(Header::Scheme(name)) => vector.choice.name = name,
                Line::Header(Header::Option(name, value)) => vector.choice.options.push((name, value)),
                Line::Header(Header::Server(server)) => {
                    vector.servers.push(NamedServer::new(server, format!("line {number}")));
                }
                Line::Header(Header::FullOrder(full)) => vector.full_order = full,
                Line::Header(_) => {}
                Line::Key { escaped, servers } => {
                    vector.rows.push(Row { number, escaped, expected: servers });
                }
            }
        }
        Ok(vector)
    }

    fn verify(&self) -> Result<Report, Failure> {
        if let Some(header) = self.hash {
            let hash = hashes::named(header)
                .ok_or_else(|| Failure::usage(format_args!("unknown hash function {header:?}")))?;
            return self.compare(hash);
        }
        if self.choice.name.is_empty() {
            return Err(Failure::usage("no line `# scheme: NAME`"));
        }
        let placement = build(self.choice.scheme()?, &self.servers)?;
        let mut scratch = vec![ServerIndex::default(); if self.full_order { self.servers.len() } else { 1 }];
        self.compare(|key| {
            let order: Vec<_> =
                placement.order(key, &mut scratch).iter().map(ServerIndex::to_string).collect();
            order.join(",")
        })
    }

    /// Compares what `answer` makes of each key with what the peer made of it.
    fn compare(&self, mut answer: impl FnMut(&[u8]) -> String) -> Result<Report, Failure> {
        let mut report = Report { mismatches: 0, text: String::new() };
        for &Row { number, escaped, expected } in &self.rows {
            let key: Vec<u8> = unescape(escaped.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::usage(format_args!("line {number}: {error}")))?;
            let answer = answer(&key);
            if answer != expected {
                report.mismatches += 1;
                if report.mismatches <= SHOWN {
                    let _ = write!(report.text, "\n  line {number}: {escaped} has {expected}, not {answer}");
                }
            }
        }
        let keys = self.rows.len();
        report.text = match report.mismatches {
            0 => format!("ok {keys} keys\n"),
            wrong => format!("{wrong} of {keys} keys differ{}\n", report.text),
        };
        Ok(report)
    }
}

/// Mismatches shown of one file.
const SHOWN: usize = 5;
