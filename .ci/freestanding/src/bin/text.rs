//! Placeholder until the codec's server side is in.
#![no_std]
#![no_main]

freestanding::program!(main);

fn main(_input: &[u8]) -> u8 {
    0
}
