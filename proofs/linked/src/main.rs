//! Lists the public functions of the cores that the link proof does not contain, and fails if there are any but those
//! with a reason.
//!
//! ```text
//! linked ROOT RUSTDOC.json… PROGRAM…
//! ```
//!
//! A function is found by the file and the line where it is declared. The programs must be built without optimisation:
//! then each function that is called has code of its own.

use std::{
    collections::HashSet,
    env,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use contained::Contained;

mod contained;
mod documented;
mod reasons;

/// Where a function is declared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub file: PathBuf,
    pub line: u64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let root = arguments.next().ok_or("usage: linked ROOT RUSTDOC.json… PROGRAM…")?;
    let (documented, programs): (Vec<_>, Vec<_>) =
        arguments.partition(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut contained = Contained::default();
    for program in &programs {
        contained::add(program, &mut contained)?;
    }
    let mut functions = Vec::new();
    for json in &documented {
        functions.extend(documented::functions(json, &root)?);
    }
    functions.sort_by(|left, right| {
        (&left.place.file, left.place.line).cmp(&(&right.place.file, right.place.line))
    });

    let mut excused = HashSet::new();
    let mut missing = 0_usize;
    for function in functions.iter().filter(|function| !contained.has(function)) {
        match reasons::reason(&function.name) {
            Some(name) => {
                excused.insert(name);
            }
            None => {
                missing += 1;
                let file = function.place.file.strip_prefix(root.canonicalize()?).unwrap_or(Path::new(""));
                println!("not linked: {}, {}:{}", function.name, file.display(), function.place.line);
            }
        }
    }
    // A reason that is not needed any more hides the next function of that name.
    let idle: Vec<_> = reasons::names().filter(|name| !excused.contains(name)).collect();
    for name in &idle {
        println!("needs no reason: {name}");
    }
    println!(
        "{} public functions, {} with a reason not to be linked, {missing} missing",
        functions.len(),
        excused.len()
    );
    Ok(if missing == 0 && idle.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
