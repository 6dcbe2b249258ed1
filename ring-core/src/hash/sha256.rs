//! SHA-256, whole: Dalli with a `digest_class` of `Digest::SHA256` shortens long keys with it.
//!
//! Source: FIPS 180-4, section 6.2.

use super::blocks::{Blocks, le32};
use crate::text::Text;

/// The digest of a text that comes in pieces.
#[must_use]
pub(crate) fn digest_text(text: &dyn Text) -> [u8; 32] {
    let (mut state, mut blocks) = (START, Blocks::<BLOCK>::new());
    text.feed(&mut |piece| blocks.write(piece, |block| compress(&mut state, block)));
    let len = blocks.len() as u64 * 8;
    let mut end = |bytes: &[u8]| blocks.write(bytes, |block| compress(&mut state, block));
    end(&[0x80]);
    let zeros = (2 * BLOCK - 9 - (len / 8) as usize % BLOCK) % BLOCK;
    end([0; BLOCK].get(..zeros).unwrap_or_default());
    end(&len.to_be_bytes());

    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Bytes of a block.
const BLOCK: usize = 64;

fn compress(state: &mut [u32; 8], block: &[u8; BLOCK]) {
    // The schedule's last sixteen words, the oldest first.
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = le32(bytes).swap_bytes();
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for constant in ROUNDS {
        let [word, near, far, last] = words_of_interest(&words);
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let one = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(constant).wrapping_add(word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = sum.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e) = (g, f, e, d.wrapping_add(one));
        (d, c, b, a) = (c, b, a, one.wrapping_add(two));

        let near = near.rotate_right(7) ^ near.rotate_right(18) ^ near >> 3;
        let last = last.rotate_right(17) ^ last.rotate_right(19) ^ last >> 10;
        words.rotate_left(1);
        if let Some(newest) = words.last_mut() {
            *newest = word.wrapping_add(near).wrapping_add(far).wrapping_add(last);
        }
    }
    for (state, word) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *state = state.wrapping_add(word);
    }
}

/// The words that the next one is made of: 16, 15, 7 and 2 before it.
const fn words_of_interest(words: &[u32; 16]) -> [u32; 4] {
    let [oldest, next, _, _, _, _, _, _, _, seventh, _, _, _, _, second, _] = *words;
    [oldest, next, seventh, second]
}

const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

const ROUNDS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use std::{string::String, vec::Vec};

    use super::*;
    use crate::text::{Concat, Hex};

    fn hex(text: &dyn Text) -> String {
        let mut hex = Vec::new();
        Hex(&digest_text(text)).feed(&mut |piece| hex.extend_from_slice(piece));
        String::from_utf8(hex).unwrap()
    }

    #[test]
    fn digests_are_those_of_the_reference() {
        // By CPython's hashlib: of as many bytes `a`, at the edges of padding.
        for (len, digest) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
            (3, "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"),
            (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
            (57, "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6"),
            (63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
            (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
            (65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"),
            (119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"),
            (120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"),
            (250, "3f3e35e0a775d9b1d5ec2eccca06381c41efedeb59d5ac5491ebe9696cb0887b"),
            (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
        ] {
            let text = "a".repeat(len);
            assert_eq!(hex(&text.as_str()), digest, "{len}");
            let (front, back) = text.split_at(len / 3);
            assert_eq!(hex(&Concat([&front, &"", &back])), digest, "{len} in pieces");
        }
    }
}
