//! Points from a chain of CRC-32: Cache::Memcached::Fast, and nginx after it.
//!
//! The CRC of `host NUL port` is the state from which every point of a server goes on: point k + 1 is the CRC of that
//! label and the four bytes of point k, least significant first. The first point goes on from zero.
//!
//! Source: Cache::Memcached::Fast `src/dispatch_key.c`, `ketama_crc32_add_server`; nginx
//! `ngx_http_upstream_hash_module.c`, `ngx_http_upstream_init_chash`.

use crate::{
    hash::{Hasher, crc32::Crc32},
    text::Concat,
};

/// Hands out `count` points of the server `host` at `port`, both as they are spelled.
pub(super) fn points(host: &str, port: &str, count: u32, sink: &mut dyn FnMut(u32)) {
    let label = Crc32::of_text(&Concat([&host, &"\0", &port]));
    let mut point = 0_u32;
    for _ in 0..count {
        let mut crc = Crc32::continued(label);
        crc.write(&point.to_le_bytes());
        point = crc.finish();
        sink(point);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_lowest_points_of_three_servers_are_those_of_the_peer() {
        let mut all = Vec::new();
        for host in ["10.0.1.1", "10.0.1.2", "10.0.1.3"] {
            points(host, "11211", 150, &mut |point| all.push(point));
        }
        all.sort_unstable();
        assert_eq!((all.len(), &all[..2]), (450, &[0x0032_f2b9, 0x012d_afcd][..]));
    }
}
