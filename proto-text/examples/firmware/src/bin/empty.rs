//! No codec: what the others are weighed against.
#![no_std]
#![no_main]

firmware::program!(main);

fn main() -> ! {
    firmware::serve(|key, reply| {
        firmware::send(key);
        reply.len()
    })
}
