//! Jump hash: the memcached selectors of Grafana's and Thanos' Go programs.
//!
//! - The key hash is xxHash64 with the seed 0.
//! - The servers are sorted "naturally" first: digits in a row count as one number, so `memcached-9` comes before
//!   `memcached-10`. Indexes remain those of the list given here. Names that differ only in zeros before a number have
//!   no order of their own in the peer; here they keep that of the list. Numbers from 2^63 on, which the peer compares
//!   as text, are numbers here.
//! - No weights (a server listed twice counts twice), no fallback.
//! - `hash` and `server-order` are checked.
//!
//! Source: dskit `cache/memcached_client_selector.go` and `cache/jump_hash.go`; facette/natsort at 2cd4dd1e, `Compare`;
//! Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm".

use core::cmp::Ordering;

use super::{Peer, informs};
use crate::{
    hash::{Hasher, Xxh64},
    mechanism::Slots,
    scheme::Scheme,
};

/// Jump hash over naturally sorted servers.
pub const JUMP: Scheme<'static> = Scheme {
    name: "jump",
    used_by: "Thanos, Cortex, Loki and Mimir (dskit's MemcachedJumpHashSelector)",
    roster: Some(naturally),
    mechanism: &Slots { slot: Some(|scheme, key, total| jump(Xxh64::of_text(&scheme.key.of(key)), total)) },
    ..Scheme::BASE
};

/// Which of `count` servers a hash has.
pub(super) fn jump(hash: u64, count: u32) -> u32 {
    let (mut hash, mut found, mut next) = (hash, 0, 0);
    while next < i64::from(count) {
        found = next;
        hash = hash.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // The division comes first, as in Go, and decides the last bit.
        next = ((found + 1) as f64 * ((1_u64 << 31) as f64 / ((hash >> 33) + 1) as f64)) as i64;
    }
    found as u32
}

/// Compares run by run of digits and others: two numbers as numbers, all else by bytes.
fn naturally(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        let ((one, left_rest), (other, right_rest)) = (run(left), run(right));
        let order = match (number(one), number(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.cmp(other),
        };
        if order.is_ne() || one.is_empty() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

/// The longest run of digits, or of other bytes, at the front, and what follows it.
fn run(text: &[u8]) -> (&[u8], &[u8]) {
    let digit = text.first().is_some_and(u8::is_ascii_digit);
    let len = text.iter().take_while(|byte| byte.is_ascii_digit() == digit).count();
    text.split_at_checked(len).unwrap_or((text, &[]))
}

/// What orders runs of digits by their numbers, however long: the digits behind the leading zeros, fewer ones first.
fn number(run: &[u8]) -> Option<(usize, &[u8])> {
    run.first().filter(|byte| byte.is_ascii_digit())?;
    let zeros = run.iter().take_while(|&&byte| byte == b'0').count();
    run.get(zeros..).map(|digits| (digits.len(), digits))
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: JUMP,
    options: &["hash", "server-order"],
    set: |scheme, name, value| match name {
        "hash" => informs(scheme, value, "xxh64"),
        _ => informs(scheme, value, "natural sort (facette/natsort)"),
    },
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    #[test]
    fn worked_examples() {
        for (key, expected) in [("tokyo", 0), ("foo", 8), ("test", 7)] {
            assert_eq!(jump(Xxh64::of(key.as_bytes()), 10), expected, "{key}");
            assert_eq!(jump(Xxh64::of(key.as_bytes()), 3), 0, "{key}");
            assert_eq!(jump(Xxh64::of(key.as_bytes()), 1), 0, "{key}");
        }
        // The longest jump that there is.
        assert!(jump(u64::MAX, u32::MAX) < u32::MAX);
    }

    #[test]
    fn digits_in_a_row_are_one_number() {
        let sorted = [
            "",
            "10.0.0.2",
            "10.0.0.10",
            "a",
            "a1",
            "a1b",
            "a02",
            "a9",
            "a10",
            "a9223372036854775807",
            "a10000000000000000000",
            "a00010000000000000000001",
            "b-1.mc:11211",
            "b-1.mc:11212",
            "b-10.mc:11211",
            "bb",
            "é",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(naturally(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(naturally(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
            assert_eq!(naturally(pair[0], pair[0]), Ordering::Equal);
        }
        assert_eq!(naturally("a01b", "a1b"), Ordering::Equal);
    }

    #[test]
    fn the_servers_may_be_listed_in_any_order() {
        let sorted = ["m-0", "m-1", "m-2", "m-9", "m-10", "m-11"].map(Server::new);
        let listed = ["m-10", "m-9", "m-0", "m-11", "m-1", "m-2"].map(Server::new);
        for number in 0..100_u8 {
            let one = JUMP.choose(&sorted, &[number]).unwrap();
            let other = JUMP.choose(&listed, &[number]).unwrap();
            assert_eq!(sorted[one.get()].name, listed[other.get()].name);
        }
    }
}
