//! What every program here has: a start, and a key that the compiler does not know.
#![no_std]

use core::{hint::black_box, panic::PanicInfo};

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

/// For ever: takes the next key to where `place` says.
pub fn serve(place: impl Fn(&[u8]) -> usize) -> ! {
    loop {
        black_box(place(black_box(&b"tokyo"[..])));
    }
}
