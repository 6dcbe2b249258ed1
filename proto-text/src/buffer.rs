//! Buffers: one trait for a growing vector, a caller's slice and a fixed array.

use core::fmt;

/// Bytes that grow at the end, up to some capacity.
///
/// Values are put together in buffers, and requests and replies are written into them.
pub trait Buffer {
    /// The bytes so far.
    fn as_slice(&self) -> &[u8];

    /// How many more bytes fit.
    fn free(&self) -> usize;

    /// Puts all of `bytes` behind what is there, or nothing.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full>;

    /// Keeps the first `len` bytes only; does nothing when there are fewer.
    fn truncate(&mut self, len: usize);

    /// Puts all of `bytes` behind the others, or nothing. `rest` more bytes are announced to follow: a buffer that
    /// grows may grow for those as well, once enough bytes have come to believe the announcement.
    ///
    /// # Errors
    /// [`Full`] when `bytes` do not fit.
    #[inline]
    fn put_of(&mut self, bytes: &[u8], rest: usize) -> Result<(), Full> {
        let _ = rest;
        self.put(bytes)
    }

    /// Puts all of `parts` behind what is there, or nothing.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    #[inline]
    fn put_all(&mut self, parts: &[&[u8]]) -> Result<(), Full> {
        let before = self.as_slice().len();
        for part in parts {
            if let Err(full) = self.put(part) {
                let put = self.as_slice().len().saturating_sub(before);
                self.truncate(before);
                let needed = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
                return Err(Full { needed, given: full.given.saturating_add(put) });
            }
        }
        Ok(())
    }
}

/// The bytes do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Bytes needed.
    pub needed: usize,
    /// Bytes that were free.
    pub given: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes needed, {} free", self.needed, self.given)
    }
}

impl core::error::Error for Full {}

/// A [`Buffer`] over bytes that the caller lends.
///
/// ```
/// use memring_text::buffer::{Buffer, SliceBuffer};
///
/// let mut bytes = [0; 8];
/// let mut buffer = SliceBuffer::new(&mut bytes);
/// buffer.put(b"value")?;
/// assert!(buffer.put(b"more").is_err());
/// assert_eq!(buffer.as_slice(), b"value");
/// # Ok::<(), memring_text::buffer::Full>(())
/// ```
pub struct SliceBuffer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> SliceBuffer<'a> {
    /// An empty buffer with a capacity of `bytes.len()` bytes.
    #[inline]
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }

    /// The bytes that were put in, for as long as they are borrowed.
    #[must_use]
    pub fn into_filled(self) -> &'a [u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl Buffer for SliceBuffer<'_> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    #[inline]
    fn free(&self) -> usize {
        self.bytes.len().saturating_sub(self.len)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        put_behind(self.bytes, &mut self.len, bytes)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl AsRef<[u8]> for SliceBuffer<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Two buffers are equal when their bytes are.
impl PartialEq for SliceBuffer<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for SliceBuffer<'_> {}

impl fmt::Debug for SliceBuffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SliceBuffer({} of {} bytes)", self.len, self.bytes.len())
    }
}

/// A [`Buffer`] that owns its `N` bytes.
#[derive(Clone)]
pub struct ArrayBuffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> ArrayBuffer<N> {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Buffer for ArrayBuffer<N> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    #[inline]
    fn free(&self) -> usize {
        N.saturating_sub(self.len)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        put_behind(&mut self.bytes, &mut self.len, bytes)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl<const N: usize> Default for ArrayBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> AsRef<[u8]> for ArrayBuffer<N> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Two buffers are equal when their bytes are; how many more they could take makes no difference.
impl<const N: usize, const M: usize> PartialEq<ArrayBuffer<M>> for ArrayBuffer<N> {
    fn eq(&self, other: &ArrayBuffer<M>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const N: usize> Eq for ArrayBuffer<N> {}

impl<const N: usize> fmt::Debug for ArrayBuffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArrayBuffer({} of {N} bytes)", self.len)
    }
}

#[cfg(feature = "alloc")]
impl Buffer for alloc::vec::Vec<u8> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        self
    }

    /// The rest of the address space; [`put`](Buffer::put) may find less memory.
    #[inline]
    fn free(&self) -> usize {
        (isize::MAX as usize).saturating_sub(self.len())
    }

    /// Grows the vector; when no memory can be had, that is [`Full`] too.
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.try_reserve(bytes.len()).is_err() {
            let given = self.capacity().saturating_sub(self.len());
            return Err(Full { needed: bytes.len(), given });
        }
        self.extend_from_slice(bytes);
        Ok(())
    }

    /// Grows the vector at most twice for one value: to 32 KiB, and when those have come, to the whole.
    #[inline]
    fn put_of(&mut self, bytes: &[u8], rest: usize) -> Result<(), Full> {
        if rest > 0 && self.capacity().saturating_sub(self.len()) < bytes.len() {
            let whole = bytes.len().saturating_add(rest);
            let more = if self.capacity() < BELIEVED { whole.min(BELIEVED) } else { whole };
            // Without the memory for it, there may still be some for what has come.
            let _ = self.try_reserve_exact(more.max(bytes.len()));
        }
        self.put(bytes)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
}

impl<B: Buffer + ?Sized> Buffer for &mut B {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        (**self).as_slice()
    }

    #[inline]
    fn free(&self) -> usize {
        (**self).free()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        (**self).put(bytes)
    }

    #[inline]
    fn put_of(&mut self, bytes: &[u8], rest: usize) -> Result<(), Full> {
        (**self).put_of(bytes, rest)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        (**self).truncate(len);
    }
}

/// How many bytes of an announced value get memory before any has come.
#[cfg(feature = "alloc")]
const BELIEVED: usize = 32 * 1024;

#[inline]
fn put_behind(storage: &mut [u8], len: &mut usize, bytes: &[u8]) -> Result<(), Full> {
    let free = storage.get_mut(*len..).unwrap_or(&mut []);
    let given = free.len();
    match free.get_mut(..bytes.len()) {
        Some(place) => place.copy_from_slice(bytes),
        None => return Err(Full { needed: bytes.len(), given }),
    }
    *len = len.saturating_add(bytes.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_or_nothing() {
        let mut buffer = ArrayBuffer::<6>::new();
        buffer.put(b"ab").unwrap();
        assert_eq!(buffer.put_all(&[b"cd", b"efg"]), Err(Full { needed: 5, given: 4 }));
        assert_eq!(buffer.as_slice(), b"ab");
        assert_eq!(buffer.put_all(&[b"cd", b"ef"]), Ok(()));
        assert_eq!(buffer.as_slice(), b"abcdef");
    }

    #[test]
    fn buffers_are_compared_by_what_is_in_them() {
        let (mut small, mut large) = (ArrayBuffer::<3>::new(), ArrayBuffer::<9>::new());
        // What was there before does not count.
        large.put(b"other").unwrap();
        large.truncate(0);
        small.put(b"ab").unwrap();
        large.put(b"ab").unwrap();
        assert_eq!(small, large);
        assert_eq!(small.as_ref(), b"ab");
        large.put(b"c").unwrap();
        assert_ne!(small, large);
        let (mut one, mut other) = ([0; 2], [1; 5]);
        let (mut one, mut other) = (SliceBuffer::new(&mut one), SliceBuffer::new(&mut other));
        assert_eq!(one, other);
        one.put(b"a").unwrap();
        assert_ne!(one, other);
        other.put(b"a").unwrap();
        assert_eq!((one.as_ref(), &one), (&b"a"[..], &other));
    }
}
