//! How a command ends: a few exit codes, and what is said about them.

use core::fmt;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::visible::Visible;

/// How a command that did its work ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Fine,
    /// Done, and the answer is no, for this reason: a miss, not stored, a mismatch.
    No(&'static str),
    /// The same, with what it is about.
    NoOf(String),
}

impl Outcome {
    /// Says why not on standard error and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let reason = match &self {
            Self::Fine => return ExitCode::SUCCESS,
            Self::No(reason) => *reason,
            Self::NoOf(reason) => reason,
        };
        say(Visible::line(reason).up_to(LONGEST));
        ExitCode::from(1)
    }
}

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for makes no sense.
    Usage(String),
    /// It makes sense and did not work.
    Failed(String),
    /// Somebody wanted it to end.
    Interrupted,
}

impl Failure {
    /// A usage error.
    pub(crate) fn usage(reason: impl fmt::Display) -> Self {
        Self::Usage(reason.to_string())
    }

    /// A failure at something that should have worked.
    pub(crate) fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// The same failure, with what led to it before its reason.
    pub(crate) fn about(self, what: &str) -> Self {
        match self {
            Self::Usage(reason) => Self::Usage(format!("{what}: {reason}")),
            Self::Failed(reason) => Self::Failed(format!("{what}: {reason}")),
            Self::Interrupted => Self::Interrupted,
        }
    }

    /// Says why on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (reason, code) = match self {
            Self::Usage(reason) => (&**reason, 2),
            Self::Failed(reason) => (&**reason, 3),
            // 128 + SIGINT, as shells have it.
            Self::Interrupted => ("interrupted", 130),
        };
        for line in reason.lines() {
            say(Visible::line(line).up_to(LONGEST));
        }
        ExitCode::from(code)
    }
}

/// Says a line on standard error. Where nobody reads that, there is nobody to tell.
pub(crate) fn say(line: impl fmt::Display) {
    drop(writeln!(io::stderr(), "memring: {line}"));
}

/// How much of a line is shown, in bytes: names may have megabytes.
const LONGEST: usize = 1000;

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(system(&error))
    }
}

/// What the system says, without the number of its error, in lower case.
pub(crate) fn system(error: &io::Error) -> String {
    let says = error.to_string();
    let says = says.split(" (os error ").next().unwrap_or(&says);
    let mut chars = says.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
