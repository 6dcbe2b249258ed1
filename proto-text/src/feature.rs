//! Features that not every server has, with the version that brought each.

/// A feature that not every server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// The meta commands, in the form that is stable since memcached 1.6.10.
    Meta,
    /// `ms` with `s` answers: since 1.6.20.
    MetaSetSize,
    /// The flag `E`, a cas unique of the caller's choice: since 1.6.27.
    MetaNewCas,
    /// `mg` with `C` leaves out a value that has not changed: since 1.6.40.
    MetaGetCompare,
    /// `ms` with `MA` or `MP` and `N` makes a missing item: since 1.6.20.
    MetaAppendVivify,
    /// `md` with `x` takes the value and leaves the item: since 1.6.27.
    MetaDeleteValue,
    /// `lru_crawler metadump`: since 1.4.31.
    Metadump,
    /// `lru_crawler mgdump`: since 1.6.19.
    Mgdump,
    /// `lru_crawler metadump hash` and `shutdown graceful`: since 1.6.9.
    HashDump,
}

impl Feature {
    /// Every feature, with the first version that has it.
    pub(crate) const SINCE: [(Self, [u64; 3]); 9] = [
        // memcached's release notes for 1.4.31.
        (Self::Metadump, [1, 4, 31]),
        // memcached, tag 1.6.9: `doc/protocol.txt`.
        (Self::HashDump, [1, 6, 9]),
        // memcached, pull request 795; and measured: 1.6.9 has other words, 1.6.10 these.
        (Self::Meta, [1, 6, 10]),
        // memcached, tag 1.6.19: `doc/protocol.txt`.
        (Self::Mgdump, [1, 6, 19]),
        // memcached, issue 1045, which tells of both.
        (Self::MetaSetSize, [1, 6, 20]),
        (Self::MetaAppendVivify, [1, 6, 20]),
        // memcached, tag 1.6.27: `doc/protocol.txt`.
        (Self::MetaNewCas, [1, 6, 27]),
        (Self::MetaDeleteValue, [1, 6, 27]),
        // memcached, tag 1.6.40: `doc/protocol.txt`.
        (Self::MetaGetCompare, [1, 6, 40]),
    ];

    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}
