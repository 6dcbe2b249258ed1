//! How deep the stack goes: what is free of it is marked, and looked at later.
#![no_std]
#![expect(unsafe_code, reason = "it reads and writes memory that is nobody's")]

use core::sync::atomic::{AtomicUsize, Ordering};

/// Marks all that is free from here on.
#[inline(never)]
pub fn mark() {
    let from = cortex_m::register::msp::read() as usize;
    for at in (end()..from - RED_ZONE).step_by(4) {
        // SAFETY: between the program's data and the stack there is memory, and nobody uses it.
        unsafe { (at as *mut u32).write_volatile(MARK) };
    }
    FROM.store(from, Ordering::Relaxed);
}

/// How many bytes were used below where [`mark`] was called last.
#[inline(never)]
pub fn used() -> usize {
    let from = FROM.load(Ordering::Relaxed);
    let mut at = end();
    // SAFETY: as above.
    while at < from && unsafe { (at as *const u32).read_volatile() } == MARK {
        at += 4;
    }
    from - at
}

/// Where the program's data ends.
fn end() -> usize {
    // The runtime's name for it.
    unsafe extern "C" {
        static mut __sheap: u32;
    }
    (&raw const __sheap) as usize
}

static FROM: AtomicUsize = AtomicUsize::new(0);

const MARK: u32 = 0x5eed_cafe;

/// What `mark` itself may use.
const RED_ZONE: usize = 128;
