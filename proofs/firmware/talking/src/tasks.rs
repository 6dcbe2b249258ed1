//! TCP with embassy: tasks that wait.

use embassy_executor::Spawner;
use embassy_net::{Config, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;

use crate::{
    board,
    fleet::{BOARD, SERVERS},
    lan9118::Lan9118,
};

/// Starts the network, and the task that it lives in.
pub fn start(spawner: Spawner) -> Stack<'static> {
    static RESOURCES: StaticCell<StackResources<SERVERS>> = StaticCell::new();
    let (address, bits) = BOARD;
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(address.into(), bits),
        gateway: None,
        dns_servers: heapless::Vec::new(),
    });
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) = embassy_net::new(Lan9118::start(), config, resources, SEED);
    match drive(runner) {
        Ok(task) => spawner.spawn(task),
        Err(_) => board::fail("there is no room for the network's task"),
    }
    stack
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, Lan9118>) -> ! {
    runner.run().await
}

/// What the network draws its numbers from. A real board has a better source.
const SEED: u64 = 0x5eed;
