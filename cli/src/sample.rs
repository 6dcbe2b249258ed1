//! Keys that are placed to know how they are spread: a sample of all keys there could be, or one's own.

use core::ops::{ControlFlow, Range};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use memring_core::{ServerIndex, plan};

use crate::{blocks, failure::Failure, key_file::KeyFile, locate::AsPlaced, scheme_args::Placed};

/// Places the keys of the sample on all cores, each with all of `placements`, and hands on its servers, key after key. A
/// terminal is shown how far it is.
pub(crate) fn place_sample<const N: usize>(
    placements: [&Placed<'_>; N],
    mut hand_on: impl FnMut([ServerIndex; N]) + Send,
) -> Result<(), Failure> {
    let progress = progress();
    let mut begin = 0;
    let result = blocks::in_order(
        |range: &mut Range<u32>| {
            *range = begin..plan::SAMPLE.min(begin + AT_ONCE);
            begin = range.end;
            Ok(range.start < range.end)
        },
        |range, servers: &mut Vec<_>| {
            let keys = range.clone().map(plan::sample_key);
            servers.extend(keys.map(|key| placements.map(|placement| placement.primary(&key))));
            Ok(())
        },
        |servers| {
            progress.inc(servers.len() as u64);
            servers.drain(..).for_each(&mut hand_on);
            Ok(ControlFlow::Continue(()))
        },
    );
    progress.finish_and_clear();
    result
}

/// Places the keys of a file, each with all of `placements` as `as_placed` says, and hands on its servers, key after key.
///
/// # Errors
/// A bad key's, and one if there is none.
pub(crate) fn place_own<const N: usize>(
    path: &str,
    as_placed: AsPlaced<'_>,
    placements: [&Placed<'_>; N],
    mut hand_on: impl FnMut([ServerIndex; N]) + Send,
) -> Result<(), Failure> {
    let mut is_empty = true;
    KeyFile::open(path)?.in_order(
        |keys, servers: &mut Vec<_>| {
            keys.try_for_each(|key| {
                let key = key?;
                let key = as_placed(key.bytes());
                servers.push(placements.map(|placement| placement.primary(&key)));
                Ok(())
            })
        },
        |servers| {
            is_empty &= servers.is_empty();
            servers.drain(..).for_each(&mut hand_on);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if is_empty { Err(Failure::usage(format_args!("{path}: no keys"))) } else { Ok(()) }
}

/// How the shares of a command were found out.
pub(crate) enum Known {
    /// As the core says.
    Of(plan::Precision),
    /// By placing the keys of a file.
    Own { path: String, keys: u64 },
}

/// On standard error, and nowhere if that is no terminal.
fn progress() -> ProgressBar {
    let style = "placing keys {wide_bar} {percent} %  {eta} left";
    ProgressBar::with_draw_target(Some(plan::SAMPLE.into()), ProgressDrawTarget::stderr())
        .with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// How many keys of the sample are a block: with a thousand servers to compute, some tens of milliseconds.
const AT_ONCE: u32 = 256;
