//! A process that forks: parent and child go on with the same client, and neither reads the other's replies.

fn main() {
    #[cfg(unix)]
    unix::main();
}

#[cfg(unix)]
mod unix {
    use std::{panic, process, sync::mpsc, thread};

    use fork::{Fork, fork, waitpid};
    use memring_std::{Client, StatsKind, Ttl, testing::Server};
    use memring_suite::Memcached;

    pub(crate) fn main() {
        each_counts_for_itself();
        the_child_opens_connections_of_its_own();
        what_another_thread_had_is_no_loss_to_the_child();
        println!("fork: all is well");
    }

    /// Runs `child` in a process of its own, and `parent` in this one meanwhile.
    fn both(child: impl FnOnce(), parent: impl FnOnce()) {
        match fork().unwrap() {
            Fork::Child => {
                let run = panic::catch_unwind(panic::AssertUnwindSafe(child));
                process::exit(i32::from(run.is_err()));
            }
            Fork::Parent(pid) => {
                parent();
                assert_eq!(waitpid(pid).unwrap(), 0, "the child says what went wrong");
            }
        }
    }

    fn each_counts_for_itself() {
        let server = Memcached::start();
        for round in 0..10 {
            let client = Client::connect([server.name()]).unwrap();
            let count = |name: &str| {
                let key = format!("{name}:{round}");
                client.set(&key, "0", Ttl::NEVER).unwrap();
                for number in 1..300 {
                    assert_eq!(client.incr(&key, 1).unwrap(), Some(number), "{key}");
                }
                let keys: Vec<_> = (0..300).map(|number| format!("{key}:{number}")).collect();
                let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
                client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
                let found = client.get_many(&keys).unwrap().all().unwrap();
                assert!(keys.iter().zip(found).all(|(key, item)| item.unwrap().value == key.as_bytes()));
            };
            client.set("before", "the fork", Ttl::NEVER).unwrap();
            both(|| count("child"), || count("parent"));
        }
    }

    fn the_child_opens_connections_of_its_own() {
        let server = Memcached::start();
        let opened = || {
            let stats = Client::connect([server.name()]).unwrap().stats(StatsKind::General).remove(0);
            let count = stats.result.unwrap().value("total_connections").unwrap().to_vec();
            String::from_utf8(count).unwrap().parse::<u64>().unwrap()
        };
        let client = Client::connect([server.name()]).unwrap();
        client.set("k", "parent's", Ttl::NEVER).unwrap();
        let before = opened();
        both(
            || {
                assert_eq!(client.get("k").unwrap().unwrap().value, b"parent's");
                assert_eq!(opened(), before + 2, "one for the client, one to ask that");
                let status = &client.servers()[0];
                assert_eq!((status.idle, status.waiting), (1, 0));
            },
            || (),
        );
        // The parent's connection has been let alone.
        let before = opened();
        assert_eq!(client.get("k").unwrap().unwrap().value, b"parent's");
        assert_eq!(opened(), before + 1, "one to ask that");
    }

    fn what_another_thread_had_is_no_loss_to_the_child() {
        let server = Memcached::start();
        let slow = Server::start().unwrap();
        let names = [server.name(), slow.addr().to_string()];
        let client = Client::builder().servers(&names).pool_size(1).build().unwrap();
        let key = (0..).map(|number| format!("key:{number}")).find(|key| *client.server_of(key) == *names[0]);
        let key = key.unwrap();
        client.set(&key, "v", Ttl::NEVER).unwrap();
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let (client, key) = (&client, &key);
            // The only part of the pool, for as long as the other thread wants.
            scope.spawn(move || {
                client
                    .get_many_with(&[key], |_, _| {
                        tell.send(()).unwrap();
                        ended.recv().unwrap();
                    })
                    .unwrap();
            });
            told.recv().unwrap();
            both(|| assert_eq!(client.get(key).unwrap().unwrap().value, b"v"), || ());
            end.send(()).unwrap();
        });
    }
}
