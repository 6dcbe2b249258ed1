//! A process that has no file descriptor left.

use std::fs::File;

use memring_std::{ErrorKind, Ttl, testing::Server};
use memring_suite::alone;

use crate::{client::Client, run::promises, support::named};

promises! {
    #[ignore = "takes all descriptors of its process: the test above runs it in one of its own"] with_few_descriptors
    without_a_descriptor_there_is_a_connect_error_until_there_is_one
}

async fn without_a_descriptor_there_is_a_connect_error_until_there_is_one<C: Client>() {
    alone("ulimit -n 64", &named::<C>("descriptors", "with_few_descriptors"));
}

async fn with_few_descriptors<C: Client>() {
    let server = Server::start().unwrap();
    let client = C::builder().servers([server.addr().to_string()]).health_policy(None).build().unwrap();
    let taken: Vec<_> = (0..).map_while(|_| File::open("/dev/null").ok()).collect();
    assert!(taken.len() < 64, "the limit is lowered by who runs this");
    for _ in 0..10 {
        let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Connect && !error.is_ambiguous(), "{error:?}");
        // What that is in words is up to the system.
        assert!(error.to_string().ends_with("(os error 24)"), "{error}");
    }
    assert_eq!(server.connections(), 0);
    drop(taken);
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
}
