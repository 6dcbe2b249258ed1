//! `memring verify`: do vector files still hold.

use core::fmt::Write as _;

use memring_core::{
    Server, ServerIndex,
    vector::{Header, Line, unescape},
};

use crate::{
    failure::{Failure, Outcome},
    input::{Input, PlacedServer},
    output,
    scheme_args::{Choice, build},
};

/// Mismatches shown of one file.
const SHOWN: usize = 5;

/// Checks vector files: what a peer did, key by key.
///
/// Prints `ok N keys` for a file that holds, else its first mismatches; the exit code is 1 if there is any.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Vector files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Fine;
    for path in &args.files {
        let input = Input::read(path)?;
        let report = Vector::parse(&input)?.verify()?;
        if report.mismatches > 0 {
            outcome = Outcome::No("not all vectors hold");
        }
        output::print(&format!("{path}: {}", report.text))?;
    }
    Ok(outcome)
}

/// One file.
#[derive(Debug, Default)]
struct Vector<'t> {
    choice: Choice<'t>,
    servers: Vec<PlacedServer<'t>>,
    full_order: bool,
    rows: Vec<(usize, &'t str, &'t str)>,
}

struct Report {
    mismatches: usize,
    text: String,
}

impl<'t> Vector<'t> {
    fn parse(input: &'t Input) -> Result<Self, Failure> {
        let mut vector = Self::default();
        for line in input.text_lines() {
            let (number, line) = line?;
            match Line::parse(line).map_err(|error| input.at(number, error))? {
                Line::Header(Header::Scheme(name)) => vector.choice.name = name,
                Line::Header(Header::Option(name, value)) => vector.choice.options.push((name, value)),
                Line::Header(Header::Server(server)) => {
                    let server = Server::parse(server).map_err(|error| input.at(number, error))?;
                    vector.servers.push(PlacedServer { server, place: input.place(number) });
                }
                Line::Header(Header::FullOrder(full)) => vector.full_order = full,
                Line::Header(_) => {}
                Line::Key { escaped, servers } => vector.rows.push((number, escaped, servers)),
            }
        }
        Ok(vector)
    }

    fn verify(&self) -> Result<Report, Failure> {
        let placement = build(self.choice.scheme()?, &self.servers)?;
        let mut room = vec![ServerIndex::default(); if self.full_order { self.servers.len() } else { 1 }];
        let mut report = Report { mismatches: 0, text: String::new() };
        for &(number, escaped, servers) in &self.rows {
            let key: Vec<u8> = unescape(escaped.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::usage(format_args!("line {number}: {error}")))?;
            let order: Vec<_> = placement.order(&key, &mut room).iter().map(ServerIndex::to_string).collect();
            let placed = order.join(",");
            if placed != servers {
                report.mismatches += 1;
                if report.mismatches <= SHOWN {
                    let _ = write!(
                        report.text,
                        "\n  line {number}: {escaped} is on {servers}, placed on {placed}"
                    );
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
