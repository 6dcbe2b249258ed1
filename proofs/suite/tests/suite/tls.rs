//! Encrypted connections: to memcached, and to servers that are not who they should be or do not keep to the rules.

use core::time::Duration;
use std::{
    io::Write as _,
    sync::{Arc, mpsc},
    thread,
};

use memring_std::{
    ErrorKind, Limits, StatsKind, Tls, Ttl,
    rustls::{ClientConfig, crypto::ring::default_provider, version::TLS12},
};
use memring_suite::{Authority, File, Identity, Memcached, Scripted};

use crate::{
    client::{Builder, Client},
    run::{join_all, promises},
    support::ends_at,
};

promises! {
    one_connection_serves_all_that_there_is_to_ask
    values_of_any_length_are_stored_together
    who_is_not_trusted_is_refused
    a_server_may_want_to_know_the_client
    what_is_not_secure_says_what_to_do
    a_password_is_said_behind_the_handshake
    a_server_that_does_not_speak_tls_is_told_from_one_that_says_nothing
    new_keys_are_no_reason_to_leave_but_words_are
    a_connection_that_ended_is_replaced_where_that_can_do_no_harm
    what_comes_too_late_is_a_timeout
    a_server_that_stops_reading_costs_one_deadline
    what_cannot_be_encrypted_is_told_at_once
    a_certificate_of_the_client_is_read_at_once
}

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// Longer than a connection may be idle without being looked at.
const REST: Duration = Duration::from_millis(3);

/// For a client that trusts this authority alone.
fn trusting(authority: &Authority) -> Tls {
    Tls::with_roots(authority.pem()).unwrap()
}

fn builder<C: Client>(name: &str, tls: Tls) -> Builder<C> {
    C::builder().servers([name]).timeout(LONG).connect_timeout(LONG).tls(tls)
}

async fn connections<C: Client>(client: &C) -> String {
    let stats = client.stats(StatsKind::General).await.remove(0).result.unwrap();
    String::from_utf8(stats.value("total_connections").unwrap().to_vec()).unwrap()
}

async fn one_connection_serves_all_that_there_is_to_ask<C: Client>() {
    let authority = Authority::new();
    let memcached = authority.memcached("", &[]);
    let old = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    for tls in [trusting(&authority), Tls::with_config(old)] {
        for name in [memcached.name(), format!("localhost:{}", memcached.port())] {
            let client = builder::<C>(&name, tls.clone()).build().unwrap();
            client.set("k", "v", Ttl::NEVER).await.unwrap();
            let before = connections(&client).await;
            let long = "v".repeat(1_000_000);
            for _ in 0..10 {
                // Tickets that come behind the handshake must not look as if the server had spoken.
                C::sleep(REST).await;
                assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
                client.set("long", &long, Ttl::NEVER).await.unwrap();
                assert_eq!(client.get("long").await.unwrap().unwrap().value, long.as_bytes());
                let many = client.get_many(&["k", "long", "none"]).await.unwrap();
                assert_eq!((many.hits().count(), many.errors().len()), (2, 0));
            }
            assert_eq!(connections(&client).await, before);
            assert_eq!((client.servers()[0].connections, client.servers()[0].waiting), (1, 0));
            let tasks = (0..8).map(|number| {
                let client = client.clone();
                C::spawn(async move || {
                    let key = format!("key-{number}");
                    for value in 0..100 {
                        client.set(&key, value.to_string(), Ttl::NEVER).await.unwrap();
                        let item = client.get(&key).await.unwrap().unwrap();
                        assert_eq!(item.value, value.to_string().as_bytes());
                    }
                })
            });
            join_all(tasks.collect::<Vec<_>>()).await;
        }
    }
}

/// However they meet the bounds of records: memcached may forget what came in one with the end of a value.
async fn values_of_any_length_are_stored_together<C: Client>() {
    let authority = Authority::new();
    let memcached = authority.memcached("", &[]);
    let client = builder::<C>(&memcached.name(), trusting(&authority)).build().unwrap();
    let keys: Vec<_> = (0..100).map(|number| format!("key:{number}")).collect();
    for len in [0, 30, 1000, 3000, 5461, 10_000, 16_384, 20_000, 50_000] {
        let value = vec![b'v'; len];
        let items: Vec<_> = keys.iter().map(|key| (key, &value)).collect();
        client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
        let found = client.get_many(&keys).await.unwrap().all().unwrap();
        assert!(found.into_iter().all(|item| item.is_some_and(|item| item.value == value)), "{len}");
    }
}

async fn who_is_not_trusted_is_refused<C: Client>() {
    let (authority, other) = (Authority::new(), Authority::new());
    let memcached = authority.memcached("", &[]);
    let elsewhere = authority.memcached_called(&["elsewhere.example"], "", &[]);
    let hidden = trusting(&authority).server_name("elsewhere.example").unwrap();
    for (name, tls, trusted) in [
        (memcached.name(), trusting(&authority), true),
        (memcached.name(), trusting(&other), false),
        (memcached.name(), hidden.clone(), false),
        (elsewhere.name(), trusting(&authority), false),
        (format!("localhost:{}", elsewhere.port()), trusting(&authority), false),
        (elsewhere.name(), hidden, true),
    ] {
        let client = builder::<C>(&name, tls).build().unwrap();
        let result = client.set("k", "v", Ttl::NEVER).await;
        if trusted {
            result.unwrap();
            continue;
        }
        for error in [result.unwrap_err(), client.get("k").await.unwrap_err()] {
            assert_eq!((error.kind(), error.server()), (ErrorKind::Tls, Some(&*name)));
            assert!(!error.is_retryable() && !error.is_timeout() && !error.is_ambiguous());
            assert!(error.to_string().contains(": not secure: invalid peer certificate"), "{error}");
            assert!(core::error::Error::source(&error).is_some());
        }
        let many = client.get_many(&["k", "l"]).await.unwrap();
        assert_eq!(many.errors()[0].kind(), ErrorKind::Tls);
        assert_eq!(client.servers()[0].connections, 0);
    }
    let name = memcached.name();
    // Whom a system trusts is its own affair, but these it does not know.
    if let Ok(tls) = Tls::system() {
        let error = builder::<C>(&name, tls).build().unwrap().get("k").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
    }
}

async fn a_server_may_want_to_know_the_client<C: Client>() {
    let (authority, other) = (Authority::new(), Authority::new());
    let roots = File::new(authority.pem());
    let memcached = authority.memcached(&format!(",ssl_verify_mode=2,ssl_ca_cert={}", roots.path()), &[]);
    let showing = |identity: &Identity| {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(authority.roots())
            .with_client_auth_cert(identity.chain(), identity.key())
            .unwrap();
        Tls::with_config(config)
    };
    let known = showing(&authority.certify(&["client"]));
    let client = builder::<C>(&memcached.name(), known).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    for unknown in [trusting(&authority), showing(&other.certify(&["client"]))] {
        let client = builder::<C>(&memcached.name(), unknown).build().unwrap();
        for error in [client.get("k").await.unwrap_err(), client.set("k", "w", Ttl::NEVER).await.unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
            assert!(!error.is_retryable());
        }
    }
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
}

async fn what_is_not_secure_says_what_to_do<C: Client>() {
    let (authority, other) = (Authority::new(), Authority::new());
    let memcached = authority.memcached("", &[]);
    let newest = authority.memcached(",ssl_min_version=3", &[]);
    let roots = File::new(authority.pem());
    let curious = authority.memcached(&format!(",ssl_verify_mode=2,ssl_ca_cert={}", roots.path()), &[]);
    let elsewhere = authority.memcached_called(&["elsewhere.example"], "", &[]);
    let (issuer, plain) = (authority.memcached_as_itself(), Memcached::start());
    let showing = |authority: &Authority| {
        let (chain, key) = authority.certify(&["client"]).into_pem();
        trusting(authority).client_certificate(chain, key).unwrap()
    };
    let old = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    let foreign = {
        let (chain, key) = other.certify(&["client"]).into_pem();
        trusting(&authority).client_certificate(chain, key).unwrap()
    };
    for (server, tls, advice) in [
        (&memcached, trusting(&other), "trust who issued it"),
        (&elsewhere, trusting(&authority), "dial the server by a name that its certificate has"),
        (&issuer, trusting(&authority), "CA:FALSE"),
        (&plain, trusting(&authority), "does not speak TLS"),
        (&newest, Tls::with_config(old), "TLS 1.2 and 1.3"),
        (&curious, trusting(&authority), "give one, with its key"),
        (&curious, foreign, "does not accept the certificate of the client"),
    ] {
        let client = builder::<C>(&server.name(), tls).build().unwrap();
        let error = client.get("k").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
    let known = builder::<C>(&curious.name(), showing(&authority)).build().unwrap();
    known.set("k", "v", Ttl::NEVER).await.unwrap();
    // The other way round: nothing is encrypted, and the server wants it so.
    let alarmed = Scripted::answering([0x15, 3, 1, 0, 2, 2, 70]);
    let client = C::builder().servers([alarmed.name()]).timeout(LONG).build().unwrap();
    let error = client.get("k").await.unwrap_err();
    assert!(error.to_string().contains("speaks TLS here"), "{error}");
}

async fn a_certificate_of_the_client_is_read_at_once<C: Client>() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (chain, key) = authority.certify(&["client"]).into_pem();
    let (_, foreign) = other.certify(&["client"]).into_pem();
    for (chain, key, wrong) in [
        ("", &*key, "no certificate of the client"),
        (&*chain, "", "no private key"),
        (&chain, &chain, "no private key"),
        (&chain, &foreign, ""),
    ] {
        let error = trusting(&authority).client_certificate(chain, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(wrong) && !error.to_string().contains("BEGIN"), "{error}");
    }
}

async fn a_password_is_said_behind_the_handshake<C: Client>() {
    let authority = Authority::new();
    let file = File::new("alice:s3cret\n");
    let memcached = authority.memcached("", &["-Y", file.path()]);
    let builder = || builder::<C>(&memcached.name(), trusting(&authority));
    let client = builder().auth("alice", "s3cret").build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    for client in [builder().auth("alice", "wrong").build().unwrap(), builder().build().unwrap()] {
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Auth);
    }
    let shown = format!("{:?}", builder().auth("alice", "s3cret"));
    assert!(!shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
}

async fn a_server_that_does_not_speak_tls_is_told_from_one_that_says_nothing<C: Client>() {
    let tls = trusting(&Authority::new());
    let memcached = Memcached::start();
    let talkative = Scripted::new(|mut peer| {
        peer.write("220 welcome, this is another protocol\r\n");
        while peer.line().is_some() {}
    });
    for name in [memcached.name(), talkative.name()] {
        let error = builder::<C>(&name, tls.clone()).build().unwrap().get("k").await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Tls, false), "{error}");
    }
    let hanging_up = Scripted::new(drop);
    let error = builder::<C>(&hanging_up.name(), tls.clone()).build().unwrap().get("k").await.unwrap_err();
    assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Connect, false), "{error}");
    assert_eq!(hanging_up.connections(), 1);
    let dripping = Scripted::new(|mut peer| {
        // The head of a long record, of which little comes.
        peer.write([22, 3, 3, 60, 0, 2, 0, 50, 0, 3, 3]);
        loop {
            thread::sleep(Duration::from_millis(20));
            if peer.stream.write_all(&[0]).is_err() {
                return;
            }
        }
    });
    for server in [Scripted::silent(), dripping] {
        let slow = || builder::<C>(&server.name(), tls.clone());
        for client in [slow().connect_timeout(DEADLINE), slow().timeout(DEADLINE)] {
            let client = client.build().unwrap();
            let error = ends_at(DEADLINE, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect);
            assert!(error.is_timeout() && !error.is_ambiguous());
        }
    }
}

async fn new_keys_are_no_reason_to_leave_but_words_are<C: Client>() {
    let authority = Authority::new();
    let (tell, told) = mpsc::channel();
    let server = authority.scripted(move |mut peer, number| {
        while let Some(line) = peer.line() {
            peer.write("END\r\n");
            thread::sleep(REST);
            if line == "get keys\r\n" {
                peer.0.conn.refresh_traffic_keys().unwrap();
                peer.0.flush().unwrap();
            }
            if line == "get words\r\n" && number == 0 {
                peer.write("END\r\n");
            }
            let _ = tell.send(());
        }
    });
    let client = builder::<C>(&server.name(), trusting(&authority)).build().unwrap();
    for key in ["keys", "keys", "k", "words"] {
        assert!(client.get(key).await.unwrap().is_none());
        // Where there is a runtime, it stands still: what comes is there before it is noticed.
        told.recv().unwrap();
        thread::sleep(REST);
        assert_eq!(server.connections(), 1);
    }
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

async fn a_connection_that_ended_is_replaced_where_that_can_do_no_harm<C: Client>() {
    let authority = Authority::new();
    for says_goodbye in [true, false] {
        let hanging_up = || {
            // On the first connection, it answers one request, reads one more, and hangs up.
            authority.scripted(move |mut peer, number| {
                let mut lines = 0;
                while let Some(line) = peer.line() {
                    lines += 1;
                    if number == 0 && lines == 2 {
                        if says_goodbye {
                            peer.0.conn.send_close_notify();
                            let _ = peer.0.flush();
                        }
                        return;
                    }
                    if line.starts_with("set") {
                        peer.line();
                    }
                    peer.write(if line.starts_with("set") { "STORED\r\n" } else { "END\r\n" });
                }
            })
        };
        let server = hanging_up();
        let client = builder::<C>(&server.name(), trusting(&authority)).build().unwrap();
        assert!(client.get("k").await.unwrap().is_none());
        assert!(client.get("k").await.unwrap().is_none());
        assert_eq!(server.connections(), 2);
        let server = hanging_up();
        let client = builder::<C>(&server.name(), trusting(&authority)).build().unwrap();
        assert!(client.get("k").await.unwrap().is_none());
        let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
        assert_eq!((error.kind(), error.is_ambiguous()), (ErrorKind::Closed, true));
        assert_eq!(server.connections(), 1);
        client.set("k", "v", Ttl::NEVER).await.unwrap();
        assert_eq!(server.connections(), 2);
    }
}

async fn what_comes_too_late_is_a_timeout<C: Client>() {
    let authority = Authority::new();
    let server = authority.scripted(|mut peer, _| {
        while peer.line().is_some() {
            peer.0.conn.writer().write_all(b"VALUE k 0 3\r\nabc\r\nEND\r\n").unwrap();
            let mut record = Vec::new();
            peer.0.conn.write_tls(&mut record).unwrap();
            // Never the whole of it.
            for byte in &record[..record.len() - 1] {
                let _ = peer.0.sock.write_all(&[*byte]);
                thread::sleep(DEADLINE / 20);
            }
        }
    });
    let client = builder::<C>(&server.name(), trusting(&authority)).timeout(DEADLINE).build().unwrap();
    let error = ends_at(DEADLINE, client.get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(client.servers()[0].connections, 0);
}

async fn a_server_that_stops_reading_costs_one_deadline<C: Client>() {
    let authority = Authority::new();
    let (release, hold) = mpsc::channel::<()>();
    let hold = std::sync::Mutex::new(hold);
    let server = authority.scripted(move |mut peer, _| {
        peer.line();
        peer.write("END\r\n");
        peer.line();
        let _ = hold.lock().unwrap().recv();
    });
    let limits = Limits { value: 64 << 20, ..Limits::DEFAULT };
    let client =
        builder::<C>(&server.name(), trusting(&authority)).timeout(DEADLINE).limits(limits).build().unwrap();
    assert!(client.with_timeout(LONG).get("k").await.unwrap().is_none());
    let value = vec![b'v'; 32 << 20];
    let error = ends_at(DEADLINE, client.set("k", &value, Ttl::NEVER)).await.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous());
    drop(release);
}

async fn what_cannot_be_encrypted_is_told_at_once<C: Client>() {
    let tls = trusting(&Authority::new());
    let error = builder::<C>("/tmp/memcached.sock", tls.clone()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("Unix socket"), "{error}");
    let client = builder::<C>("localhost", tls.clone()).build().unwrap();
    assert_eq!(client.set_servers(["/tmp/memcached.sock"]).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(client.servers().len(), 1);
    assert_eq!(builder::<C>("no..name", tls.clone()).build().unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(tls.server_name("no name").unwrap_err().kind(), ErrorKind::Config);
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        assert_eq!(Tls::with_roots(pem).unwrap_err().kind(), ErrorKind::Config, "{pem}");
    }
}
