//! Items that are larger than the client takes, which another client has stored; and replies that break off.

use core::time::Duration;
use std::thread;

use memring_std::{Error, ErrorKind, Limits, MetaGetOptions, Ttl};
use memring_suite::{Memcached, Scripted, replies::BREAKS};

use crate::{
    client::{Client, Meta as _},
    run::promises,
    support::ends_at,
};

promises! {
    an_item_beyond_our_limit_costs_nobody_else_anything
    a_value_to_be_skipped_must_come_in_time
    a_value_to_be_skipped_must_end_as_values_do
    an_item_of_many_counts_when_what_follows_is_right
}

const LONG: Duration = Duration::from_secs(20);
const LARGE: usize = 3 << 20;

fn is_too_large(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.server().is_some() && !error.is_outage() && !error.is_retryable());
    let said = "value of 3145728 bytes is skipped, the client's limit is 1048576";
    assert!(error.to_string().ends_with(said), "{error}");
}

async fn an_item_beyond_our_limit_costs_nobody_else_anything<C: Client>() {
    let server = Memcached::start_with(&["-I", "8m"]);
    let limits = Limits { value: 8 << 20, ..Limits::DEFAULT };
    let builder = C::builder().servers([server.name()]).timeout(LONG);
    let other = builder.clone().limits(limits).build().unwrap();
    other.set("large", vec![b'v'; LARGE], Ttl::NEVER).await.unwrap();
    other.set("a", "1", Ttl::NEVER).await.unwrap();
    other.set("b", "2", Ttl::NEVER).await.unwrap();
    let client = builder.build().unwrap();
    for _ in 0..5 {
        is_too_large(&client.get("large").await.unwrap_err());
        is_too_large(&client.gets("large").await.unwrap_err());
        is_too_large(&client.gat("large", Ttl::NEVER).await.unwrap_err());
        is_too_large(&client.get_into("large", Vec::new()).await.unwrap_err());
        is_too_large(&client.meta().get("large", MetaGetOptions::default().value()).await.unwrap_err());
        let keys = ["a", "large", "none", "b"];
        let found = client.get_many(&keys).await.unwrap().into_results();
        let values =
            found.iter().map(|item| item.as_ref().map(|item| item.as_ref().map(|item| &*item.value)));
        let values: Vec<_> = values.collect();
        assert_eq!(values[0].as_ref().unwrap(), &Some(&b"1"[..]));
        is_too_large(values[1].as_ref().unwrap_err());
        assert_eq!(values[2].as_ref().unwrap(), &None);
        assert_eq!(values[3].as_ref().unwrap(), &Some(&b"2"[..]));
        let mut shown = Vec::new();
        let found = client
            .get_many_with(&["large", "b"], |at, item| shown.push((at, item.value.len())))
            .await
            .unwrap();
        is_too_large(&found.errors()[0]);
        assert_eq!(shown, [(1, 1)]);
        assert_eq!(client.get("a").await.unwrap().unwrap().value, b"1"[..]);
    }
    let status = &client.servers()[0];
    assert!(!status.health.is_down());
    assert_eq!((status.counts.connected, status.counts.disconnected), (1, 0));
    is_too_large(&client.get_to("large", &mut Vec::new()).await.unwrap_err());
    assert_eq!(other.get("large").await.unwrap().unwrap().value.len(), LARGE, "it is there still");
}

async fn a_value_to_be_skipped_must_come_in_time<C: Client>() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("VALUE k 0 3145728\r\nvvv");
        peer.line();
    });
    let (wait, client) = (Duration::from_millis(300), C::of(&server, Duration::from_millis(300)));
    let error = ends_at(wait, async { client.get("k").await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

async fn a_value_to_be_skipped_must_end_as_values_do<C: Client>() {
    let reply = [b"VALUE k 0 3145728\r\n", &vec![b'v'; LARGE + 1][..], b"\r\nEND\r\n"].concat();
    let client = C::of(&Scripted::answering(reply), LONG);
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Protocol);
}

async fn an_item_of_many_counts_when_what_follows_is_right<C: Client>() {
    for (end, right) in BREAKS {
        for in_pieces in [false, true] {
            let server = Scripted::new(move |mut peer| {
                peer.line();
                let items = "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\n";
                if in_pieces {
                    for byte in items.bytes().chain(end.bytes()) {
                        peer.write([byte]);
                        thread::sleep(Duration::from_micros(300));
                    }
                } else {
                    peer.write([items, end].concat());
                }
            });
            let found = C::of(&server, LONG).get_many(&["a", "b", "c"]).await.unwrap();
            let results = found.into_results();
            let is_right = results.iter().map(Result::is_ok);
            assert_eq!(is_right.collect::<Vec<_>>(), [0, 1, 2].map(|at| at < right), "{end:?} {in_pieces}");
            assert_eq!(server.connections(), 1, "{end:?}");
        }
    }
}
