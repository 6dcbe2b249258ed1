//! A server that was left alone is tried by one caller, and whatever becomes of that, by another one next.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::Arc;

use memring_std::{Batch, ErrorKind, HealthPolicy, Limits, MetaSetOptions, Ttl};
use memring_suite::Scripted;

use crate::{
    client::{Client, Meta as _},
    health::{DEADLINE, LONG, builder},
    run::{join_all, promises},
};

promises! {
    a_server_is_tried_by_one_caller_at_a_time
    what_is_refused_here_is_no_trial
}

async fn a_server_is_tried_by_one_caller_at_a_time<C: Client>() {
    let (asked, is_good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let server = Scripted::new({
        let (asked, is_good) = (Arc::clone(&asked), Arc::clone(&is_good));
        move |mut peer| {
            while peer.line().is_some() {
                asked.fetch_add(1, Ordering::SeqCst);
                if is_good.load(Ordering::SeqCst) {
                    peer.write("END\r\n");
                }
            }
        }
    });
    let wait = Duration::from_millis(1);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: LONG, ..HealthPolicy::DEFAULT };
    let client = builder::<C>(&[server.name()]).health_policy(policy).timeout(DEADLINE).build().unwrap();
    client.get("k").await.unwrap_err();
    let before = asked.load(Ordering::SeqCst);
    C::sleep(10 * wait).await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let client = client.clone();
        tasks.push(C::spawn(async move || drop(client.get("k").await.unwrap_err())));
    }
    join_all(tasks).await;
    assert!(asked.load(Ordering::SeqCst) <= before + 1, "one probe for all");
    is_good.store(true, Ordering::SeqCst);
    C::until("it is back", async || client.get("k").await.ok()).await;
    client.get("k").await.unwrap();
}

async fn what_is_refused_here_is_no_trial<C: Client>() {
    // A server that hangs up, until it is good.
    let is_good = Arc::new(AtomicBool::new(false));
    let server = Scripted::new({
        let is_good = Arc::clone(&is_good);
        move |mut peer| {
            while peer.line().is_some() && is_good.load(Ordering::SeqCst) {
                peer.write("END\r\n");
            }
        }
    });
    let (value, wait) = (vec![b'v'; Limits::DEFAULT.value + 1], Duration::from_millis(1));
    // Who waits for a trial that nobody makes waits for long.
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: LONG, ..HealthPolicy::DEFAULT };
    for refusal in 0..8 {
        is_good.store(false, Ordering::SeqCst);
        let client = builder::<C>(&[server.name()]).health_policy(policy).timeout(LONG).build().unwrap();
        client.get("k").await.unwrap_err();
        is_good.store(true, Ordering::SeqCst);
        C::sleep(10 * wait).await;
        let mut batch = Batch::new();
        batch.get("k");
        batch.set(if refusal == 0 { "no key" } else { "k" }, &value, Ttl::NEVER);
        let refused = match refusal {
            0 | 1 => client.run(batch).await.map(drop),
            2 => client.set_many(&[("k", &value)], Ttl::NEVER).await.map(drop),
            3 => client.get_many(&["k", "no key"]).await.map(drop),
            4 => client.set("k", &value, Ttl::NEVER).await,
            5 => client.get("no key").await.map(drop),
            6 => client.set_from("k", value.len(), &value[..], Ttl::NEVER).await,
            _ => client.meta().set("k", &value, MetaSetOptions::new()).await.map(drop),
        };
        let kind = refused.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Key | ErrorKind::TooLarge), "{refusal}: {kind:?}");
        assert!(client.get("k").await.unwrap().is_none(), "{refusal}: the trial is the next one's");
    }
}
