//! What a change of servers moves, before it is made: modulo, ketama, and a ring in place of modulo.
//!
//! `cargo run -p memring-core --features alloc --example what_moves`

use core::error::Error;

use memring_core::{
    Placement, Server,
    peers::libmemcached::{KETAMA_WEIGHTED, MODULA},
    plan::Plan,
};

fn main() -> Result<(), Box<dyn Error>> {
    let names = ["a", "b", "c", "d", "e"].map(Server::new);
    let (before, after) = (&names[..4], &names[..]);
    for (scheme, next) in [(MODULA, MODULA), (KETAMA_WEIGHTED, KETAMA_WEIGHTED), (MODULA, KETAMA_WEIGHTED)] {
        let plan = Plan::owned(&Placement::owned(scheme, before)?, &Placement::owned(next, after)?);
        println!("{} → {}, 4 → 5 servers:", scheme.name, next.name);
        println!("  {:.1} % of the keys stay", 100.0 * plan.kept());
        for (from, to, share) in plan.shares().filter(|(from, to, _)| from != to).take(3) {
            let (from, to) = (before[from.get()].name, after[to.get()].name);
            println!("  {:.1} % go from {from} to {to}", 100.0 * share);
        }
    }
    Ok(())
}
