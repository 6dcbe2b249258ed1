//! Get or compute: one load for all who ask, whoever fails, dies or writes meanwhile.

use core::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use memring_std::{
    Batch, Content, Event, Feature, FetchError, FetchOutcome, Freshness, MetaDeleteOptions, MetaGetOptions,
    Ttl,
};
use memring_suite::{Memcached, refusing};

use crate::{
    client::{Client, Meta as _},
    run::{join_all, promises},
    support::{Fleet, fleet_promises},
};

promises! {
    ten_thousand_callers_of_two_clients_load_once
    without_a_server_each_call_loads_and_none_fails
    a_call_that_is_wrong_does_not_load
    an_old_server_has_a_placeholder_in_the_keys_place
    on_an_old_server_too_one_loads
    a_process_that_dies_while_it_loads_holds_up_the_others_for_a_lease
    a_stand_in_is_not_asked_for_each_call
}

fleet_promises! {
    a_value_is_loaded_once_and_then_found
    nothing_is_kept_too
    values_keep_their_flags_and_may_be_empty
    whoever_waits_has_the_error_of_a_loader_that_fails
    after_a_panic_the_next_one_loads_at_once
    another_process_waits_for_the_one_that_loads
    nobody_waits_for_others_for_too_long
    what_was_read_before_a_change_is_not_stored
    a_stale_value_is_handed_out_while_one_caller_loads
    a_loader_that_fails_is_made_up_for_by_a_stale_value
    a_placeholder_is_never_a_value
}

const MINUTE: Ttl = Ttl::seconds(60);

/// A loader, and how often it has run.
#[derive(Clone, Default)]
struct Loads(Arc<AtomicU32>);

impl Loads {
    async fn load<C: Client>(&self, time: Duration, value: &str) -> Result<String, String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        C::sleep(time).await;
        Ok(value.to_owned())
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

const AT_ONCE: Duration = Duration::ZERO;
const MS: Duration = Duration::from_millis(1);

async fn never() -> Result<String, String> {
    panic!("there is a value")
}

async fn fails() -> Result<String, String> {
    Err("no database".to_owned())
}

async fn a_value_is_loaded_once_and_then_found<C: Client>(fleet: &Fleet<C>) {
    let loads = Loads::default();
    for _ in 0..3 {
        let value = fleet.client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap();
        assert_eq!(value, "made");
    }
    assert_eq!(loads.count(), 1);
    let counts = fleet.client.fetch_counts();
    assert_eq!((counts.loads, counts.hits), (1, 2));
}

async fn ten_thousand_callers_of_two_clients_load_once<C: Client>() {
    let server = Memcached::start();
    let clients =
        [(); 2].map(|()| C::connect([server.name()]).unwrap().with_timeout(Duration::from_secs(60)));
    let loads = Loads::default();
    let calls = 5000 / C::MANY;
    let tasks = (0..2 * C::MANY).map(|number| {
        let (client, loads) = (clients[number % 2].clone(), loads.clone());
        C::spawn(async move || {
            // Whoever waits waits for as long as it takes: this is about loads.
            let patient = Freshness::new(MINUTE).lease(Duration::from_secs(60)).wait(Duration::from_secs(60));
            for _ in 0..calls {
                let value = client.fetch("k", patient, loads.load::<C>(300 * MS, "made")).await;
                assert_eq!(value.unwrap(), "made");
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    join_all(tasks).await;
    assert_eq!(loads.count(), 1);
    let counts = clients.each_ref().map(C::fetch_counts);
    let ended =
        |counts: &memring_std::FetchCounts| counts.hits + counts.joined + counts.waited + counts.loads;
    assert_eq!(counts.iter().map(ended).sum::<u64>(), 10_000, "{counts:?}");
}

async fn nothing_is_kept_too<C: Client>(fleet: &Fleet<C>) {
    let loads = Loads::default();
    let nothing = async || loads.load::<C>(AT_ONCE, "").await.map(|_| None::<String>);
    for _ in 0..3 {
        assert_eq!(fleet.client.fetch("k", MINUTE, nothing()).await.unwrap(), None);
    }
    assert_eq!(loads.count(), 1);
    let unkept = Freshness::new(MINUTE).negative_ttl(Duration::ZERO);
    for _ in 0..3 {
        assert_eq!(fleet.client.fetch("l", unkept, nothing()).await.unwrap(), None);
    }
    assert_eq!(loads.count(), 4);
    assert!(fleet.client.get("l").await.unwrap().is_none(), "no placeholder is left");
    // Nothing is no value for a caller that has no word for it.
    assert_eq!(fleet.client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
}

async fn values_keep_their_flags_and_may_be_empty<C: Client>(fleet: &Fleet<C>) {
    for (key, flags, value) in [("a", 0, &b""[..]), ("b", 7, b""), ("c", 7, b"v"), ("d", u32::MAX, b"v")] {
        let content = Content { flags, value: value.into() };
        let load = async || Ok::<_, String>(content.clone());
        for _ in 0..2 {
            assert_eq!(fleet.client.fetch(key, MINUTE, load()).await.unwrap(), content);
        }
        let again = fleet.client.fetch(key, MINUTE, async { Err::<Content, _>("it is there") }).await;
        assert_eq!(again.unwrap(), content);
    }
}

async fn whoever_waits_has_the_error_of_a_loader_that_fails<C: Client>(fleet: &Fleet<C>) {
    let (client, loads) = (&fleet.client, Loads::default());
    let tasks = (0..20).map(|_| {
        let (client, loads) = (client.clone(), loads.clone());
        C::spawn(async move || {
            let load =
                async || loads.load::<C>(200 * MS, "").await.and_then(|_| Err::<String, _>("no".to_owned()));
            let error = client.fetch("k", MINUTE, load()).await.unwrap_err();
            assert!(matches!(&error, FetchError::Loader(error) if **error == "no"), "{error}");
        })
    });
    let tasks: Vec<_> = tasks.collect();
    join_all(tasks).await;
    assert!(loads.count() <= 3, "those that came later loaded for themselves: {}", loads.count());
    // Given back: nobody waits for a lease to end.
    let begin = Instant::now();
    assert_eq!(client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    assert!(begin.elapsed() < Duration::from_secs(1));
}

async fn after_a_panic_the_next_one_loads_at_once<C: Client>(fleet: &Fleet<C>) {
    let client = fleet.client.clone();
    let panicking = C::spawn(async move || {
        let load = async {
            C::sleep(100 * MS).await;
            if true { panic!("a loader panics, and this test is about that") } else { Ok::<_, String>("") }
        };
        let _ = client.fetch("k", MINUTE, load).await;
    });
    C::sleep(30 * MS).await;
    let (begin, loads) = (Instant::now(), Loads::default());
    assert_eq!(fleet.client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert!(panicking.panics().await);
    assert_eq!(fleet.client.fetch("k", MINUTE, never()).await.unwrap(), "made");
}

async fn another_process_waits_for_the_one_that_loads<C: Client>(fleet: &Fleet<C>) {
    let other = C::builder().servers(&fleet.names).build().unwrap();
    let loads = Loads::default();
    let (first, its_loads) = (fleet.client.clone(), loads.clone());
    let loading = C::spawn(async move || {
        first.fetch("k", MINUTE, its_loads.load::<C>(300 * MS, "made")).await.unwrap()
    });
    C::until("it loads", async || (loads.count() == 1).then_some(())).await;
    assert_eq!(other.fetch("k", MINUTE, never()).await.unwrap(), "made");
    assert_eq!(other.fetch_counts().waited, 1);
    assert_eq!(loading.join().await, "made");
}

async fn nobody_waits_for_others_for_too_long<C: Client>(fleet: &Fleet<C>) {
    let other = C::builder().servers(&fleet.names).build().unwrap();
    let vivify = MetaGetOptions::new().vivify(Ttl::seconds(100));
    assert!(other.meta().get("k", vivify).await.unwrap().unwrap().info.win, "it loads, for ever");
    let impatient = Freshness::new(MINUTE).wait(200 * MS);
    let (begin, loads) = (Instant::now(), Loads::default());
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let (client, loads) = (fleet.client.clone(), loads.clone());
            C::spawn(async move || {
                client.fetch("k", impatient, loads.load::<C>(50 * MS, "own")).await.unwrap()
            })
        })
        .collect();
    assert!(join_all(callers).await.iter().all(|value| value == "own"));
    assert!((200 * MS..Duration::from_secs(2)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    assert_eq!(loads.count(), 1, "those that gave up share one load");
    let item = other.get("k").await.unwrap().expect("the placeholder");
    assert_eq!(item.value, b""[..], "an own value is not stored");
}

async fn what_was_read_before_a_change_is_not_stored<C: Client>(fleet: &Fleet<C>) {
    let (client, other) = (&fleet.client, C::builder().servers(&fleet.names).build().unwrap());
    for change in ["set", "delete", "own set", "own delete", "deleted and won"] {
        let _ = client.delete("k").await.unwrap();
        let load = async {
            match change {
                "set" => other.set("k", "newer", MINUTE).await.unwrap(),
                "own set" => client.set("k", "newer", MINUTE).await.unwrap(),
                "delete" => assert!(other.delete("k").await.unwrap()),
                "own delete" => assert!(client.delete("k").await.unwrap()),
                _ => {
                    assert!(other.delete("k").await.unwrap());
                    assert_eq!(
                        other.fetch("k", MINUTE, async { Ok::<_, String>("newer") }).await.unwrap(),
                        "newer"
                    );
                }
            }
            Ok::<_, String>("older")
        };
        assert_eq!(client.fetch("k", MINUTE, load).await.unwrap(), "older", "it is the caller's own");
        let stored = other.get("k").await.unwrap();
        if change.ends_with("delete") {
            assert!(stored.is_none(), "{change}");
        } else {
            assert_eq!(stored.unwrap().value, b"newer"[..], "{change}");
        }
    }
}

/// Stores a value that is stale now.
async fn stale<C: Client>(client: &C, key: &str) {
    assert_eq!(client.fetch(key, MINUTE, async { Ok::<_, String>("old") }).await.unwrap(), "old");
    client.meta().delete(key, MetaDeleteOptions::new().mark_stale()).await.unwrap();
}

async fn a_stale_value_is_handed_out_while_one_caller_loads<C: Client>(fleet: &Fleet<C>) {
    let other = C::builder().servers(&fleet.names).build().unwrap();
    stale(&fleet.client, "k").await;
    let loads = Loads::default();
    let (first, its_loads) = (fleet.client.clone(), loads.clone());
    let loading =
        C::spawn(async move || first.fetch("k", MINUTE, its_loads.load::<C>(500 * MS, "new")).await.unwrap());
    C::until("it loads", async || (loads.count() == 1).then_some(())).await;
    let begin = Instant::now();
    for client in [&fleet.client, &other] {
        assert_eq!(client.fetch("k", MINUTE, never()).await.unwrap(), "old");
    }
    assert!(begin.elapsed() < 400 * MS, "nobody waits for a refresh");
    assert_eq!(other.fetch_counts().stale_hits, 1);
    assert_eq!(loading.join().await, "new");
    assert_eq!(other.fetch("k", MINUTE, never()).await.unwrap(), "new");
}

async fn a_loader_that_fails_is_made_up_for_by_a_stale_value<C: Client>(fleet: &Fleet<C>) {
    stale(&fleet.client, "k").await;
    for _ in 0..2 {
        assert_eq!(fleet.client.fetch("k", MINUTE, fails()).await.unwrap(), "old");
    }
    let strict = Freshness::new(MINUTE).errors_first();
    let error = fleet.client.fetch("k", strict, fails()).await.unwrap_err();
    assert_eq!(error.loader().unwrap(), "no database");
    assert_eq!(fleet.client.fetch_counts().failures, 3);
    let loads = Loads::default();
    assert_eq!(fleet.client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "new")).await.unwrap(), "new");
}

async fn a_placeholder_is_never_a_value<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let meta = client.meta();
    // One that was invalidated is won, and still is no value.
    meta.get("k", MetaGetOptions::new().vivify(Ttl::seconds(100))).await.unwrap();
    meta.delete("k", MetaDeleteOptions::new().mark_stale().ttl(Ttl::seconds(5))).await.unwrap();
    let loads = Loads::default();
    assert_eq!(client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    // One that somebody has touched.
    meta.get("l", MetaGetOptions::new().vivify(Ttl::seconds(100))).await.unwrap();
    client.touch("l", Ttl::seconds(86_400)).await.unwrap();
    let hasty = Freshness::new(MINUTE).wait(20 * MS);
    assert_eq!(client.fetch("l", hasty, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    assert_eq!(loads.count(), 2);
}

async fn without_a_server_each_call_loads_and_none_fails<C: Client>() {
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&outcomes);
    let observe = move |event: &Event<'_>| {
        if let Event::Fetched { outcome, .. } = event {
            told.lock().unwrap().push(*outcome);
        }
    };
    let client = C::builder().servers([refusing()]).on_event(observe).build().unwrap();
    let loads = Loads::default();
    for _ in 0..5 {
        assert_eq!(client.fetch("k", MINUTE, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    }
    assert_eq!(loads.count(), 5);
    assert_eq!(*outcomes.lock().unwrap(), [FetchOutcome::Own; 5]);
    let error = client.fetch("k", MINUTE, fails()).await.unwrap_err();
    assert_eq!(error.to_string(), "loading the value failed: no database");
}

async fn a_call_that_is_wrong_does_not_load<C: Client>() {
    let client = C::connect([refusing()]).unwrap();
    let too_long = Freshness::new(MINUTE).stale_for(Duration::from_secs(86_400 * 31));
    let wrong =
        [("two words", Freshness::new(MINUTE)), ("k", too_long), ("k", Freshness::new(Duration::ZERO))];
    for (key, freshness) in wrong {
        let error = client.fetch(key, freshness, never()).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused(_)), "{error}");
    }
}

/// A client that believes its server to be an old one.
fn old<C: Client>(server: &Memcached) -> C {
    C::builder().servers([server.name()]).server_cannot(server.name(), Feature::Meta).build().unwrap()
}

/// No verb that reads shows the placeholder.
async fn nobody_sees<C: Client>(client: &C, key: &str) {
    let (mut buffer, minute) = (Vec::new(), MINUTE);
    assert!(client.get(key).await.unwrap().is_none());
    assert!(client.gets(key).await.unwrap().is_none());
    assert!(client.gat(key, minute).await.unwrap().is_none());
    assert!(client.get_into(key, &mut buffer).await.unwrap().is_none());
    assert!(client.get_many(&[key]).await.unwrap().all().unwrap()[0].is_none());
    let seen = client.get_many_with(&[key], |_, _| panic!("it is shown")).await.unwrap();
    assert_eq!(seen.all().unwrap(), [false]);
    let mut batch = Batch::new();
    let (get, gets) = (batch.get(key), batch.gets(key));
    let mut outcomes = client.run(batch).await.unwrap();
    assert!(outcomes.take(get).unwrap().is_none());
    assert!(outcomes.take(gets).unwrap().is_none());
}

async fn an_old_server_has_a_placeholder_in_the_keys_place<C: Client>() {
    let server = Memcached::start();
    let (client, other, loads) = (old::<C>(&server), old::<C>(&server), Loads::default());
    let meta = C::connect([server.name()]).unwrap();
    for _ in 0..2 {
        let load = async {
            let item = meta.meta().get("k", MetaGetOptions::new().value().flags()).await.unwrap().unwrap();
            let len = item.value.expect("the placeholder").len();
            assert_eq!((item.info.flags, len), (Some(0x6D72_0003), 16));
            nobody_sees(&other, "k").await;
            loads.load::<C>(AT_ONCE, "made").await
        };
        assert_eq!(client.fetch("k", MINUTE, load).await.unwrap(), "made");
    }
    assert_eq!(loads.count(), 1);
    let _ = client.fetch("l", MINUTE, fails()).await.unwrap_err();
    assert!(other.get("l").await.unwrap().is_none(), "the placeholder is gone");
    let load = async {
        other.set("m", "newer", MINUTE).await.unwrap();
        loads.load::<C>(AT_ONCE, "older").await
    };
    assert_eq!(client.fetch("m", MINUTE, load).await.unwrap(), "older");
    assert_eq!(other.get("m").await.unwrap().unwrap().value, b"newer"[..]);
    assert_eq!(client.fetch("n", MINUTE, async { Ok::<_, String>(None::<String>) }).await.unwrap(), None);
    assert_eq!(client.fetch("n", MINUTE, async { Err::<Option<String>, _>("") }).await.unwrap(), None);
}

async fn on_an_old_server_too_one_loads<C: Client>() {
    let server = Memcached::start();
    let clients = [old::<C>(&server), old::<C>(&server), C::connect([server.name()]).unwrap()];
    let loads = Loads::default();
    // Where one of them speaks the other dialect, it takes what the others store for aged, and loads once more.
    for (key, clients, most) in [("a", &clients[..2], 1), ("b", &clients[..], 2)] {
        let before = loads.count();
        let tasks = (0..30).map(|number| {
            let (client, loads) = (clients[number % clients.len()].clone(), loads.clone());
            C::spawn(async move || {
                client.fetch(key, MINUTE, loads.load::<C>(100 * MS, "made")).await.unwrap()
            })
        });
        let tasks: Vec<_> = tasks.collect();
        assert!(join_all(tasks).await.iter().all(|value| value == "made"));
        assert!((1..=most).contains(&(loads.count() - before)), "{key}: {}", loads.count() - before);
    }
}

async fn a_stand_in_is_not_asked_for_each_call<C: Client>() {
    let spare = Memcached::start();
    let client = C::builder().servers([refusing()]).gutter([spare.name()]).build().unwrap();
    let (loads, hour) = (Loads::default(), Ttl::seconds(3600));
    for _ in 0..5 {
        assert_eq!(client.fetch("k", hour, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
    }
    assert_eq!(loads.count(), 1);
    let item = C::connect([spare.name()]).unwrap();
    let item = item.meta().get("k", MetaGetOptions::new().ttl()).await.unwrap().unwrap();
    assert!(item.info.ttl.is_some_and(|ttl| (50..=60).contains(&ttl)), "{item:?}");
}

/// A process of its own that is killed while it loads: this program, with this test alone.
async fn a_process_that_dies_while_it_loads_holds_up_the_others_for_a_lease<C: Client>() {
    const SERVER: &str = "MEMRING_TEST_DIES_AT";
    let lease = Freshness::new(MINUTE).lease(Duration::from_secs(2)).wait(Duration::from_secs(2));
    if let Ok(server) = std::env::var(SERVER) {
        let load = async {
            println!("loading");
            C::sleep(Duration::from_secs(60)).await;
            Ok::<_, String>("too late")
        };
        let _ = C::connect([&*server]).unwrap().fetch("k", lease, load).await;
        return;
    }
    let server = Memcached::start();
    let test = crate::support::named::<C>(
        "fetch",
        "a_process_that_dies_while_it_loads_holds_up_the_others_for_a_lease",
    );
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args([&test, "--exact", "--nocapture"]).env(SERVER, server.name());
    let mut process = process.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(process.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("loading")));
    // `kill -9`.
    process.kill().unwrap();
    process.wait().unwrap();
    let (client, loads, begin) = (C::connect([server.name()]).unwrap(), Loads::default(), Instant::now());
    while loads.count() == 0 || client.fetch_counts().loads == 0 {
        assert_eq!(client.fetch("k", lease, loads.load::<C>(AT_ONCE, "made")).await.unwrap(), "made");
        assert!(begin.elapsed() < Duration::from_secs(6));
    }
    assert!(begin.elapsed() < Duration::from_millis(3000 + 250 + 1000), "{:?}", begin.elapsed());
    assert_eq!(client.fetch("k", lease, never()).await.unwrap(), "made", "it is stored");
}
