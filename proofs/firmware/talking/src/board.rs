//! The board: a clock, a console, what the host said at the start, and how deep the stack went.
#![expect(unsafe_code, reason = "it reads registers, memory and what the debugger says")]

use core::{
    cell::RefCell,
    panic::PanicInfo,
    sync::atomic::{AtomicU32, Ordering},
    task::Waker,
};

use cortex_m::{Peripherals, peripheral::syst::SystClkSource};
use cortex_m_rt::exception;
use cortex_m_semihosting::{debug, hprintln, syscall1};
use critical_section::Mutex;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Starts the clock. It can be done once.
pub fn start() {
    let Some(mut peripherals) = Peripherals::take() else { fail("the board was started before") };
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(TICKS_PER_MILLISECOND - 1);
    peripherals.SYST.clear_current();
    peripherals.SYST.enable_counter();
    peripherals.SYST.enable_interrupt();
}

/// Milliseconds since the start.
pub fn now() -> u32 {
    MILLISECONDS.load(Ordering::Relaxed)
}

/// Ends the program well.
pub fn finish() -> ! {
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Ends the program, and says why.
pub fn fail(why: &str) -> ! {
    hprintln!("failed: {}", why);
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

/// The words that the host gave with the program, the first of which is its name, in `line`.
pub fn words(line: &mut [u8]) -> impl Iterator<Item = &str> {
    let mut block = [line.as_mut_ptr() as usize, line.len()];
    // SAFETY: the debugger writes at most as many bytes as the block says where it says, and the length into the block.
    let refused = unsafe { syscall1!(GET_CMDLINE, block.as_mut_ptr() as usize) };
    let len = if refused == 0 { block[1] } else { 0 };
    core::str::from_utf8(line.get(..len).unwrap_or_default()).unwrap_or_default().split_ascii_whitespace()
}

/// The part of the stack that was not used yet.
pub struct Stack {
    from: usize,
}

impl Stack {
    /// Marks all that is free from here on.
    #[inline(never)]
    pub fn mark() -> Self {
        let from = cortex_m::register::msp::read() as usize;
        for at in (Self::end()..from - RED_ZONE).step_by(4) {
            // SAFETY: between the program's data and the stack there is memory, and nobody uses it.
            unsafe { (at as *mut u32).write_volatile(MARK) };
        }
        Self { from }
    }

    /// How many bytes were used since.
    #[inline(never)]
    pub fn used(&self) -> usize {
        let mut at = Self::end();
        // SAFETY: as above.
        while at < self.from && unsafe { (at as *const u32).read_volatile() } == MARK {
            at += 4;
        }
        self.from - at
    }

    fn end() -> usize {
        unsafe extern "C" {
            static mut __sheap: u32;
        }
        (&raw const __sheap) as usize
    }
}

#[exception]
fn SysTick() {
    MILLISECONDS.store(now().wrapping_add(1), Ordering::Relaxed);
    critical_section::with(|cs| ALARMS.queue.borrow_ref_mut(cs).next_expiration(u64::from(now())));
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    fail("a panic")
}

/// Wakes tasks at their times.
struct Alarms {
    queue: Mutex<RefCell<Queue>>,
}

impl Driver for Alarms {
    fn now(&self) -> u64 {
        u64::from(now())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| self.queue.borrow_ref_mut(cs).schedule_wake(at, waker));
    }
}

embassy_time_driver::time_driver_impl!(static ALARMS: Alarms = Alarms { queue: Mutex::new(RefCell::new(Queue::new())) });

static MILLISECONDS: AtomicU32 = AtomicU32::new(0);

const TICKS_PER_MILLISECOND: u32 = 25_000;

const MARK: u32 = 0x5eed_cafe;

/// What `mark` itself may use.
const RED_ZONE: usize = 128;
