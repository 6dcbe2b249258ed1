//! Places keys before and after a change: in a browser, as a part of the page that `memring plan --html` writes.
//!
//! It reads two lists of headers as vector files have them, then keys as keys files have them, with a line `---` between, and
//! writes for each key the indexes of its two servers, or what is wrong with it:
//!
//! ```text
//! # scheme: libketama                 0<TAB>2
//! # server: 10.0.0.1:11211            ! bad escape at byte 3: …
//! ---
//! # scheme: libketama
//! # server: 10.0.0.1:11211
//! # server: 10.0.0.2:11211
//! ---
//! user:7
//! not\right
//! ```
//!
//! A page gives it these lines as standard input and takes standard output: a plain program needs neither unsafe code nor code
//! that is made for it on the other side, and runs on any machine for tests.
#![forbid(unsafe_code)]

use std::io::{self, Read as _, Write as _};

fn main() -> io::Result<()> {
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request)?;
    let mut answer = Vec::new();
    if let Err(reason) = memring_page::answer(&request, &mut answer) {
        answer = format!("error: {reason}\n").into_bytes();
    }
    io::stdout().write_all(&answer)
}
