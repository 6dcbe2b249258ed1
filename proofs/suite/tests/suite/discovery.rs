//! Servers that are found out while the client is in use.

use core::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    env, fs, process,
    sync::{Arc, Mutex},
    thread,
};

use memring_std::{
    Address, Config, ErrorKind, Event, FailurePolicy, ServerSpec, Ttl,
    discovery::{CLUSTER_KEY, Cluster, Discovery, Source},
    roster::{Member, Naming, Pace},
    testing::Server,
};

use memring_suite::Scripted;

use crate::{client::Client, run::promises};

promises! {
    a_server_that_comes_back_elsewhere_keeps_its_slot_and_its_keys
    a_change_is_told_before_it_is_made
    a_change_that_is_too_large_waits_for_the_callers_word
    a_source_that_fails_keeps_the_servers
    nobody_waits_for_a_source_that_hangs
    a_server_that_has_left_is_asked_nothing
    the_keys_of_a_server_that_has_left_may_fall_back
    a_source_is_asked_no_more_when_its_client_is_gone
    a_file_is_followed
    a_cluster_is_followed
    a_server_of_the_cluster_is_asked_when_its_endpoint_is_away
    an_older_server_is_asked_for_the_key
    a_server_that_knows_no_cluster_is_the_only_one_if_told_so
    an_answer_that_is_none_keeps_the_servers
    a_client_needs_a_first_answer_or_a_list
    a_list_that_is_found_out_cannot_be_set
}

/// What a test's source says, and what its client has told.
#[derive(Clone, Default)]
struct Scene {
    said: Arc<Mutex<Vec<Member>>>,
    asked: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn says(&self, members: impl IntoIterator<Item = Member>) {
        *self.said.lock().unwrap() = members.into_iter().collect();
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// A source that fails while it knows nobody.
    fn source(&self) -> Source {
        let Self { said, asked, .. } = self.clone();
        Source::function(move || {
            asked.fetch_add(1, Ordering::Relaxed);
            let said = said.lock().unwrap().clone();
            if said.is_empty() { Err("out for lunch") } else { Ok(said) }
        })
    }

    fn config(&self, pace: impl FnOnce(&mut Pace)) -> Config {
        self.config_of(self.source(), pace)
    }

    fn config_of(&self, source: Source, pace: impl FnOnce(&mut Pace)) -> Config {
        let mut discovery = Discovery::new(source);
        discovery.pace.interval = Some(Duration::from_millis(2));
        discovery.pace.answers = 1;
        pace(&mut discovery.pace);
        let told = Arc::clone(&self.told);
        let observe = move |event: &Event<'_>| {
            let says = match event {
                Event::ServersChanged { change, share, .. } => {
                    format!("{} to {}, {share:.2}", change.before().len(), change.after().len())
                }
                Event::AddressChanged { server, .. } => format!("{server} moved"),
                Event::ChangeRefused { share, .. } => format!("refused, {share:.2}"),
                Event::SourceFailed { why, .. } => format!("failed: {why}"),
                Event::SourceRecovered { .. } => "recovered".to_owned(),
                _ => return,
            };
            told.lock().unwrap().push(says);
        };
        memring_std::Client::builder().discovery(discovery).on_event(observe).config().unwrap()
    }
}

fn member(number: usize, server: &Server) -> Member {
    Member::at(address(server.addr())).called(format!("memcached-{number}"))
}

fn address(address: SocketAddr) -> Address {
    Address::tcp(address.ip().to_string(), address.port())
}

fn members(servers: &[Server]) -> Vec<Member> {
    servers.iter().enumerate().map(|(number, server)| member(number, server)).collect()
}

fn start(count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start().unwrap()).collect()
}

const KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

async fn until<C: Client>(what: &str, mut is_so: impl FnMut() -> bool) {
    C::until(what, async || is_so().then_some(())).await;
}

async fn a_server_that_comes_back_elsewhere_keeps_its_slot_and_its_keys<C: Client>() {
    let (servers, scene) = (start(4), Scene::default());
    scene.says(members(&servers[..3]));
    let client = C::discover(scene.config(|_| ())).await.unwrap();
    for key in KEYS {
        client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    let places = || KEYS.map(|key| client.server_of(key));
    let before = places();
    assert!(before.iter().any(|name| **name == *"s1"), "the test needs a key there");
    // The third server gets the address of none before, and the order says nothing.
    scene.says([member(2, &servers[2]), member(0, &servers[0]), member(1, &servers[3])]);
    until::<C>("the address changes", || scene.told() == ["s1 moved"]).await;
    until::<C>("the new server is asked", || {
        client.servers()[1].spec.address() == &address(servers[3].addr())
    })
    .await;
    assert_eq!(places(), before);
    for (key, place) in KEYS.into_iter().zip(before) {
        // The others have kept theirs, and the one that is new begins empty.
        assert_eq!(client.get(key).await.unwrap().is_some(), *place != *"s1", "{key}");
        client.set(key, key, Ttl::NEVER).await.unwrap();
        assert!(client.get(key).await.unwrap().is_some());
    }
    assert_eq!(scene.told(), ["s1 moved"]);
    assert!(client.roster().unwrap().failing_since().is_none());
}

async fn a_change_is_told_before_it_is_made<C: Client>() {
    let (servers, scene) = (start(3), Scene::default());
    scene.says(members(&servers[..2]));
    let client = C::discover(scene.config(|pace| pace.answers = 2)).await.unwrap();
    assert_eq!(client.servers().len(), 2);
    scene.says(members(&servers));
    until::<C>("the third server is used", || client.servers().len() == 3).await;
    let told = scene.told();
    assert_eq!(told, ["2 to 3, 0.29"]);
    assert!(client.version().await.iter().all(|answer| answer.result.is_ok()));
}

async fn a_change_that_is_too_large_waits_for_the_callers_word<C: Client>() {
    let (servers, scene) = (start(4), Scene::default());
    scene.says(members(&servers[..1]));
    let client = C::discover(scene.config(|pace| pace.max_share = Some(0.5))).await.unwrap();
    assert!(!client.accept_change(), "nothing was refused");
    scene.says(members(&servers));
    until::<C>("the change is refused", || scene.told().iter().any(|told| told.starts_with("refused, 0.7")))
        .await;
    assert_eq!(client.servers().len(), 1);
    assert!(client.accept_change());
    until::<C>("the change is taken", || client.servers().len() == 4).await;
    assert_eq!(scene.told().len(), 2, "{:?}", scene.told());
}

async fn a_source_that_fails_keeps_the_servers<C: Client>() {
    let (servers, scene) = (start(2), Scene::default());
    scene.says(members(&servers));
    let client = C::discover(scene.config(|_| ())).await.unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    scene.says([]);
    until::<C>("the source fails", || scene.told() == ["failed: out for lunch"]).await;
    assert!(client.get("k").await.unwrap().is_some());
    assert!(client.roster().unwrap().failing_since().is_some());
    scene.says(members(&servers));
    // It is asked again after a second.
    until::<C>("the source answers", || scene.told().last().unwrap() == "recovered").await;
    assert_eq!((scene.told().len(), client.servers().len()), (2, 2));
}

async fn nobody_waits_for_a_source_that_hangs<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    let (said, asked) = (members(&servers), Arc::clone(&scene.asked));
    let source = Source::function(move || {
        if asked.fetch_add(1, Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(300));
        }
        Ok::<_, String>(said.clone())
    });
    let config = scene.config_of(source, |pace| pace.timeout = Duration::from_millis(20));
    let client = C::discover(config).await.unwrap();
    until::<C>("the source is late", || scene.told() == ["failed: no answer within 20ms"]).await;
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(scene.asked.load(Ordering::Relaxed), 2, "one question at a time");
}

async fn a_server_that_has_left_is_asked_nothing<C: Client>() {
    let (servers, scene) = (start(3), Scene::default());
    scene.says(members(&servers));
    let client = C::discover(scene.config(|_| ())).await.unwrap();
    client.version().await;
    scene.says([member(0, &servers[0]), member(2, &servers[2])]);
    until::<C>("the slot is free", || client.servers()[1].is_vacant).await;
    // Its connections end, and there are no others, whoever has the address now.
    until::<C>("the connection ends", || servers[1].connections() == 0).await;
    for key in KEYS {
        let (place, found) = (client.server_of(key), client.get(key).await);
        match found {
            Ok(found) => assert!(found.is_none() && *place != *"s1"),
            Err(error) => {
                assert_eq!((error.kind(), error.server()), (ErrorKind::Down, Some("s1")), "{error}");
                assert!(error.is_outage() && *place == *"s1");
            }
        }
    }
    let many = client.get_many(&KEYS).await.unwrap();
    assert!(many.errors().iter().all(|error| error.kind() == ErrorKind::Down));
    let failed: Vec<_> = client.version().await.iter().map(|answer| answer.result.is_err()).collect();
    assert_eq!(failed, [false, true, false]);
    assert_eq!((servers[1].connections(), client.servers().len()), (0, 3));
    // Another server takes the slot, and the keys have not moved.
    let other = Server::start().unwrap();
    scene.says([member(0, &servers[0]), member(2, &servers[2]), member(7, &other)]);
    until::<C>("the slot is taken", || !client.servers()[1].is_vacant).await;
    for key in KEYS {
        client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    assert_eq!(other.connections(), 1);
}

async fn the_keys_of_a_server_that_has_left_may_fall_back<C: Client>() {
    let (servers, scene) = (start(3), Scene::default());
    scene.says(members(&servers));
    let mut config = scene.config(|_| ());
    config.failure_policy = FailurePolicy::Fallback;
    config.scheme =
        memring_client::OwnedScheme::named("libmemcached-ketama", [("auto_eject_hosts", "1")]).unwrap();
    let client = C::discover(config).await.unwrap();
    scene.says([member(0, &servers[0]), member(2, &servers[2])]);
    until::<C>("the slot is free", || client.servers()[1].is_vacant).await;
    for key in KEYS {
        client.set(key, key, Ttl::NEVER).await.unwrap();
        assert!(client.get(key).await.unwrap().is_some());
    }
    assert!(client.get_many(&KEYS).await.unwrap().errors().is_empty());
}

async fn a_source_is_asked_no_more_when_its_client_is_gone<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    scene.says(members(&servers));
    let client = C::discover(scene.config(|_| ())).await.unwrap();
    let clone = client.clone();
    drop(client);
    let asked = scene.asked.load(Ordering::Relaxed);
    until::<C>("a clone keeps the source", || scene.asked.load(Ordering::Relaxed) > asked + 2).await;
    drop(clone);
    // The source's own clone of the answer goes with those who ask.
    until::<C>("nobody asks", || Arc::strong_count(&scene.asked) == 1).await;
}

async fn a_file_is_followed<C: Client>() {
    let (servers, scene) = (start(2), Scene::default());
    let path = env::temp_dir().join(format!("memring-discovery-{}-{}", C::MODULE, process::id()));
    // Who reads sees all of it or none, as with configurations that are swapped.
    let write = |text: &str| {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, &path).unwrap();
    };
    let lines: Vec<_> =
        (0..).zip(&servers).map(|(number, server)| format!("s{number}={}\n", server.addr())).collect();
    write(&lines[0]);
    let config = scene.config_of(Source::file(&path), |_| ());
    let client = C::discover(config).await.unwrap();
    assert_eq!(client.servers()[0].spec.name(), "s0");
    write(&lines.concat());
    until::<C>("the file is read again", || client.servers().len() == 2).await;
    write("s0=127.0.0.1:no-port");
    until::<C>("the file is wrong", || scene.told().last().unwrap().contains("no-port")).await;
    assert!(scene.told()[1].starts_with(&format!("failed: {}: ", path.display())), "{:?}", scene.told());
    fs::remove_file(&path).unwrap();
    assert_eq!(client.servers().len(), 2);
}

fn cluster(version: u64, servers: &[&Server]) -> Cluster {
    let line = |(number, server): (usize, &&Server)| {
        format!("memcached-{number}.example|{}|{}", server.addr().ip(), server.addr().port()).parse().unwrap()
    };
    Cluster { version, servers: servers.iter().enumerate().map(line).collect() }
}

/// The source that an endpoint at this address is.
fn endpoint(address: impl ToString) -> Source {
    format!("cluster+{}", address.to_string()).parse().unwrap()
}

async fn a_cluster_is_followed<C: Client>() {
    let (servers, scene) = (start(3), Scene::default());
    let asked = Server::builder().cluster(cluster(1, &[&servers[0], &servers[1]])).start().unwrap();
    let mut config = scene.config_of(endpoint(asked.addr()), |_| ());
    config.discovery.as_mut().unwrap().pace.naming = Naming::FirstServer;
    let client = C::discover(config).await.unwrap();
    let first = format!("memcached-0.example:{}", servers[0].addr().port());
    assert_eq!(client.servers()[0].spec.name(), first);
    for key in KEYS {
        client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    // The version goes back, as when a cluster is made anew behind the same name.
    let teller = C::connect([asked.addr()]).unwrap();
    teller
        .set(CLUSTER_KEY, cluster(0, &[&servers[0], &servers[1], &servers[2]]).to_string(), Ttl::NEVER)
        .await
        .unwrap();
    until::<C>("the third server is used", || client.servers().len() == 3).await;
    assert_eq!(client.servers()[0].spec.name(), first);
    assert!(client.version().await.iter().all(|answer| answer.result.is_ok()));
}

async fn a_server_of_the_cluster_is_asked_when_its_endpoint_is_away<C: Client>() {
    let (scene, third) = (Scene::default(), Server::start().unwrap());
    let servers: Vec<_> = (0..2).map(|_| Server::start().unwrap()).collect();
    let both = cluster(1, &[&servers[0], &servers[1]]);
    let asked = Server::builder().cluster(both).start().unwrap();
    let client = C::discover(scene.config_of(endpoint(asked.addr()), |_| ())).await.unwrap();
    // The servers know each other, as those of ElastiCache do, and the endpoint's name leads nowhere.
    let all = cluster(2, &[&servers[0], &servers[1], &third]).to_string();
    for server in &servers {
        C::connect([server.addr()]).unwrap().set(CLUSTER_KEY, &all, Ttl::NEVER).await.unwrap();
    }
    drop(asked);
    until::<C>("the third server is used", || client.servers().len() == 3).await;
    assert!(scene.told().iter().all(|told| !told.starts_with("failed")), "{:?}", scene.told());
}

async fn an_older_server_is_asked_for_the_key<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    let value = cluster(1, &[&servers[0]]).to_string();
    let asked = Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            peer.write(match &*line {
                "config get cluster" => "ERROR\r\n".to_owned(),
                _ => format!("VALUE {CLUSTER_KEY} 0 {}\r\n{value}\r\nEND\r\n", value.len()),
            });
        }
    });
    let client = C::discover(scene.config_of(endpoint(asked.name()), |_| ())).await.unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(servers[0].connections(), 1);
}

async fn a_server_that_knows_no_cluster_is_the_only_one_if_told_so<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    let source = endpoint(servers[0].addr());
    let error = C::discover(scene.config_of(source.clone(), |_| ())).await.unwrap_err();
    assert!(error.to_string().ends_with("the server does not know `config get cluster`"), "{error}");
    let Source::Cluster(cluster) = source else { panic!("no cluster") };
    let client = C::discover(scene.config_of(Source::Cluster(cluster.or_single()), |_| ())).await.unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(client.servers()[0].spec.name(), servers[0].addr().to_string());
}

async fn an_answer_that_is_none_keeps_the_servers<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    let good = format!("CONFIG cluster 0 0\r\n{}\r\nEND\r\n", cluster(1, &[&servers[0]])).into_bytes();
    let bad = [
        b"CONFIG cluster 0 9\r\n1\na||1".to_vec(),
        b"SERVER_ERROR out of memory\r\n".to_vec(),
        [b"CONFIG cluster 0 70000\r\n1\n", &b"a||1 ".repeat(14_000)[..], b"\n\r\nEND\r\n"].concat(),
        b"CONFIG cluster 0 4\r\n1\n\r\nEND\r\n".to_vec(),
    ];
    for bad in bad {
        let (said, good) = (bad.clone(), good.clone());
        let asked = Scripted::new(move |mut peer| {
            if peer.line().is_some() {
                let answer = if peer.number == 0 { &good } else { &said };
                peer.write(answer);
            }
        });
        let scene = Scene { told: Arc::default(), ..scene.clone() };
        let config =
            scene.config_of(endpoint(asked.name()), |pace| pace.timeout = Duration::from_millis(500));
        let client = C::discover(config).await.unwrap();
        until::<C>("the answer is none", || {
            scene.told().first().is_some_and(|told| told.starts_with("failed"))
        })
        .await;
        assert_eq!(client.servers().len(), 1, "{}", bad.escape_ascii());
    }
}

async fn a_client_needs_a_first_answer_or_a_list<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    let error = C::discover(scene.config(|_| ())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert_eq!(error.to_string(), "discover: servers not found out: out for lunch");
    let mut config = scene.config(|_| ());
    config.servers = vec![ServerSpec::new("s0", address(servers[0].addr()))];
    let client = C::discover(config).await.unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(scene.told(), ["failed: out for lunch"]);
}

async fn a_list_that_is_found_out_cannot_be_set<C: Client>() {
    let (servers, scene) = (start(1), Scene::default());
    scene.says(members(&servers));
    let error = C::from_config(scene.config(|_| ())).unwrap_err();
    assert!(error.to_string().contains("make the client by `Client::discover`"), "{error}");
    let error = C::discover(Config::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "discover"));
    let client = C::discover(scene.config(|_| ())).await.unwrap();
    let error = client.set_servers(["127.0.0.1:1"]).unwrap_err();
    assert_eq!((error.kind(), client.servers()[0].spec.name()), (ErrorKind::Config, "s0"));
    let listed = C::connect(["127.0.0.1:1"]).unwrap();
    assert!(listed.roster().is_none() && !listed.accept_change());
}
