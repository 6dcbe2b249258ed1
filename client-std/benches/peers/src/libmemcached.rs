//! libmemcached, called as C calls it.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    net::SocketAddr,
    ptr::null_mut,
};

use super::contest::{Client, VALUE};

pub(crate) struct Libmemcached(*mut c_void);

/// `MEMCACHED_BEHAVIOR_TCP_NODELAY`, by its place in `libmemcached-1.0/types/behavior.h`.
const TCP_NODELAY: c_int = 1;

impl Libmemcached {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let host = CString::new(server.ip().to_string()).expect("an address has no zero byte");
        // SAFETY: null asks for memory of the library's own; the string is C's and is copied.
        unsafe {
            let client = memcached_create(null_mut());
            memcached_behavior_set(client, TCP_NODELAY, 1);
            memcached_server_add(client, host.as_ptr(), server.port());
            Self(client)
        }
    }
}

impl Drop for Libmemcached {
    fn drop(&mut self) {
        // SAFETY: the library made it, and it is not used again.
        unsafe { memcached_free(self.0) }
    }
}

impl Client for Libmemcached {
    fn get(&mut self, key: &str) -> usize {
        let (mut len, mut flags, mut status) = (0, 0, 0);
        // SAFETY: the client lives, the key is as long as said; the value is ours to free.
        unsafe {
            let value =
                memcached_get(self.0, key.as_ptr().cast(), key.len(), &mut len, &mut flags, &mut status);
            assert!(!value.is_null(), "libmemcached: {status}");
            free(value.cast());
        }
        len
    }

    fn set(&mut self, key: &str) {
        let (key, key_len) = (key.as_ptr().cast(), key.len());
        // SAFETY: the client lives, key and value are as long as said.
        let status = unsafe { memcached_set(self.0, key, key_len, VALUE.as_ptr().cast(), VALUE.len(), 0, 0) };
        assert_eq!(status, 0);
    }

    fn get_many(&mut self, keys: &[String]) -> usize {
        let (pointers, lens): (Vec<*const c_char>, Vec<usize>) =
            keys.iter().map(|key| (key.as_ptr().cast(), key.len())).unzip();
        let mut sum = 0;
        // SAFETY: the client lives, the keys are as long as said and as many. With null, the result is the client's own.
        unsafe {
            let status = memcached_mget(self.0, pointers.as_ptr(), lens.as_ptr(), keys.len());
            assert_eq!(status, 0);
            let mut status = 0;
            loop {
                let result = memcached_fetch_result(self.0, null_mut(), &mut status);
                if result.is_null() {
                    break;
                }
                sum += memcached_result_length(result);
            }
        }
        sum
    }
}

unsafe extern "C" {
    fn memcached_create(memory: *mut c_void) -> *mut c_void;
    fn memcached_free(client: *mut c_void);
    fn memcached_behavior_set(client: *mut c_void, behavior: c_int, data: u64) -> c_int;
    fn memcached_server_add(client: *mut c_void, host: *const c_char, port: u16) -> c_int;
    fn memcached_get(
        client: *mut c_void,
        key: *const c_char,
        key_len: usize,
        len: *mut usize,
        flags: *mut u32,
        status: *mut c_int,
    ) -> *mut c_char;
    fn memcached_set(
        client: *mut c_void,
        key: *const c_char,
        key_len: usize,
        value: *const c_char,
        len: usize,
        exptime: i64,
        flags: u32,
    ) -> c_int;
    fn memcached_mget(
        client: *mut c_void,
        keys: *const *const c_char,
        lens: *const usize,
        count: usize,
    ) -> c_int;
    fn memcached_fetch_result(client: *mut c_void, result: *mut c_void, status: *mut c_int) -> *mut c_void;
    fn memcached_result_length(result: *const c_void) -> usize;
    fn free(memory: *mut c_void);
}
