//! How much memory memcached reckons for an item, and where it would keep it.

/// Bytes beside the key and the value: header 48, cas 8, NUL behind the key 1, line end behind the value 2.
const OVERHEAD: usize = 59;

/// Bytes of the flags, if they are not 0.
const FLAGS: usize = 4;

/// The size of an item, in bytes.
pub(super) fn item_size(key_len: usize, flags: u32, value_len: usize) -> usize {
    let flags = if flags == 0 { 0 } else { FLAGS };
    [OVERHEAD, key_len, flags].iter().fold(value_len, |sum, part| sum.saturating_add(*part))
}

/// The number of the slab class for items of this size, as memcached has them when no option says otherwise.
///
/// Source: memcached 1.6.18 `slabs.c`, `slabs_init`: each chunk is a quarter larger than the one before, the smallest
/// 96 bytes, the last and largest half a page.
pub(super) fn slab_class(size: usize) -> u64 {
    const LARGEST: usize = 512 << 10;
    let (mut class, mut chunk) = (1_u64, 96_usize);
    while chunk < size && chunk < LARGEST {
        class = class.saturating_add(1);
        chunk = chunk.saturating_add(chunk / 4);
        chunk = if chunk > LARGEST * 4 / 5 { LARGEST } else { chunk.next_multiple_of(8) };
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_as_memcached_lists_them() {
        // `memcached -vv`: class, chunk size.
        for (class, chunk) in
            [(1, 96), (2, 120), (3, 152), (10, 752), (20, 7_104), (38, 394_840), (39, 524_288)]
        {
            assert_eq!((slab_class(chunk), slab_class(chunk + 1)), (class, (class + 1).min(39)), "{chunk}");
        }
    }
}
