//! libmemcached with `MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`, called as C calls it.

use std::ffi::{CString, c_char, c_int, c_void};

use memring_core::ServerIndex;

use super::contest::{Contestant, Placer};

pub(crate) const LIBMEMCACHED: Contestant =
    Contestant { name: super::LIBMEMCACHED, build: |names| Some(Box::new(Libmemcached::new(names)?)) };

/// Above this many servers libmemcached 1.1.4 as Debian builds it ends the process: an assertion in `update_continuum`.
const MOST_SERVERS: usize = 100;

/// Points that a server has on average.
const POINTS: usize = 160;

/// `MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`, by its place in `libmemcached-1.0/types/behavior.h`.
const KETAMA_WEIGHTED: c_int = 16;

struct Libmemcached {
    client: *mut c_void,
    servers: usize,
}

impl Libmemcached {
    fn new(names: &[String]) -> Option<Self> {
        if names.len() > MOST_SERVERS {
            return None;
        }
        // SAFETY: null asks for memory of the library's own.
        let client = unsafe { memcached_create(core::ptr::null_mut()) };
        let made = Self { client, servers: names.len() };
        // SAFETY: `client` was made above, and the strings are C's.
        unsafe {
            memcached_behavior_set(client, KETAMA_WEIGHTED, 1);
            for name in names {
                let (host, port) = name.rsplit_once(':')?;
                memcached_server_add(client, CString::new(host).ok()?.as_ptr(), port.parse().ok()?);
            }
        }
        Some(made)
    }
}

impl Drop for Libmemcached {
    fn drop(&mut self) {
        // SAFETY: `client` was made by the library and is not used again.
        unsafe { memcached_free(self.client) }
    }
}

impl Placer for Libmemcached {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            // SAFETY: the client lives, and the key is as long as said.
            let index = unsafe { memcached_generate_hash(self.client, key.as_ptr().cast(), key.len()) };
            *server = ServerIndex::new(index as u16);
        }
    }

    fn points(&self) -> Option<usize> {
        Some(POINTS * self.servers)
    }
}

unsafe extern "C" {
    fn memcached_create(memory: *mut c_void) -> *mut c_void;
    fn memcached_free(client: *mut c_void);
    fn memcached_behavior_set(client: *mut c_void, behavior: c_int, data: u64) -> c_int;
    fn memcached_server_add(client: *mut c_void, host: *const c_char, port: u16) -> c_int;
    fn memcached_generate_hash(client: *const c_void, key: *const c_char, len: usize) -> u32;
}
