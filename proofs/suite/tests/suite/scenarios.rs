//! The nasty scenarios of `fetch`, and which test covers each. Those of this file are covered by nothing else.
//!
//! | scenario | test |
//! |---|---|
//! | 10,000 callers in two processes, one missing key | `ten_thousand_callers_of_two_clients_load_once` |
//! | the winner is killed while it loads a missing key | `a_process_that_dies_while_it_loads_holds_up_the_others_for_a_lease` |
//! | the same while it loads a key anew | `while_processes_are_killed` |
//! | the answer that won is lost | `while_loaders_fail_callers_go_and_answers_are_lost` |
//! | a loader takes longer than its lease | `in_calm_weather` |
//! | deleted while loading | `what_was_read_before_a_change_is_not_stored` |
//! | deleted, won again, and the first loader ends last | `while_loaders_fail_callers_go_and_answers_are_lost` |
//! | invalidated while a missing key is loaded | `what_is_invalidated_is_served_until_it_is_replaced` |
//! | invalidated again and again, while loaders fail | `repeating_an_invalidation_prolongs_nothing` |
//! | invalidated, loaded, and invalidated before that is stored | `what_is_invalidated_is_served_until_it_is_replaced` |
//! | a monitor reads stale keys, and so wins them | `a_win_that_a_monitor_takes_is_taken_over` |
//! | another client reads a placeholder | `what_was_put_is_fresh_and_what_is_loading_is_a_miss` |
//! | another client appends to a placeholder | `what_others_append_to_a_placeholder_is_not_written_over` |
//! | another client touches a placeholder | `a_placeholder_is_never_a_value` |
//! | another client stores an empty value | `an_empty_value_of_others_is_loaded_anew_or_handed_out` |
//! | a value that never ends is invalidated | `a_value_that_never_ends_can_be_outdated` |
//! | a lease of one second | `repeating_an_invalidation_prolongs_nothing` |
//! | nothing stale, nothing early | `who_wins_an_item_that_soon_ends_loads_only_while_it_is_the_same` |
//! | a leader is dropped, with many that wait | `those_that_joined_a_dropped_future_lead_one_after_the_other` |
//! | a loader fails, with many that wait | `whoever_waits_has_the_error_of_a_loader_that_fails` |
//! | a loader panics, with many that wait | `after_a_panic_the_next_one_loads_at_once` |
//! | a loader fetches its own key | `a_loader_that_fetches_its_own_key_ends` |
//! | no server | `without_a_server_each_call_loads_and_none_fails` |
//! | a server dies between win and store | `while_servers_restart_fail_and_change` |
//! | a stand-in answers | `a_stand_in_is_not_asked_for_each_call` |
//! | the key moves to another server while it is loaded | `while_servers_restart_fail_and_change` |
//! | everything is flushed, or evicted | `while_loaders_fail_callers_go_and_answers_are_lost` |
//! | a server restarts, and its cas numbers begin anew | `a_server_that_has_restarted_gives_the_same_number_to_another_lease` |
//! | servers whose `md` knows no cas | `what_is_discarded_has_expired_already` |
//! | half of the fleet has the classic verbs only | `in_a_fleet_of_both_dialects` |
//! | `update` on a placeholder | `an_update_and_a_loader_agree` |
//! | `incr_or` on a key that is being loaded | `a_counter_and_a_value_are_told_apart` |
//! | a value that is too large | `a_value_that_is_too_large_is_handed_out_and_not_stored` |
//! | the wall clock is set back | none: but for the time to live that is sent, nothing reads it |
//! | a time to live of one second | `a_value_of_one_second_is_there` |

use core::time::Duration;
use std::{fs, path::Path, time::Instant};

use memring_std::{Freshness, MetaGetOptions, Ttl};

use crate::{
    client::{Client, Meta as _},
    support::{Fleet, fleet_promises},
};

fleet_promises! {
    a_win_that_a_monitor_takes_is_taken_over
    what_others_append_to_a_placeholder_is_not_written_over
    an_empty_value_of_others_is_loaded_anew_or_handed_out
    a_value_that_never_ends_can_be_outdated
    a_loader_that_fetches_its_own_key_ends
    a_value_that_is_too_large_is_handed_out_and_not_stored
    a_value_of_one_second_is_there
}

const MINUTE: Ttl = Ttl::seconds(60);

async fn made() -> Result<String, String> {
    Ok("made".to_owned())
}

async fn never() -> Result<String, String> {
    panic!("there is a value")
}

async fn a_win_that_a_monitor_takes_is_taken_over<C: Client>(fleet: &Fleet<C>) {
    let (client, begin) = (&fleet.client, Instant::now());
    let brief = Freshness::new(MINUTE).lease(Duration::from_secs(1));
    client.put("k", "old", &brief).await.unwrap();
    client.invalidate("k", &brief).await.unwrap();
    let seen = client.meta().get("k", MetaGetOptions::new().value()).await.unwrap().unwrap();
    assert!(seen.info.win && seen.info.stale, "{seen:?}");
    assert_eq!(client.fetch("k", brief, never()).await.unwrap(), "old");
    while client.fetch("k", brief, made()).await.unwrap() == "old" {
        assert!(begin.elapsed() < Duration::from_secs(10), "it is never taken over");
        C::sleep(Duration::from_millis(100)).await;
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "a lease is not over before its time");
    assert_eq!(client.fetch("k", brief, never()).await.unwrap(), "made");
}

async fn what_others_append_to_a_placeholder_is_not_written_over<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let load = async {
        assert!(client.append("k", "piece").await.unwrap());
        made().await
    };
    assert_eq!(client.fetch("k", MINUTE, load).await.unwrap(), "made");
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"piece"[..]);
    // It ends with the placeholder, so it is in its grace already.
    assert_eq!(client.fetch("k", MINUTE, made()).await.unwrap(), "made");
    assert_eq!(client.fetch("k", MINUTE, never()).await.unwrap(), "made");
}

async fn an_empty_value_of_others_is_loaded_anew_or_handed_out<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    // Beside the mark of a lease, it looks like a placeholder.
    client.set("k", "", MINUTE).await.unwrap();
    assert_eq!(client.fetch("k", MINUTE, made()).await.unwrap(), "made");
    assert_eq!(client.fetch("k", MINUTE, never()).await.unwrap(), "made");
    client.set("l", "", Ttl::NEVER).await.unwrap();
    assert_eq!(client.fetch("l", MINUTE, never()).await.unwrap(), "");
}

async fn a_value_that_never_ends_can_be_outdated<C: Client>(fleet: &Fleet<C>) {
    let (client, ever) = (&fleet.client, Freshness::new(Ttl::NEVER));
    assert_eq!(client.fetch("k", ever, made()).await.unwrap(), "made");
    assert!(client.invalidate("k", &ever).await.unwrap());
    let fails = async { Err::<String, _>("no database") };
    assert_eq!(client.fetch("k", ever, fails).await.unwrap(), "made", "it is stale");
    assert_eq!(client.fetch("k", ever, async { Ok::<_, String>("anew") }).await.unwrap(), "anew");
    assert_eq!(client.fetch("k", ever, never()).await.unwrap(), "anew");
}

async fn a_loader_that_fetches_its_own_key_ends<C: Client>(fleet: &Fleet<C>) {
    let (client, begin) = (&fleet.client, Instant::now());
    let hasty = Freshness::new(MINUTE).wait(Duration::from_millis(100));
    let load = async {
        let inner = client.fetch("k", hasty, async { Ok::<_, String>("inner") }).await.unwrap();
        assert_eq!(inner, "inner", "it has waited for itself, and then loads");
        made().await
    };
    assert_eq!(client.fetch("k", hasty, load).await.unwrap(), "made");
    assert!(begin.elapsed() >= Duration::from_millis(100));
    assert_eq!(client.fetch("k", hasty, never()).await.unwrap(), "made", "the outer one is stored");
}

async fn a_value_that_is_too_large_is_handed_out_and_not_stored<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    for _ in 0..2 {
        let load = async { Ok::<_, String>(vec![b'v'; 2 << 20]) };
        assert_eq!(client.fetch("k", MINUTE, load).await.unwrap().len(), 2 << 20);
        assert!(client.get("k").await.unwrap().is_none(), "the lease is given back");
    }
    assert_eq!(client.fetch_counts().loads, 2);
}

async fn a_value_of_one_second_is_there<C: Client>(fleet: &Fleet<C>) {
    let (client, second) = (&fleet.client, Freshness::new(Ttl::seconds(1)));
    for _ in 0..3 {
        assert_eq!(client.fetch("k", second, made()).await.unwrap(), "made");
        assert!(client.peek("k").await.unwrap().is_some());
    }
}

#[test]
fn each_scenario_names_a_test_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["client-core/src/fetch", "client-tokio/tests/suite", "proofs/suite/tests/suite"];
    let mut sources = fs::read_to_string(root.join("client-core/src/fetch/simulation.rs")).unwrap();
    for file in folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap()) {
        let path = file.unwrap().path();
        if path.is_file() {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let table = include_str!("scenarios.rs").lines().filter(|line| line.starts_with("//! | "));
    let tests: Vec<_> = table.skip(1).filter_map(|line| line.split('`').nth_back(1)).collect();
    assert!(tests.len() >= 34, "{tests:?}");
    let missing: Vec<_> = tests.iter().filter(|test| !sources.contains(&format!("fn {test}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
