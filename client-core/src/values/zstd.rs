//! Zstandard, by ruzstd.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError};

use super::{Compression, Problem, inflate::Room};

/// Undoes one whole frame.
pub(crate) fn inflate(bytes: &[u8], room: Room) -> Result<Vec<u8>, Problem> {
    let (mut rest, mut decoder, mut out) = (bytes, FrameDecoder::new(), Vec::new());
    let window = room.most().max(WINDOW) as u64;
    decoder.set_max_window_size(window);
    decoder.init(&mut rest).map_err(|error| match error {
        FrameDecoderError::WindowSizeTooBig { .. } => room.exceeded(),
        _ => wrong(rest),
    })?;
    // 0 if the frame does not say it.
    let content = decoder.content_size();
    if content > room.most() as u64 {
        return Err(room.exceeded());
    }
    while !decoder.is_finished() {
        decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| wrong(rest))?;
        if let Some(mut inflated) = decoder.collect() {
            if out.is_empty() {
                out = inflated;
            } else {
                out.append(&mut inflated);
            }
        }
        if out.len() > room.most() {
            return Err(room.exceeded());
        }
    }
    match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
        (Some(said), found) if found != Some(said) => Err(DAMAGED),
        _ if content != 0 && content != out.len() as u64 => Err(DAMAGED),
        _ if !rest.is_empty() => Err(Problem::Trailing { count: rest.len() }),
        _ => Ok(out),
    }
}

const DAMAGED: Problem = Problem::Damaged(Compression::Zstd);

/// The window that is allowed to any frame, in bytes: a writer that does not know the length beforehand takes one that
/// may be larger than the value. It is never allocated before it is filled.
const WINDOW: usize = 1 << 20;

/// The decoder read up to where it failed: to the end, if something is missing.
const fn wrong(rest: &[u8]) -> Problem {
    if rest.is_empty() { Problem::Truncated } else { DAMAGED }
}
