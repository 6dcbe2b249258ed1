//! Shows what a target makes of files, such as an input that the fuzzer kept, and calls the target's law with it.
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --example obey -- TARGET FILE…
//! ```

use std::{env, fs, process::ExitCode};

use memring_fuzz::targets::Target;

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let Some(target) = args.next().as_deref().and_then(Target::named) else {
        eprintln!("obey: write TARGET FILE…, with a target of fuzz_targets");
        return ExitCode::FAILURE;
    };
    for path in args {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("obey: {path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        match (target.shown)(&bytes) {
            Some(argument) => println!("{path}: {argument}"),
            None => println!("{path}: makes no argument"),
        }
        (target.run)(&bytes);
    }
    ExitCode::SUCCESS
}
