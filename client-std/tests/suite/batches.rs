//! One of several servers misbehaves while a batch runs: the others' results come all the same.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{sync::mpsc, thread, time::Instant};

use memring_std::{Client, ErrorKind, Item, Many, Ttl, testing::Server};

use crate::support::{BlackHole, Memcached, Scripted, client_of, ends_at, is_kept, refusing, until};

const DEADLINE: Duration = Duration::from_secs(1);

/// A client of two good servers, which hold the values of their keys, and of `others`; and the keys.
fn with_others(servers: &[Server], others: &[String]) -> (Client, Vec<String>) {
    let good = servers.iter().map(|server| server.addr().to_string());
    let names: Vec<_> = others.iter().cloned().chain(good).collect();
    let client = Client::builder().servers(&names).timeout(DEADLINE).build().unwrap();
    let keys: Vec<_> = (0..200).map(|number| format!("key:{number}")).collect();
    for key in keys.iter().filter(|key| !others.contains(&client.server_of(key).to_string())) {
        client.set(key, key, Ttl::NEVER).unwrap();
    }
    (client, keys)
}

/// Holds each result against the server of its key: there, or the error of that server.
fn hold(client: &Client, keys: &[String], found: &Many<Option<Item>>, others: &[String], kind: ErrorKind) {
    assert_eq!(found.errors().len(), others.len());
    for (key, result) in keys.iter().zip(found.results()) {
        let server = client.server_of(key).to_string();
        match result {
            Ok(item) => {
                assert_eq!(item.as_ref().unwrap().value, key.as_bytes());
                assert!(!others.contains(&server));
            }
            Err(error) => {
                assert_eq!((error.kind(), error.server()), (kind, Some(&*server)), "{error}");
                assert!(others.contains(&server) && !error.is_ambiguous());
            }
        }
    }
}

fn two() -> [Server; 2] {
    [Server::start().unwrap(), Server::start().unwrap()]
}

#[test]
fn a_refusing_server_fails_alone() {
    let (servers, others) = (two(), [refusing()]);
    let (client, keys) = with_others(&servers, &others);
    hold(&client, &keys, &client.get_many(&keys).unwrap(), &others, ErrorKind::Connect);
}

#[test]
fn get_many_with_lends_every_hit_once_and_names_misses_and_failures() {
    let (servers, others) = (two(), [refusing()]);
    let (client, mut keys) = with_others(&servers, &others);
    let is_served = |key: &String| !others.contains(&client.server_of(key).to_string());
    // Some that are in no connection's buffer as a whole, one that is empty, one that is asked for twice.
    let served: Vec<_> = (0..).map(|number| format!("more:{number}")).filter(is_served).take(4).collect();
    for (key, len) in served.iter().zip([0, 20_000, 500_000]) {
        client.set(key, vec![b'v'; len], Ttl::NEVER).unwrap();
    }
    keys.extend([&served[0], &served[1], &served[2], &served[1], &served[3]].map(String::clone));
    let mut lens = vec![None; keys.len()];
    let found = client
        .get_many_with(&keys, |position, item| {
            assert_eq!(lens[position].replace(item.value.len()), None, "lent twice");
            // Another operation may go on meanwhile.
            assert!(client.get(&served[0]).unwrap().is_some());
        })
        .unwrap();
    assert_eq!(found.errors().len(), 1);
    for ((key, result), len) in keys.iter().zip(found.results()).zip(&lens) {
        match result {
            Ok(hit) => assert_eq!((*hit, is_served(key)), (len.is_some(), true)),
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.operation(), *len),
                    (ErrorKind::Connect, "get_many_with", None)
                );
            }
        }
    }
    assert_eq!(lens[keys.len() - 5..], [Some(0), Some(20_000), Some(500_000), Some(20_000), None]);
}

#[test]
fn hanging_servers_cost_one_deadline_in_all() {
    let (servers, hanging) = (two(), [Scripted::silent(), Scripted::silent()]);
    let others = hanging.each_ref().map(Scripted::name);
    let (client, keys) = with_others(&servers, &others);
    let found = ends_at(DEADLINE, || client.get_many(&keys).unwrap());
    hold(&client, &keys, &found, &others, ErrorKind::Timeout);
    // Some of their connections were open before, these are new.
    let fresh = Client::builder().servers(client.servers().into_iter().map(|server| server.spec));
    let fresh = fresh.timeout(DEADLINE).build().unwrap();
    let found = ends_at(DEADLINE, || fresh.get_many(&keys).unwrap());
    hold(&fresh, &keys, &found, &others, ErrorKind::Timeout);
}

#[test]
fn a_server_that_takes_no_connection_leaves_time_for_the_others() {
    let (servers, hole) = (two(), BlackHole::new());
    let others = [hole.name()];
    let (client, keys) = with_others(&servers, &others);
    let found = client.get_many(&keys).unwrap();
    hold(&client, &keys, &found, &others, ErrorKind::Connect);
    assert!(found.errors()[0].is_timeout());
    let fresh = Client::builder().servers(client.servers().into_iter().map(|server| server.spec));
    let fresh = fresh.timeout(DEADLINE).build().unwrap();
    hold(&fresh, &keys, &fresh.get_many(&keys).unwrap(), &others, ErrorKind::Connect);
}

#[test]
fn a_server_whose_connections_are_all_in_use_leaves_time_for_the_others() {
    let (servers, hanging) = (two(), Scripted::silent());
    let others = [hanging.name()];
    let (client, keys) = with_others(&servers, &others);
    let names: Vec<_> = client.servers().into_iter().map(|server| server.spec).collect();
    let client = Client::builder().servers(names).pool_size(1).timeout(DEADLINE).build().unwrap();
    let hangs = keys.iter().find(|key| *client.server_of(key) == *others[0]).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| client.with_timeout(DEADLINE * 4).get(hangs).unwrap_err());
        until("the connection is in use", || (client.servers()[0].waiting == 1).then_some(()));
        hold(&client, &keys, &client.get_many(&keys).unwrap(), &others, ErrorKind::Timeout);
    });
}

#[test]
fn items_that_were_complete_are_hits_and_the_rest_are_errors() {
    // Answers with the second and the third key asked for, and breaks off within the fifth.
    let server = Scripted::new(|mut peer| {
        let line = peer.line().unwrap_or_default();
        let keys: Vec<_> = line.split(' ').skip(1).collect();
        for key in &keys[1..3] {
            peer.write(format!("VALUE {key} 0 {}\r\n{key}\r\n", key.len()));
        }
        peer.write(format!("VALUE {} 0 5\r\nhe", keys[4]));
    });
    let client = client_of(&server, DEADLINE);
    let found = client.get_many(&["a", "b", "c", "d", "e", "f"]).unwrap();
    let kinds: Vec<_> = found
        .results()
        .iter()
        .map(|result| match result {
            Ok(None) => "miss".to_owned(),
            Ok(Some(item)) => String::from_utf8(item.value.clone()).unwrap(),
            Err(error) => format!("{:?}", error.kind()),
        })
        .collect();
    // What was passed over is not known to be missed before the end has come.
    assert_eq!(kinds, ["Closed", "b", "c", "Closed", "Closed", "Closed"]);
    assert_eq!(found.errors().len(), 1);
    assert!(found.all().is_err());
}

#[test]
fn what_was_answered_before_the_end_holds_and_the_rest_is_closed() {
    // On the first connection, it answers two of five and breaks off within the third.
    let server = Scripted::new(|mut peer| {
        while (0..5).all(|_| peer.line().is_some()) {
            if peer.number == 0 {
                return peer.write("DELETED\r\nNOT_FOUND\r\nDELE");
            }
            peer.write("NOT_FOUND\r\n".repeat(5));
        }
    });
    let client = client_of(&server, Duration::from_secs(9));
    let deleted = client.delete_many(&["a", "b", "c", "d", "e"]).unwrap();
    let (answered, rest) = deleted.results().split_at(2);
    assert!(matches!(answered, [Ok(true), Ok(false)]), "{answered:?}");
    for result in rest {
        let error = result.as_ref().unwrap_err();
        assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    }
    assert_eq!(deleted.errors().len(), 1);
    assert!(!is_kept(&client));
    assert!(client.delete_many(&["a", "b", "c", "d", "e"]).unwrap().all().is_ok());
    assert!(is_kept(&client) && server.connections() == 2);
}

#[test]
fn a_wrong_key_in_a_batch_is_a_protocol_error() {
    for reply in [
        "VALUE b 0 1\r\nb\r\nVALUE a 0 1\r\na\r\nEND\r\n",
        "VALUE a 0 1\r\na\r\nVALUE a 0 1\r\na\r\nEND\r\n",
        "VALUE x 0 1\r\nx\r\nEND\r\n",
        "VALUE a 0 1 5\r\na\r\nEND\r\n",
    ] {
        let server = Scripted::answering(reply);
        let client = client_of(&server, Duration::from_secs(9));
        let found = client.get_many(&["a", "b"]).unwrap();
        assert_eq!(found.errors()[0].kind(), ErrorKind::Protocol, "{reply:?}");
        for (position, item) in found.hits() {
            assert_eq!(item.value, ["a", "b"][position].as_bytes(), "{reply:?}");
        }
        assert!(!found.results().iter().any(|result| matches!(result, Ok(None))), "{reply:?}");
        assert_eq!(client.servers()[0].idle, 0);
    }
}

#[test]
fn a_refusal_of_one_key_is_that_keys_alone() {
    let server = Server::builder().item_size_max(2000).start().unwrap();
    let client = Client::connect([server.addr().to_string()]).unwrap();
    let items = [("a", vec![b'1'; 10]), ("b", vec![b'2'; 3000]), ("c", vec![b'3'; 10])];
    let stored = client.set_many(&items, Ttl::NEVER).unwrap();
    let kinds: Vec<_> =
        stored.results().iter().map(|result| result.as_ref().err().map(|e| e.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::TooLarge), None]);
    assert_eq!(stored.errors().len(), 1);
    assert_eq!(client.get_many(&["a", "b", "c"]).unwrap().hits().count(), 2);
    assert_eq!(client.servers()[0].idle, 1, "the connection is as good as before");
}

#[test]
fn a_refused_batch_ends_where_the_server_is_out_of_step() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        // No answer to a delete: what comes behind it is anybody's.
        peer.write("CLIENT_ERROR bad data chunk\r\nDELETED\r\n");
        while peer.line().is_some() {}
    });
    let client = client_of(&server, DEADLINE);
    let deleted = client.delete_many(&["a", "b"]).unwrap();
    let kinds: Vec<_> = deleted.results().iter().map(|result| result.as_ref().unwrap_err().kind()).collect();
    assert_eq!(kinds, [ErrorKind::Client, ErrorKind::Protocol]);
    assert!(deleted.results()[1].as_ref().unwrap_err().is_ambiguous());
}

#[test]
fn a_batch_over_stale_connections_is_sent_again() {
    let mut servers = [Memcached::start(), Memcached::start()];
    let names = servers.each_ref().map(Memcached::name);
    let client = Client::builder().servers(&names).timeout(Duration::from_secs(20)).build().unwrap();
    let keys: Vec<_> = (0..50).map(|number| format!("key:{number}")).collect();
    assert_eq!(client.get_many(&keys).unwrap().all().unwrap().len(), 50);
    for server in &mut servers {
        server.kill();
        *server = Memcached::start_on(server.port());
    }
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
    assert_eq!(client.get_many(&keys).unwrap().hits().count(), 50);
}

#[test]
fn a_batch_of_gets_that_meets_a_dying_connection_is_sent_again() {
    let server = Scripted::hanging_up();
    let client = client_of(&server, Duration::from_secs(9));
    for _ in 0..2 {
        assert!(client.get_many(&["a", "b"]).unwrap().all().unwrap().iter().all(Option::is_none));
    }
    assert_eq!((server.connections(), server.received().matches("get a b").count()), (2, 3));
}

#[test]
fn a_batch_of_deletes_of_which_a_byte_has_left_is_never_sent_again() {
    let server = Scripted::hanging_up();
    let client = client_of(&server, Duration::from_secs(9));
    assert!(client.get("a").unwrap().is_none());
    let deleted = client.delete_many(&["a", "b"]).unwrap();
    assert!(
        deleted.results().iter().all(|result| result.as_ref().is_err_and(memring_std::Error::is_ambiguous))
    );
    assert_eq!(server.received().matches("delete a").count(), 1);
    assert!(client.delete_many(&["a", "b"]).unwrap().all().is_ok());
}

#[test]
fn servers_we_are_connected_to_work_while_others_are_dialled() {
    let (hole, (heard, hear)) = (BlackHole::new(), mpsc::channel());
    let server = Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            heard.send(Instant::now()).unwrap();
            peer.write(if line == "version" { "VERSION 1\r\n" } else { "END\r\n" });
        }
    });
    let client = Client::builder().servers([hole.name(), server.name()]).timeout(DEADLINE).build().unwrap();
    let key = (0..).map(|number| number.to_string()).find(|key| *client.server_of(key) == *server.name());
    assert!(client.get(key.unwrap()).unwrap().is_none());
    hear.recv().unwrap();
    let begin = Instant::now();
    let answers = client.version();
    assert!(answers[0].result.is_err() && answers[1].result.is_ok());
    assert!(hear.recv().unwrap() - begin < DEADLINE / 4);
}

#[test]
fn killing_a_server_while_batches_run_hides_no_other_servers_values() {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let client = Client::builder().servers(&names).timeout(Duration::from_secs(10)).build().unwrap();
    let keys: Vec<_> = (0..400).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key.repeat(100))).collect();
    client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
    let (dead, killed) = (names[1].clone(), AtomicBool::new(false));
    thread::scope(|scope| {
        let batches: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let is_last = killed.load(Ordering::SeqCst);
                        let found = client.get_many(&keys).unwrap();
                        for ((key, value), result) in items.iter().zip(found.results()) {
                            match result {
                                Ok(item) => {
                                    assert!(item.as_ref().unwrap().value == value.as_bytes(), "{key}");
                                }
                                Err(error) => assert_eq!(error.server(), Some(&*dead), "{error}"),
                            }
                        }
                        if is_last {
                            assert_eq!(found.errors().len(), 1);
                            break;
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(30));
        servers[1].kill();
        killed.store(true, Ordering::SeqCst);
        for batch in batches {
            batch.join().unwrap();
        }
    });
}
