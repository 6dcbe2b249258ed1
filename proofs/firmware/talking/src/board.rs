//! The board: a clock, a console, and what the host said at the start.
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
