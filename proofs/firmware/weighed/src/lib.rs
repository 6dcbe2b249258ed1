//! What every program here has: a start, an end, and keys and replies that the compiler does not know.
#![no_std]

use core::{hint::black_box, panic::PanicInfo};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
use memring_core::{Server, storage::Static};

pub mod small;

pub mod places {
    //! Where the keys should be.
    include!(concat!(env!("OUT_DIR"), "/places.rs"));
}

include!("fleet.rs");

/// What a scheme without a ring stores.
pub const NOTHING: Static = Static { points: &[], wide: &[], owners: &[], index: &[] };

/// Makes `main` the program. On other processors than Arm's it is only weighed: it has no stack.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[cfg(target_arch = "arm")]
        #[$crate::entry]
        fn start() -> ! {
            $crate::begin();
            $main()
        }

        #[cfg(not(target_arch = "arm"))]
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            $main()
        }
    };
}

/// Marks the stack, where it is measured.
#[inline(always)]
pub fn begin() {
    #[cfg(all(target_arch = "arm", feature = "measured"))]
    stack::mark();
}

/// Asks `place` for the server of each key. Ends well if those are the `right` ones.
pub fn serve(right: &[usize], place: impl Fn(&[u8]) -> usize) -> ! {
    let mut keys = black_box(&KEYS[..]).iter().zip(black_box(right));
    exit(keys.all(|(key, right)| black_box(place(black_box(key))) == *right))
}

/// Gives `get` a key and what a server might answer. Ends well if its result is the value's length.
pub fn converse(get: impl Fn(&[u8], &[u8]) -> usize) -> ! {
    exit(black_box(get(black_box(b"tokyo"), black_box(REPLY))) == black_box(5))
}

/// What a server might answer to a get of `tokyo`.
pub const REPLY: &[u8] = b"VALUE tokyo 0 5\r\nhello\r\nEND\r\n";

/// As `reply`, of which the compiler knows nothing.
pub fn answers(reply: &'static [u8]) -> &'static [u8] {
    black_box(reply)
}

/// Sends bytes.
pub fn send(bytes: &[u8]) {
    black_box(bytes);
}

/// Shows bytes where the debugger shows text.
pub fn print(bytes: &[u8]) {
    #[cfg(target_arch = "arm")]
    if let Ok(mut console) = cortex_m_semihosting::hio::hstdout() {
        let _shown = console.write_all(bytes);
    }
    black_box(bytes);
}

/// Ends the program, in an emulator with a status: was all as it should be?
pub fn exit(well: bool) -> ! {
    #[cfg(target_arch = "arm")]
    {
        use cortex_m_semihosting::debug;

        #[cfg(feature = "measured")]
        cortex_m_semihosting::hprintln!("{}", stack::used());
        debug::exit(if well { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    }
    black_box(well);
    #[allow(clippy::empty_loop, reason = "there is nothing left to do")]
    loop {}
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(false)
}
