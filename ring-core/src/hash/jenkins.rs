//! Bob Jenkins' lookup3, `hashlittle` with the initial value 13.
//!
//! Source: libhashkit `jenkins.cc`.

use super::{
    Hasher,
    blocks::{Blocks, words32},
};

/// Jenkins' lookup3.
#[derive(Clone, Debug)]
pub(crate) struct Jenkins {
    state: [u32; 3],
    /// Whether a block was added and not mixed yet: the last block goes through [`end`], the others through [`mix`].
    unmixed: bool,
    blocks: Blocks<12>,
}

impl Hasher for Jenkins {
    type Output = u32;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        let start = 0xdead_beef_u32.wrapping_add(len as u32).wrapping_add(13);
        Self { state: [start; 3], unmixed: false, blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| add(&mut self.state, &mut self.unmixed, block));
    }

    fn finish(mut self) -> u32 {
        if !self.blocks.rest().is_empty() {
            add(&mut self.state, &mut self.unmixed, &self.blocks.padded());
        }
        let [_, _, c] = if self.unmixed { end(self.state) } else { self.state };
        c
    }
}

fn add(state: &mut [u32; 3], unmixed: &mut bool, block: &[u8; 12]) {
    if *unmixed {
        *state = mix(*state);
    }
    for (part, word) in state.iter_mut().zip(words32::<3>(block)) {
        *part = part.wrapping_add(word);
    }
    *unmixed = true;
}

fn mix(mut state: [u32; 3]) -> [u32; 3] {
    for bits in [4, 6, 8, 16, 19, 4] {
        let [a, b, c] = state;
        let a = a.wrapping_sub(c) ^ c.rotate_left(bits);
        state = [b, c.wrapping_add(b), a];
    }
    state
}

fn end([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_libhashkit_does() {
        assert_eq!(Jenkins::of(b"tokyo"), 0xadad_7b7f);
        assert_eq!(Jenkins::of(b"foo"), 0x99f8_4f99);
        assert_eq!(Jenkins::of(&[0xff, 0x80]), 0xab66_d0ff);
    }

    #[test]
    fn nothing_is_the_start_unmixed() {
        assert_eq!(Jenkins::of(b""), 0xdead_beef + 13);
    }
}
