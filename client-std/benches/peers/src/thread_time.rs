//! The time that this thread has run, in which other programs have no part.

use std::{
    ffi::{c_int, c_long},
    io,
};

/// That time, in nanoseconds.
pub(crate) fn thread_time() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the struct is as C has it on the 64-bit systems with this clock.
    let status = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "no clock of the thread's own: {}", io::Error::last_os_error());
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

/// Source: Linux `include/uapi/linux/time.h`.
const CLOCK_THREAD_CPUTIME_ID: c_int = 3;

#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
}
