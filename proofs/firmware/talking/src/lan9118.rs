//! The board's network chip, an SMSC LAN9118 that is asked whether anything has come.
//!
//! Source: SMSC, "LAN9118 datasheet", chapters 3 (frames in the FIFOs) and 5 (registers).
#![expect(unsafe_code, reason = "it reads and writes the chip's registers")]

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState};
use smoltcp::{
    phy::{Device, DeviceCapabilities, Medium},
    time::Instant,
};

use crate::board;

/// The address of the only chip on its wire.
pub(crate) const ADDRESS: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// The chip, and memory for a frame each way.
pub struct Lan9118 {
    chip: Registers,
    inbox: [u8; FRAME],
    outbox: [u8; FRAME],
}

impl Lan9118 {
    /// Starts the chip.
    pub(crate) fn start() -> Self {
        let chip = Registers;
        if chip.read(BYTE_TEST) != 0x8765_4321 {
            board::fail("there is no network chip");
        }
        let [a, b, c, d, e, f] = ADDRESS;
        chip.write_mac(MAC_HIGH, u32::from_le_bytes([e, f, 0, 0]));
        chip.write_mac(MAC_LOW, u32::from_le_bytes([a, b, c, d]));
        chip.write_mac(MAC_CONTROL, FULL_DUPLEX | TRANSMITTER_ON | RECEIVER_ON);
        chip.write(TX_CONFIG, TX_ON);
        Self { chip, inbox: [0; FRAME], outbox: [0; FRAME] }
    }

    fn receive_frame(&mut self) -> Option<(Received<'_>, Outgoing<'_>)> {
        if (self.chip.read(RX_FIFO_INFO) >> 16) & 0xff == 0 {
            return None;
        }
        let status = self.chip.read(RX_STATUS);
        // With its checksum of four bytes.
        let len = ((status >> 16) & 0x3fff) as usize;
        let mut words = self.inbox.chunks_exact_mut(4);
        for _ in 0..len.div_ceil(4) {
            let word = self.chip.read(RX_DATA).to_le_bytes();
            if let Some(place) = words.next() {
                place.copy_from_slice(&word);
            }
        }
        let frame = self.inbox.get_mut(..len.checked_sub(4)?)?;
        let is_sound = status & RX_ERROR == 0;
        is_sound.then_some((Received(frame), Outgoing { chip: &self.chip, outbox: &mut self.outbox }))
    }

    fn outgoing(&mut self) -> Option<Outgoing<'_>> {
        let free = (self.chip.read(TX_FIFO_INFO) & 0xffff) as usize;
        (free > FRAME + 16).then_some(Outgoing { chip: &self.chip, outbox: &mut self.outbox })
    }
}

/// A frame that has come.
pub struct Received<'c>(&'c mut [u8]);

/// A frame to be made and sent.
pub struct Outgoing<'c> {
    chip: &'c Registers,
    outbox: &'c mut [u8; FRAME],
}

impl Outgoing<'_> {
    fn send<R>(self, len: usize, fill: impl FnOnce(&mut [u8]) -> R) -> R {
        let Some(frame) = self.outbox.get_mut(..len) else { board::fail("a frame is too long") };
        let result = fill(frame);
        self.chip.write(TX_DATA, FIRST_SEGMENT | LAST_SEGMENT | len as u32);
        self.chip.write(TX_DATA, len as u32);
        for bytes in frame.chunks(4) {
            let mut word = [0; 4];
            for (place, byte) in word.iter_mut().zip(bytes) {
                *place = *byte;
            }
            self.chip.write(TX_DATA, u32::from_le_bytes(word));
        }
        result
    }
}

/// For smoltcp.
impl Device for Lan9118 {
    type RxToken<'c> = Received<'c>;
    type TxToken<'c> = Outgoing<'c>;

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.max_transmission_unit = MAX_TRANSMISSION_UNIT;
        capabilities.medium = Medium::Ethernet;
        capabilities
    }

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Outgoing<'_>)> {
        self.receive_frame()
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        self.outgoing()
    }
}

impl smoltcp::phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl smoltcp::phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        self.send(len, fill)
    }
}

/// For embassy. Nothing interrupts when a frame has come, so whoever waits for one looks again.
impl Driver for Lan9118 {
    type RxToken<'c> = Received<'c>;
    type TxToken<'c> = Outgoing<'c>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received<'_>, Outgoing<'_>)> {
        cx.waker().wake_by_ref();
        self.receive_frame()
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Outgoing<'_>> {
        cx.waker().wake_by_ref();
        self.outgoing()
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = MAX_TRANSMISSION_UNIT;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(ADDRESS)
    }
}

impl embassy_net_driver::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl embassy_net_driver::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        self.send(len, fill)
    }
}

struct Registers;

impl Registers {
    fn read(&self, offset: usize) -> u32 {
        // SAFETY: the chip's registers are there and nowhere else, and nobody else reads them.
        unsafe { (BASE as *const u32).byte_add(offset).read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        // SAFETY: as above.
        unsafe { (BASE as *mut u32).byte_add(offset).write_volatile(value) }
    }

    /// The registers behind two others.
    fn write_mac(&self, register: u32, value: u32) {
        self.write(MAC_DATA, value);
        self.write(MAC_COMMAND, MAC_BUSY | register);
        while self.read(MAC_COMMAND) & MAC_BUSY != 0 {}
    }
}

/// Where the board has the chip.
const BASE: usize = 0x4020_0000;

const RX_DATA: usize = 0x00;
const TX_DATA: usize = 0x20;
const RX_STATUS: usize = 0x40;
const BYTE_TEST: usize = 0x64;
const TX_CONFIG: usize = 0x70;
const RX_FIFO_INFO: usize = 0x7c;
const TX_FIFO_INFO: usize = 0x80;
const MAC_COMMAND: usize = 0xa4;
const MAC_DATA: usize = 0xa8;

const MAC_CONTROL: u32 = 1;
const MAC_HIGH: u32 = 2;
const MAC_LOW: u32 = 3;
const MAC_BUSY: u32 = 1 << 31;
const FULL_DUPLEX: u32 = 1 << 20;
const TRANSMITTER_ON: u32 = 1 << 3;
const RECEIVER_ON: u32 = 1 << 2;
const TX_ON: u32 = 1 << 1;
const FIRST_SEGMENT: u32 = 1 << 13;
const LAST_SEGMENT: u32 = 1 << 12;
const RX_ERROR: u32 = 1 << 15;

const MAX_TRANSMISSION_UNIT: usize = 1514;

/// A frame, its checksum, and as many bytes more as make words.
const FRAME: usize = 1520;
