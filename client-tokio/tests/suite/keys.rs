//! What is no key does not reach the wire.

use core::time::Duration;

use memring_tokio::{Client, ErrorKind, Limits, Ttl};

use crate::support::Scripted;

fn bad_keys() -> Vec<Vec<u8>> {
    let mut keys = vec![Vec::new(), vec![b'k'; 251], vec![b'k'; 70_000]];
    for byte in (0..=0x20).chain([0x7f]) {
        keys.extend([vec![byte], vec![b'k', byte], vec![byte, b'k'], vec![b'k', byte, b'k']]);
    }
    keys
}

#[tokio::test]
async fn bad_keys_write_nothing() {
    let server = Scripted::silent();
    let client = server.client(Duration::from_secs(1));
    let prefixed = Client::builder()
        .servers([server.name()])
        .scheme_named("libmemcached-ketama-weighted", [("prefix", "a-prefix-of-20-bytes")])
        .build()
        .unwrap();
    for key in bad_keys() {
        for client in [&client, &prefixed] {
            assert_eq!(client.get(&key).await.unwrap_err().kind(), ErrorKind::Key);
            assert_eq!(client.set(&key, "v", Ttl::NEVER).await.unwrap_err().kind(), ErrorKind::Key);
        }
    }
    assert_eq!(prefixed.get([b'k'; 231]).await.unwrap_err().kind(), ErrorKind::Key);
    assert_eq!((server.connections(), server.received()), (0, String::new()));
}

#[tokio::test]
async fn a_value_over_the_limit_is_not_sent() {
    let server = Scripted::silent();
    let limits = Limits { value: 100, ..Limits::DEFAULT };
    let client = Client::builder().servers([server.name()]).limits(limits).build().unwrap();
    assert_eq!(client.set("k", [0; 101], Ttl::NEVER).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn errors_show_no_byte_of_a_key_or_a_value() {
    let server = Scripted::answering("SERVER_ERROR out of memory storing object\r\n");
    let client = server.client(Duration::from_secs(1));
    let errors = [
        client.get("secret key").await.unwrap_err(),
        client.get("secretkey").await.unwrap_err(),
        client.set("secretkey", "secretvalue", Ttl::NEVER).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
