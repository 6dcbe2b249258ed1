//! What is no key, and no time to live, never leaves.

use core::{error::Error as _, time::Duration};

use memring_std::{Batch, Error, ErrorKind, MetaGetOptions, MetaSetOptions, Ttl};
use memring_suite::Scripted;

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    bad_keys_write_nothing
    no_time_to_live_writes_nothing
    errors_show_no_byte_of_a_key_or_a_value
    errors_read_like_errors
    an_error_says_which_of_many_keys_it_is_about
    what_an_error_shows_is_not_shown_by_its_sources_again
}

/// Keys that are none, each with a part that no error may show.
fn bad_keys() -> Vec<Vec<u8>> {
    let mut keys = vec![Vec::new(), b"secret-".repeat(36)[..251].to_vec()];
    for byte in (0..=b' ').chain([0x7f]) {
        for at in [0, 3, 6] {
            let mut key = b"secret".to_vec();
            key.insert(at, byte);
            keys.push(key);
        }
    }
    keys
}

/// Every verb that takes a key.
async fn every_verb<C: Client>(client: &C, key: &[u8]) -> Vec<Result<(), Error>> {
    let (value, ttl) = ("hidden", Ttl::NEVER);
    vec![
        client.get(key).await.map(drop),
        client.gets(key).await.map(drop),
        client.gat(key, ttl).await.map(drop),
        client.gats(key, ttl).await.map(drop),
        client.get_into(key, Vec::new()).await.map(drop),
        client.set(key, value, ttl).await,
        client.add(key, value, ttl).await.map(drop),
        client.replace(key, value, ttl).await.map(drop),
        client.append(key, value).await.map(drop),
        client.prepend(key, value).await.map(drop),
        client.cas(key, value, ttl, 1).await.map(drop),
        client.delete(key).await.map(drop),
        client.touch(key, ttl).await.map(drop),
        client.incr(key, 1).await.map(drop),
        client.decr(key, 1).await.map(drop),
        client.get_many(&[&b"good"[..], key]).await.map(drop),
        client.set_many(&[(&b"good"[..], value), (key, value)], ttl).await.map(drop),
        client.delete_many(&[&b"good"[..], key]).await.map(drop),
    ]
}

async fn bad_keys_write_nothing<C: Client>() {
    let server = Scripted::silent();
    let client = C::of(&server, Duration::from_secs(9));
    for key in bad_keys() {
        for result in every_verb(&client, &key).await {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.server()), (ErrorKind::Key, None), "{}", key.escape_ascii());
        }
    }
    assert_eq!((server.connections(), server.received().len()), (0, 0));
}

async fn no_time_to_live_writes_nothing<C: Client>() {
    let server = Scripted::silent();
    let client = C::of(&server, Duration::from_secs(9));
    let (key, value, ttl) = ("k", "v", Duration::ZERO);
    let mut batch = Batch::new();
    batch.get("good");
    batch.touch(key, ttl);
    let meta = client.meta();
    let results = [
        client.set(key, value, ttl).await,
        client.add(key, value, ttl).await.map(drop),
        client.replace(key, value, ttl).await.map(drop),
        client.cas(key, value, ttl, 1).await.map(drop),
        client.touch(key, ttl).await.map(drop),
        client.gat(key, ttl).await.map(drop),
        client.gats(key, ttl).await.map(drop),
        client.set_many(&[(key, value)], ttl).await.map(drop),
        client.set_from(key, 1, &b"v"[..], ttl).await,
        client.run(batch).await.map(drop),
        meta.get(key, MetaGetOptions::new().vivify(ttl.into())).await.map(drop),
        meta.set(key, value, MetaSetOptions::new().ttl(Ttl::seconds(0))).await.map(drop),
    ];
    for result in results {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.server()), (ErrorKind::Ttl, None), "{error}");
        assert!(error.to_string().ends_with("time to live is zero"), "{error}");
    }
    assert_eq!((server.connections(), server.received().len()), (0, 0));
    let error = C::builder().servers(["a"]).stand_in_ttl(Ttl::seconds(0)).build().unwrap_err();
    assert_eq!(error.to_string(), "stand_in_ttl: time to live is zero");
}

async fn errors_show_no_byte_of_a_key_or_a_value<C: Client>() {
    let replies =
        ["VALUE secret 0 6\r\nhidden", "VALUE other 0 6\r\nhidden\r\nEND\r\n", "hidden", "secret\r\n"];
    let mut errors = Vec::new();
    for reply in replies {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(reply);
        });
        errors.extend(every_verb(&C::of(&server, Duration::from_millis(500)), b"secret").await);
    }
    for key in bad_keys() {
        errors.extend(every_verb(&C::connect(["localhost"]).unwrap(), &key).await);
    }
    let texts: Vec<_> =
        errors.into_iter().filter_map(Result::err).map(|error| format!("{error} {error:?}")).collect();
    assert!(texts.len() > 100);
    for text in texts {
        assert!(!text.contains("secret") && !text.contains("hidden"), "{text}");
    }
}

async fn errors_read_like_errors<C: Client>() {
    let error = C::connect(["127.0.0.1:1"]).unwrap().get("a b").await.unwrap_err();
    assert_eq!(error.to_string(), "get: key has a control character or a space at byte 1");
    let error = C::connect(["a:b"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "build: server 1: bad port in \"a:b\"; write a number from 1 to 65535 behind the colon"
    );
    let error = C::connect([""; 0]).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, "build: no servers".to_owned()));
    let error = C::builder().servers(["a"]).scheme_named("nonesuch", []).build().unwrap_err();
    assert!(error.to_string().starts_with("build: unknown scheme \"nonesuch\""), "{error}");
    let error = C::builder().servers(["a"]).scheme_named("libketama", [("nonesuch", "1")]).build();
    assert!(error.unwrap_err().to_string().starts_with("build: option \"nonesuch\": unknown option"));
}

async fn an_error_says_which_of_many_keys_it_is_about<C: Client>() {
    let client = C::connect(["127.0.0.1:1", "127.0.0.1:2"]).unwrap();
    let large = vec![0; 2 << 20];
    let mut batch = Batch::new();
    batch.get("a");
    batch.set("b", &large, Ttl::NEVER);
    let errors = [
        client.get_many(&["a", "two words"]).await.unwrap_err(),
        client.delete_many(&["a", ""]).await.unwrap_err(),
        client.set_many(&[("a", &b"1"[..]), ("b", &large)], Ttl::NEVER).await.unwrap_err(),
        client.run(batch).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.position() == Some(1)), "{errors:?}");
    let text = "get_many at position 1: key has a control character or a space at byte 3";
    assert_eq!(errors[0].to_string(), text);
    assert_eq!(client.get("").await.unwrap_err().position(), None);
}

async fn what_an_error_shows_is_not_shown_by_its_sources_again<C: Client>() {
    let client = C::connect(["127.0.0.1:1"]).unwrap();
    let refused = client.get("k").await.unwrap_err();
    assert!(refused.source().is_some_and(|error| error.to_string().contains("os error")), "{refused:?}");
    let errors = [client.get("").await.unwrap_err(), C::connect(["a:b"]).unwrap_err()];
    for error in errors.into_iter().chain(C::builder().scheme_named("nonesuch", []).build().err()) {
        assert!(error.source().is_none(), "{error}");
    }
}
