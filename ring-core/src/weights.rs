//! Which weights a peer takes.

use core::fmt;

use crate::server::Weight;

/// Which weights a peer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// Any weight; all servers count the same.
    Ignored,
    /// Whole numbers; a server of weight zero gets no key.
    Whole,
    /// Whole numbers; zero counts as one.
    ZeroIsOne,
    /// Whole numbers from one up.
    Positive,
    /// Any number above zero.
    PositiveReal,
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignored => "any weight",
            Self::Whole | Self::ZeroIsOne => "a whole number",
            Self::Positive => "a whole number above zero",
            Self::PositiveReal => "a number above zero",
        })
    }
}

impl Weights {
    /// Whether the peer takes `weight`.
    #[must_use]
    pub(crate) fn accept(self, weight: Weight) -> bool {
        match (self, weight) {
            (Self::Ignored, _) | (Self::Whole | Self::ZeroIsOne, Weight::Whole(_)) => true,
            (Self::Positive, Weight::Whole(weight)) => weight > 0,
            (Self::Whole | Self::ZeroIsOne | Self::Positive, Weight::Real(_)) => false,
            (Self::PositiveReal, weight) => weight.real() > 0.0 && weight.real().is_finite(),
        }
    }
}
