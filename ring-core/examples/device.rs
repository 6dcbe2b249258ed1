//! No heap: the ring lies in an array of a known size, and health says which server may be asked now.
//!
//! `cargo run -p memring-core --example device`. Whole programs for a microcontroller are in `proofs/firmware`.

use core::error::Error;

use memring_core::{
    Placement, Server, ServerIndex,
    health::{self, HealthPolicy, Instant, ServerHealth},
    peers::libmemcached::KETAMA_WEIGHTED,
    storage::{Fixed, points_for},
};

fn main() -> Result<(), Box<dyn Error>> {
    // Three servers have so many points, and the array lies wherever the placement lies.
    type Ring = Fixed<{ points_for(3) }>;
    let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    // Dead servers are passed over, as libmemcached does with this option.
    let scheme = KETAMA_WEIGHTED.with_option("auto_eject_hosts", "1")?;
    let placement = Placement::build(scheme, servers, Ring::new())?;
    println!("a ring of {} bytes", size_of::<Ring>());

    let policy = HealthPolicy { failures: 1, ..HealthPolicy::DEFAULT };
    let (mut fleet, now) = ([ServerHealth::default(); 3], Instant::from_millis(0));
    let (key, mut order) = (b"tokyo", [ServerIndex::default(); 3]);
    let order = placement.order(key, &mut order);
    for _ in 0..3 {
        match health::choose(order, |server| fleet[server.get()].ask(now, &policy)) {
            Ok(chosen) => {
                println!("ask {}", servers[chosen.server.get()].name);
                // It does not answer.
                fleet[chosen.server.get()].failed(now, 0, &policy);
            }
            Err(down) => println!("nobody before {} ms", down.retry_at.as_millis()),
        }
    }
    assert!(health::choose(order, |server| fleet[server.get()].ask(now, &policy)).is_err());
    Ok(())
}
