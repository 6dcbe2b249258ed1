//! No codec: what others are weighed against.
#![no_std]
#![no_main]

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| {
        weighed::send(key);
        reply.len() - 24
    })
}
