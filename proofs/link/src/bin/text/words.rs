//! What stands alone: times, limits, statuses, buffers, lines of many keys.

use core::time::Duration;

use memring_text::{
    Key, Limits, Ttl, Value,
    buffer::{ArrayBuffer, Buffer, Full, SliceBuffer},
    capabilities::Capabilities,
    reply::Status,
    request::{Attributes, GetVerb},
    ttl::UnixTime,
};

use crate::{NOW, digest::Digest};

/// What stands alone: times, limits, statuses, buffers, lines of many keys.
pub(crate) fn words(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let millis = number(input);
    let moment = UnixTime::from_millis(millis);
    digest.debug(&(moment.as_millis(), moment.as_secs()));
    let times = [Duration::from_millis(millis), Duration::MAX].map(Ttl::from);
    for ttl in [Ttl::NEVER, Ttl::at(moment), Ttl::seconds(millis as u32)].into_iter().chain(times) {
        digest.debug(&(ttl, ttl.exptime(NOW), ttl.exptime(moment)));
    }
    for status in Status::ALL {
        digest.bytes(status.word().as_bytes());
    }
    if let Err(error) = Value::within(input, 8) {
        digest.error(&error);
    }
    if let Err(error) = Value::new(input) {
        digest.error(&error);
    }
    digest.debug(&(Limits::default(), str::from_utf8(input).ok().and_then(|text| Key::try_from(text).ok())));
    buffers(input, &mut digest)?;
    let mut line = [0; 600];
    let mut keys = [Key::new(b"k").ok()?; 8];
    let found = input.split(|byte| *byte == b' ').filter_map(|word| Key::try_from(word).ok());
    for (place, key) in keys.iter_mut().zip(found) {
        *place = key;
    }
    for verb in [GetVerb::Get, GetVerb::Gats(-1)] {
        match verb.write_line(&keys, &mut line) {
            Ok(written) => digest.bytes(line.get(..written.len)?),
            Err(full) => digest.error(&full),
        }
        digest.bytes(verb.word().as_bytes());
        digest.debug(&(verb.has_cas(), verb.exptime(), verb.reply_shape()));
    }
    Some(())
}

pub(crate) fn buffers(input: &[u8], digest: &mut Digest) -> Option<()> {
    let mut bytes = [0; 64];
    let mut lent = SliceBuffer::new(&mut bytes);
    let mut owned = ArrayBuffer::<64>::default();
    for piece in input.chunks(11) {
        let full: Option<Full> = lent.put_all(&[piece, b"+"]).err();
        (full == (&mut owned).put_all(&[piece, b"+"]).err()).then_some(())?;
        (lent.free() == owned.free() && lent.as_slice() == owned.as_slice()).then_some(())?;
        if full.is_some() {
            lent.truncate(input.len() % 64);
            (&mut owned).truncate(input.len() % 64);
        }
    }
    let mut bytes = [0; 64];
    let mut again = SliceBuffer::new(&mut bytes);
    again.put(lent.as_ref()).ok()?;
    (again == lent && AsRef::<[u8]>::as_ref(&owned) == again.as_ref()).then_some(())?;
    digest.debug(&(&lent, &owned, owned.clone().as_slice()));
    Some(())
}

/// A number of the input.
pub(crate) fn number(input: &[u8]) -> u64 {
    input.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)))
}

/// What is small enough to be looked at one by one.
pub(crate) fn doors(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let number = number(input);
    let time = Duration::from_millis(number);
    digest.debug(&(Attributes::from(time), Attributes::from(Ttl::from(time)), Ttl::from(time).is_zero()));
    digest.debug(&(Ttl::from(time).cap(number as i32, NOW), UnixTime::from_secs(number)));
    let capabilities = Capabilities::from_bits(number as u16);
    (Capabilities::from_bits(capabilities.bits()) == capabilities).then_some(())?;
    let mut room = None;
    match Key::prefixed(input.get(..2).unwrap_or_default(), input, &mut room) {
        Ok(key) => digest.debug(&key),
        Err(error) => digest.error(&error),
    }
    lent(&mut &mut ArrayBuffer::<64>::new(), input, &mut digest)
}

/// A buffer that is only lent takes the same.
fn lent<B: Buffer>(buffer: &mut B, input: &[u8], digest: &mut Digest) -> Option<()> {
    if let Err(full) = buffer.put(input) {
        digest.error(&full);
    }
    if let Err(full) = buffer.put_of(input, input.len().saturating_mul(2)) {
        digest.error(&full);
    }
    buffer.truncate(input.len() % 7);
    (buffer.as_slice().len() < 7).then_some(())
}
