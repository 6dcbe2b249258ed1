//! A process that forks: parent and child go on with the same client, each over connections of its own.

fn main() {
    #[cfg(unix)]
    unix::main();
}

#[cfg(unix)]
mod unix {
    use std::{panic, process};

    use fork::{Fork, fork, waitpid};
    use memring_suite::Memcached;
    use memring_tokio::{Client, Ttl};
    use tokio::runtime::{Builder, Runtime};

    pub(crate) fn main() {
        for is_threaded in [false, true] {
            each_counts_for_itself(is_threaded);
            the_child_may_end_everything_it_has_inherited(is_threaded);
        }
        println!("fork: all is well");
    }

    fn runtime(is_threaded: bool) -> Runtime {
        let mut builder =
            if is_threaded { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        builder.enable_all().build().unwrap()
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

    async fn count(client: &Client, key: &str) {
        client.set(key, "0", Ttl::NEVER).await.unwrap();
        for number in 1..300 {
            assert_eq!(client.incr(key, 1).await.unwrap(), Some(number), "{key}");
        }
        let keys: Vec<_> = (0..300).map(|number| format!("{key}:{number}")).collect();
        let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
        client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
        let found = client.get_many(&keys).await.unwrap().all().unwrap();
        assert!(keys.iter().zip(found).all(|(key, item)| item.unwrap().value == key.as_bytes()));
    }

    fn each_counts_for_itself(is_threaded: bool) {
        let server = Memcached::start();
        for round in 0..5 {
            let client = Client::connect([server.name()]).unwrap();
            let home = runtime(is_threaded);
            home.block_on(client.set("before", "the fork", Ttl::NEVER)).unwrap();
            both(
                || runtime(false).block_on(count(&client, &format!("child:{round}"))),
                || home.block_on(count(&client, &format!("parent:{round}"))),
            );
        }
    }

    fn the_child_may_end_everything_it_has_inherited(is_threaded: bool) {
        let server = Memcached::start();
        let client = Client::connect([server.name()]).unwrap();
        let home = runtime(is_threaded);
        home.block_on(client.set("k", "v", Ttl::NEVER)).unwrap();
        let inherited = client.clone();
        both(
            move || {
                runtime(false).block_on(inherited.close());
                drop(inherited);
            },
            || (),
        );
        home.block_on(async {
            for _ in 0..10 {
                assert_eq!(client.get("k").await.unwrap().unwrap().value, "v");
            }
            assert_eq!(client.servers()[0].counts.connected, 1);
        });
    }
}
