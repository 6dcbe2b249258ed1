//! MD5 of what comes in pieces and may be longer than a block.
//!
//! That is rare (a key is hashed whole, a name fits a block), so the md-5 crate does it; with the feature `small` our
//! own rounds do, because having both would cost 3.5 KiB of flash.

#[cfg(not(feature = "small"))]
pub(super) use by_crate::Stream;
#[cfg(feature = "small")]
pub(super) use own::Stream;

#[cfg(not(feature = "small"))]
mod by_crate {
    use md5::{Digest as _, Md5};

    use super::super::{super::blocks::words32, Words};

    #[derive(Clone, Debug)]
    pub(in super::super) struct Stream(Md5);

    impl Stream {
        pub(in super::super) fn new() -> Self {
            Self(Md5::new())
        }

        pub(in super::super) fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(in super::super) fn finish(self) -> Words {
            words32(self.0.finalize().as_slice())
        }
    }
}

#[cfg(feature = "small")]
mod own {
    use super::super::{
        super::blocks::{Blocks, words32},
        Words, finished,
        padding::BLOCK,
        rounds::{START, compress},
    };

    #[derive(Clone, Debug)]
    pub(in super::super) struct Stream {
        state: Words,
        blocks: Blocks<BLOCK>,
    }

    impl Stream {
        pub(in super::super) fn new() -> Self {
            Self { state: START, blocks: Blocks::new() }
        }

        pub(in super::super) fn write(&mut self, bytes: &[u8]) {
            self.blocks.write(bytes, |block| self.state = compress(self.state, &words32(block)));
        }

        pub(in super::super) fn finish(self) -> Words {
            finished(self.state, self.blocks.rest(), self.blocks.len())
        }
    }
}
