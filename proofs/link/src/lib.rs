//! What a program needs when there is nothing below it: no allocator, so a reachable allocation does not link; and a
//! panic handler that calls a function which does not exist, so a reachable panic does not link either.
//!
//! On Linux (x86-64) the programs run, too; for a microcontroller they are only linked.
#![no_std]

use core::panic::PanicInfo;

#[cfg_attr(target_os = "none", path = "bare.rs")]
#[cfg_attr(not(target_os = "none"), path = "linux.rs")]
mod platform;

pub use platform::{exit, read, write};

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe { a_panic_can_be_reached() }
}

/// Makes `main` the program: it is given standard input, and what it returns is the exit status.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        // The kernel leaves the stack aligned for a call that has not been made.
        #[cfg(target_arch = "x86_64")]
        core::arch::global_asm!(".globl _start", "_start: and rsp, -16", "call begin");
        #[cfg(target_arch = "arm")]
        core::arch::global_asm!(".globl _start", ".thumb_func", "_start: b begin");

        #[unsafe(no_mangle)]
        unsafe extern "C" fn begin() -> ! {
            let mut input = [0; 1 << 16];
            let status = $main($crate::read(&mut input));
            $crate::exit(status)
        }
    };
}
