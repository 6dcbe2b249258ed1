//! One of several servers misbehaves while a batch runs: the others' results come all the same.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, mpsc},
    time::Instant,
};

use memring_std::{Batch, Error, ErrorKind, Many, Ttl, testing::Server};
use memring_suite::{BlackHole, Memcached, Scripted, refusing};
use memring_text::Item;

use crate::{
    client::Client,
    health::LONG,
    run::{join_all, promises, promises_on_threads},
    support::{ends_at, is_kept},
};

promises! {
    a_server_that_hangs_is_told_of_once_whatever_it_was_asked
    a_refusing_server_fails_alone
    get_many_with_lends_every_hit_once_and_names_misses_and_failures
    hanging_servers_cost_one_deadline_in_all
    a_server_that_takes_no_connection_leaves_time_for_the_others
    items_that_were_complete_are_hits_and_the_rest_are_errors
    what_was_answered_before_the_end_holds_and_the_rest_is_closed
    what_changes_nothing_is_not_ambiguous_beside_what_does
    a_wrong_key_in_a_batch_is_a_protocol_error
    a_refusal_of_one_key_is_that_keys_alone
    a_refused_batch_ends_where_the_server_is_out_of_step
    a_batch_over_stale_connections_is_sent_again
    a_batch_of_gets_that_meets_a_dying_connection_is_sent_again
    a_batch_of_deletes_of_which_a_byte_has_left_is_never_sent_again
    servers_we_are_connected_to_work_while_others_are_dialled
}

promises_on_threads! {
    killing_a_server_while_batches_run_hides_no_other_servers_values
}

const DEADLINE: Duration = Duration::from_secs(1);

/// A client of two good servers, which hold the values of their keys, and of `others`; and the keys.
async fn with_others<C: Client>(servers: &[Server], others: &[String]) -> (C, Vec<String>) {
    let good = servers.iter().map(|server| server.addr().to_string());
    let names: Vec<_> = others.iter().cloned().chain(good).collect();
    let client = C::builder().servers(&names).timeout(DEADLINE).build().unwrap();
    let keys: Vec<_> = (0..200).map(|number| format!("key:{number}")).collect();
    for key in keys.iter().filter(|key| !others.contains(&client.server_of(key).to_string())) {
        client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    (client, keys)
}

/// Holds each result against the server of its key: there, or the error of that server.
fn hold<C: Client>(
    client: &C,
    keys: &[String],
    found: &Many<Option<Item<C::Value>>>,
    others: &[String],
    kind: ErrorKind,
) {
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

async fn a_refusing_server_fails_alone<C: Client>() {
    let (servers, others) = (two(), [refusing()]);
    let (client, keys) = with_others::<C>(&servers, &others).await;
    hold(&client, &keys, &client.get_many(&keys).await.unwrap(), &others, ErrorKind::Connect);
}

async fn get_many_with_lends_every_hit_once_and_names_misses_and_failures<C: Client>() {
    let (servers, others) = (two(), [refusing()]);
    let (client, mut keys) = with_others::<C>(&servers, &others).await;
    let is_served = |key: &String| !others.contains(&client.server_of(key).to_string());
    // Some that are in no connection's buffer as a whole, one that is empty, one that is asked for twice.
    let served: Vec<_> = (0..).map(|number| format!("more:{number}")).filter(is_served).take(4).collect();
    for (key, len) in served.iter().zip([0, 20_000, 500_000]) {
        client.set(key, vec![b'v'; len], Ttl::NEVER).await.unwrap();
    }
    keys.extend([&served[0], &served[1], &served[2], &served[1], &served[3]].map(String::clone));
    let mut lens = vec![None; keys.len()];
    let found = client
        .get_many_with(&keys, |position, item| {
            assert_eq!(lens[position].replace(item.value.len()), None, "lent twice");
        })
        .await
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

async fn hanging_servers_cost_one_deadline_in_all<C: Client>() {
    let (servers, hanging) = (two(), [Scripted::silent(), Scripted::silent()]);
    let others = hanging.each_ref().map(Scripted::name);
    let (client, keys) = with_others::<C>(&servers, &others).await;
    let found = ends_at(DEADLINE, client.get_many(&keys)).await.unwrap();
    hold(&client, &keys, &found, &others, ErrorKind::Timeout);
    // Some of their connections were open before, these are new.
    let fresh = C::builder().servers(client.servers().into_iter().map(|server| server.spec));
    let fresh = fresh.timeout(DEADLINE).build().unwrap();
    let found = ends_at(DEADLINE, fresh.get_many(&keys)).await.unwrap();
    hold(&fresh, &keys, &found, &others, ErrorKind::Timeout);
}

async fn a_server_that_takes_no_connection_leaves_time_for_the_others<C: Client>() {
    let (servers, hole) = (two(), BlackHole::new());
    let others = [hole.name()];
    let (client, keys) = with_others::<C>(&servers, &others).await;
    let found = client.get_many(&keys).await.unwrap();
    hold(&client, &keys, &found, &others, ErrorKind::Connect);
    assert!(found.errors()[0].is_timeout());
    let fresh = C::builder().servers(client.servers().into_iter().map(|server| server.spec));
    let fresh = fresh.timeout(DEADLINE).build().unwrap();
    hold(&fresh, &keys, &fresh.get_many(&keys).await.unwrap(), &others, ErrorKind::Connect);
}

async fn items_that_were_complete_are_hits_and_the_rest_are_errors<C: Client>() {
    // Answers with the second and the third key asked for, and breaks off within the fifth.
    let server = Scripted::new(|mut peer| {
        let line = peer.line().unwrap_or_default();
        let keys: Vec<_> = line.split(' ').skip(1).collect();
        for key in &keys[1..3] {
            peer.write(format!("VALUE {key} 0 {}\r\n{key}\r\n", key.len()));
        }
        peer.write(format!("VALUE {} 0 5\r\nhe", keys[4]));
    });
    let client = C::of(&server, DEADLINE);
    let found = client.get_many(&["a", "b", "c", "d", "e", "f"]).await.unwrap();
    let kinds: Vec<_> = found
        .results()
        .iter()
        .map(|result| match result {
            Ok(None) => "miss".to_owned(),
            Ok(Some(item)) => String::from_utf8(item.value.to_vec()).unwrap(),
            Err(error) => format!("{:?}", error.kind()),
        })
        .collect();
    // What was passed over is not known to be missed before the end has come.
    assert_eq!(kinds, ["Closed", "b", "c", "Closed", "Closed", "Closed"]);
    assert_eq!(found.errors().len(), 1);
    assert!(found.all().is_err());
}

async fn what_was_answered_before_the_end_holds_and_the_rest_is_closed<C: Client>() {
    // On the first connection, it answers two of five and breaks off within the third.
    let server = Scripted::new(|mut peer| {
        while (0..5).all(|_| peer.line().is_some()) {
            if peer.number == 0 {
                return peer.write("DELETED\r\nNOT_FOUND\r\nDELE");
            }
            peer.write("NOT_FOUND\r\n".repeat(5));
        }
    });
    let client = C::of(&server, Duration::from_secs(9));
    let deleted = client.delete_many(&["a", "b", "c", "d", "e"]).await.unwrap();
    let (answered, rest) = deleted.results().split_at(2);
    assert!(matches!(answered, [Ok(true), Ok(false)]), "{answered:?}");
    for result in rest {
        let error = result.as_ref().unwrap_err();
        assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    }
    assert_eq!(deleted.errors().len(), 1);
    assert!(!is_kept(&client));
    assert!(client.delete_many(&["a", "b", "c", "d", "e"]).await.unwrap().all().is_ok());
    assert!(is_kept(&client) && server.connections() == 2);
}

async fn what_changes_nothing_is_not_ambiguous_beside_what_does<C: Client>() {
    let server = Scripted::new(|mut peer| drop(peer.line()));
    let client = C::of(&server, LONG);
    let mut batch = Batch::new();
    let (get, touch) = (batch.get("a"), batch.touch("b", Ttl::NEVER));
    let (count, delete) = (batch.incr("c", 1), batch.delete("d"));
    let mut outcomes = client.run(batch).await.unwrap();
    assert_eq!(outcomes.errors().len(), 2, "{:?}", outcomes.errors());
    let fates = [
        outcomes.take(get).map(drop),
        outcomes.take(touch).map(drop),
        outcomes.take(count).map(drop),
        outcomes.take(delete).map(drop),
    ]
    .map(|result| result.map_err(|error| (error.kind(), error.is_ambiguous(), error.is_retryable())));
    let (again, open) = (Err((ErrorKind::Closed, false, true)), Err((ErrorKind::Closed, true, false)));
    assert_eq!(fates, [again, again, open, open]);
}

async fn a_wrong_key_in_a_batch_is_a_protocol_error<C: Client>() {
    for reply in [
        "VALUE b 0 1\r\nb\r\nVALUE a 0 1\r\na\r\nEND\r\n",
        "VALUE a 0 1\r\na\r\nVALUE a 0 1\r\na\r\nEND\r\n",
        "VALUE x 0 1\r\nx\r\nEND\r\n",
        "VALUE a 0 1 5\r\na\r\nEND\r\n",
    ] {
        let server = Scripted::answering(reply);
        let client = C::of(&server, Duration::from_secs(9));
        let found = client.get_many(&["a", "b"]).await.unwrap();
        assert_eq!(found.errors()[0].kind(), ErrorKind::Protocol, "{reply:?}");
        for (position, item) in found.hits() {
            assert_eq!(item.value, ["a", "b"][position].as_bytes(), "{reply:?}");
        }
        assert!(!found.results().iter().any(|result| matches!(result, Ok(None))), "{reply:?}");
        C::until("the connection is closed", async || (client.servers()[0].connections == 0).then_some(()))
            .await;
    }
}

async fn a_refusal_of_one_key_is_that_keys_alone<C: Client>() {
    let server = Server::builder().item_size_max(2000).start().unwrap();
    let client = C::connect([server.addr().to_string()]).unwrap();
    let items = [("a", vec![b'1'; 10]), ("b", vec![b'2'; 3000]), ("c", vec![b'3'; 10])];
    let stored = client.set_many(&items, Ttl::NEVER).await.unwrap();
    let kinds: Vec<_> =
        stored.results().iter().map(|result| result.as_ref().err().map(|e| e.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::TooLarge), None]);
    assert_eq!(stored.errors().len(), 1);
    assert_eq!(client.get_many(&["a", "b", "c"]).await.unwrap().hits().count(), 2);
    assert_eq!(client.servers()[0].connections, 1, "the connection is as good as before");
}

async fn a_refused_batch_ends_where_the_server_is_out_of_step<C: Client>() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        // No answer to a delete: what comes behind it is anybody's.
        peer.write("CLIENT_ERROR bad data chunk\r\nDELETED\r\n");
        while peer.line().is_some() {}
    });
    let client = C::of(&server, DEADLINE);
    let deleted = client.delete_many(&["a", "b"]).await.unwrap();
    let kinds: Vec<_> = deleted.results().iter().map(|result| result.as_ref().unwrap_err().kind()).collect();
    assert_eq!(kinds, [ErrorKind::Client, ErrorKind::Protocol]);
    assert!(deleted.results()[1].as_ref().unwrap_err().is_ambiguous());
}

async fn a_batch_over_stale_connections_is_sent_again<C: Client>() {
    let mut servers = [Memcached::start(), Memcached::start()];
    let names = servers.each_ref().map(Memcached::name);
    let client = C::builder().servers(&names).timeout(Duration::from_secs(20)).build().unwrap();
    let keys: Vec<_> = (0..50).map(|number| format!("key:{number}")).collect();
    assert_eq!(client.get_many(&keys).await.unwrap().all().unwrap().len(), 50);
    for server in &mut servers {
        server.kill();
        *server = Memcached::start_on(server.port());
    }
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    assert_eq!(client.get_many(&keys).await.unwrap().hits().count(), 50);
}

async fn a_batch_of_gets_that_meets_a_dying_connection_is_sent_again<C: Client>() {
    let server = Scripted::hanging_up();
    let client = C::of(&server, Duration::from_secs(9));
    for _ in 0..2 {
        assert!(client.get_many(&["a", "b"]).await.unwrap().all().unwrap().iter().all(Option::is_none));
    }
    assert_eq!((server.connections(), server.received().matches("get a b").count()), (2, 3));
}

async fn a_batch_of_deletes_of_which_a_byte_has_left_is_never_sent_again<C: Client>() {
    let server = Scripted::hanging_up();
    let client = C::of(&server, Duration::from_secs(9));
    assert!(client.get("a").await.unwrap().is_none());
    let deleted = client.delete_many(&["a", "b"]).await.unwrap();
    assert!(deleted.results().iter().all(|result| result.as_ref().is_err_and(Error::is_ambiguous)));
    assert_eq!(server.received().matches("delete a").count(), 1);
    assert!(client.delete_many(&["a", "b"]).await.unwrap().all().is_ok());
}

async fn servers_we_are_connected_to_work_while_others_are_dialled<C: Client>() {
    let (hole, (heard, hear)) = (BlackHole::new(), mpsc::channel());
    let server = Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            heard.send(Instant::now()).unwrap();
            peer.write(if line == "version" { "VERSION 1\r\n" } else { "END\r\n" });
        }
    });
    let client = C::builder().servers([hole.name(), server.name()]).timeout(DEADLINE).build().unwrap();
    let key = (0..).map(|number| number.to_string()).find(|key| *client.server_of(key) == *server.name());
    assert!(client.get(key.unwrap()).await.unwrap().is_none());
    hear.recv().unwrap();
    let begin = Instant::now();
    let answers = client.version().await;
    assert!(answers[0].result.is_err() && answers[1].result.is_ok());
    assert!(hear.recv().unwrap() - begin < DEADLINE / 4);
}

async fn killing_a_server_while_batches_run_hides_no_other_servers_values<C: Client>() {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let client = C::builder().servers(&names).timeout(Duration::from_secs(10)).build().unwrap();
    let keys: Arc<[_]> = (0..400).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key.repeat(100))).collect();
    client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    let (dead, killed) = (names[1].clone(), Arc::new(AtomicBool::new(false)));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (client, keys, dead) = (client.clone(), Arc::clone(&keys), dead.clone());
        let killed = Arc::clone(&killed);
        tasks.push(C::spawn(async move || {
            loop {
                let is_last = killed.load(Ordering::SeqCst);
                let found = client.get_many(&keys).await.unwrap();
                for (key, result) in keys.iter().zip(found.results()) {
                    match result {
                        Ok(item) => {
                            assert!(item.as_ref().unwrap().value == key.repeat(100).as_bytes(), "{key}");
                        }
                        Err(error) => assert_eq!(error.server(), Some(&*dead), "{error}"),
                    }
                }
                if is_last {
                    assert!((1..=2).contains(&found.errors().len()), "{:?}", found.errors());
                    break;
                }
            }
        }));
    }
    C::sleep(Duration::from_millis(30)).await;
    servers[1].kill();
    killed.store(true, Ordering::SeqCst);
    let begin = Instant::now();
    join_all(tasks).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "nobody waits for a server that is gone");
}

/// What may have been done and what has not differ, and that is all.
async fn a_server_that_hangs_is_told_of_once_whatever_it_was_asked<C: Client>() {
    let server = Scripted::silent();
    let client = C::of(&server, Duration::from_millis(300));
    let mut batch = Batch::new();
    for number in 0..100 {
        batch.set(number.to_string(), "v", Ttl::NEVER);
        batch.get(number.to_string());
    }
    let outcomes = client.run(batch).await.unwrap();
    let errors = outcomes.errors();
    assert!((1..=2).contains(&errors.len()), "{}", errors.len());
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Timeout), "{errors:?}");
}
