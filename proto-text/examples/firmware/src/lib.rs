//! What every program here has: a start, a wire whose other end the compiler does not know, and a debugger's console.
#![no_std]

use core::{arch::asm, hint::black_box, panic::PanicInfo};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Makes `main` the program.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn reset() -> ! {
            $main()
        }
    };
}

/// For ever: the next key and a reply to it go through `get`.
pub fn serve(get: impl Fn(&[u8], &[u8]) -> usize) -> ! {
    loop {
        black_box(get(black_box(b"tokyo"), black_box(REPLY)));
    }
}

/// What a server might answer to a get of `tokyo`.
pub const REPLY: &[u8] = b"VALUE tokyo 0 5\r\nhello\r\nEND\r\n";

/// Sends bytes.
pub fn send(bytes: &[u8]) {
    black_box(bytes);
}

/// Shows bytes where the debugger shows text.
pub fn print(bytes: &[u8]) {
    for byte in bytes {
        semihosting(SYS_WRITEC, byte as *const u8 as usize);
    }
}

/// Ends the program, in an emulator with a status: was all as it should be?
pub fn exit(well: bool) -> ! {
    semihosting(SYS_EXIT, if well { STOPPED_APPLICATION_EXIT } else { STOPPED_RUN_TIME_ERROR });
    loop {}
}

// Source: Arm, "Semihosting for AArch32 and AArch64".
const SYS_WRITEC: usize = 0x03;
const SYS_EXIT: usize = 0x18;
const STOPPED_APPLICATION_EXIT: usize = 0x20026;
const STOPPED_RUN_TIME_ERROR: usize = 0x20023;

fn semihosting(operation: usize, argument: usize) {
    // SAFETY: the debugger reads at most the byte that is lent, and writes nothing.
    unsafe {
        asm!("bkpt 0xab", inlateout("r0") operation => _, in("r1") argument, options(nostack, readonly))
    };
}
