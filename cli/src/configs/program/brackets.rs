//! Which bracket stands around a token, and where each one ends.

use super::super::tokens::{Placed, Token};

/// The brackets of a program.
pub(super) struct Brackets {
    /// For each token the bracket that was opened last before it and is open there.
    around: Vec<Option<usize>>,
    /// For each token that opens one, the token behind the one that closes it.
    behind: Vec<usize>,
}

impl Brackets {
    pub(super) fn of(tokens: &[Placed<'_>]) -> Self {
        let mut open = Vec::new();
        let mut behind: Vec<_> = (0..tokens.len()).collect();
        let around = tokens.iter().enumerate().map(|(at, placed)| {
            let around = open.last().copied();
            match placed.token {
                Token::Sign("(" | "[" | "{") => {
                    behind[at] = tokens.len();
                    open.push(at);
                }
                Token::Sign(")" | "]" | "}") => {
                    if let Some(first) = open.pop() {
                        behind[first] = at + 1;
                    }
                }
                _ => {}
            }
            around
        });
        let around = around.collect();
        Self { around, behind }
    }

    /// The bracket around the token at `at`; of one that closes, the one that it closes.
    pub(super) fn around(&self, at: usize) -> Option<usize> {
        self.around.get(at).copied().flatten()
    }

    /// The token behind the bracket that closes the one at `at`; `at` if none stands there.
    pub(super) fn behind(&self, at: usize) -> usize {
        self.behind.get(at).copied().unwrap_or(at)
    }
}
