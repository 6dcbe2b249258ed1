//! Where three clients place the same keys, and whom each asks next when that server is down.
//!
//! `cargo run -p memring-core --features alloc --example place`

use core::error::Error;

use memring_core::{Placement, Scheme, Server, ServerIndex};

fn main() -> Result<(), Box<dyn Error>> {
    let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    let schemes = [
        Scheme::named("php-memcached", [("php-options", "OPT_LIBKETAMA_COMPATIBLE=1")], |value| value)?,
        Scheme::named("dalli", [("namespace", "shop")], |value| value)?,
        Scheme::named("twemproxy-ketama", [("auto_eject_hosts", "1")], |value| value)?,
    ];
    for scheme in schemes {
        let placement = Placement::owned(scheme, servers)?;
        for key in ["tokyo", "oslo", "lima"] {
            let mut order = [ServerIndex::default(); 3];
            let order = placement.order(key.as_bytes(), &mut order).iter();
            let names: Vec<_> = order.map(|server| servers[server.get()].name).collect();
            println!("{:16}  {key:5}  {}", scheme.name, names.join(", then "));
        }
    }
    Ok(())
}
