//! A microcontroller that nobody runs: the input may be anything, and what is written goes nowhere.

use core::hint::black_box;

/// Fills `buffer` with what the compiler cannot foresee.
pub fn read(buffer: &mut [u8]) -> &[u8] {
    let len = black_box(buffer.len());
    buffer.fill_with(|| black_box(0));
    buffer.get(..len).unwrap_or_default()
}

/// Writes to where nobody reads.
pub fn write(bytes: &[u8]) {
    black_box(bytes);
}

/// Ends the program.
pub fn exit(status: u8) -> ! {
    black_box(status);
    loop {
        core::hint::spin_loop();
    }
}
