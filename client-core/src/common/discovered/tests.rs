use core::time::Duration;

use memring_core::peers::libmemcached;

use super::*;
use crate::{discovery::Source, roster::Member, spec::Address};

struct Pool(Watch);

impl Watched for Pool {
    fn watch(&self) -> &Watch {
        &self.0
    }
}

fn open(spec: &ServerSpec, watch: Watch, _: &Arc<Config>) -> Result<Pool, Cause> {
    match spec.address() {
        Address::Unix(_) => Err(Cause::config(Unfit("no sockets here"))),
        Address::Tcp { .. } => Ok(Pool(watch)),
    }
}

fn member(number: u16) -> Member {
    Member::at(Address::tcp("10.0.0.1", number)).called(format!("memcached-{number}"))
}

fn client(members: Vec<Member>) -> Common<Pool> {
    let mut discovery = Discovery::new(Source::file("servers"));
    discovery.pace.answers = 1;
    let config = Config { discovery: Some(discovery), ..Config::default() };
    Common::discover(config, Clock::SYSTEM, Ok(members.into()), || (), open).unwrap()
}

#[test]
fn the_share_counts_keys_that_move_and_those_that_have_no_server() {
    let scheme = libmemcached::MODULA.into();
    let slot = |name: &str| Slot::of(ServerSpec::new(name, Address::tcp("a", 1)));
    let free = |name: &str| Slot { free_since: Some(Instant::now()), ..slot(name) };
    let before = [slot("s0"), slot("s1"), slot("s2")];
    let share = |before: &[Slot], after: &[Slot]| share(&scheme, before, after).unwrap();
    assert!(share(&before, &before).abs() < 1e-9);
    assert!((share(&before, &[slot("s0"), free("s1"), slot("s2")]) - 1.0 / 3.0).abs() < 1e-9);
    assert!((share(&before, &before[..2]) - 2.0 / 3.0).abs() < 1e-9);
    // A server that comes back moves nothing.
    assert!(share(&[slot("s0"), free("s1")], &before[..2]).abs() < 1e-9);
}

#[test]
fn servers_that_cannot_be_reached_as_configured_are_a_failed_answer() {
    let client = client(vec![member(1), member(2)]);
    let unfit = vec![member(1), Member::at(Address::unix("/run/memcached")).called("memcached-2")];
    let next = client.asked(Ok(unfit.into()), open).unwrap();
    let roster = client.roster().unwrap();
    assert!(roster.failing_since().is_some());
    assert_eq!(roster.slots()[1].spec.address(), &Address::tcp("10.0.0.1", 2));
    assert!(next < client.now() + Duration::from_secs(2), "it is asked again soon");
    client.asked(Ok(vec![member(1), member(3)].into()), open);
    assert!(client.roster().unwrap().failing_since().is_none());
    assert_eq!(client.fleet().pools()[1].0.name().as_ref(), "s1");
}

#[test]
fn a_slot_without_a_server_is_watched_anew_and_so_is_its_next_server() {
    let client = client(vec![member(1), member(2)]);
    let watches = || client.fleet().pools().iter().map(Arc::as_ptr).collect::<Vec<_>>();
    let before = watches();
    client.asked(Ok(vec![member(1)].into()), open);
    assert!(client.fleet().pools()[1].0.is_vacant());
    let without = watches();
    assert!(before[0] == without[0] && before[1] != without[1]);
    // The same answer again changes nothing.
    client.asked(Ok(vec![member(1)].into()), open);
    assert_eq!(watches(), without);
    client.asked(Ok(vec![member(1), member(2)].into()), open);
    assert!(!client.fleet().pools()[1].0.is_vacant());
}

#[test]
fn a_client_that_is_closed_asks_no_more() {
    let client = client(vec![member(1)]);
    let _ = client.close();
    assert_eq!(client.asked(Ok(vec![member(1)].into()), open), None);
}
