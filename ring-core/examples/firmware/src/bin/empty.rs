//! No placement: what the others are weighed against.
#![no_std]
#![no_main]

firmware::program!(main);

fn main() -> ! {
    firmware::serve(|key| key.len())
}
