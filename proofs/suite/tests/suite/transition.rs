//! Servers that are replaced key by key.

use core::time::Duration;

use memring_std::{
    Batch, CasOutcome, Change, Client as Plain, ErrorKind, MetaGetOptions, Phase, Transition,
    TransitionStatus, Ttl,
};
use memring_suite::Memcached;

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    a_growth_loses_no_hit_and_moves_what_is_read
    flags_and_times_are_kept
    what_is_stored_before_anything_is_read_is_found
    clients_in_neighbouring_phases_see_each_others_changes
    counters_and_tokens_follow_their_key
    an_add_finds_what_has_not_moved_yet
    what_a_new_server_had_before_is_not_read
    a_mark_of_another_process_is_no_value
    a_server_that_is_away_is_an_error_and_no_miss
    many_keys_are_read_whether_they_move_or_not
    verbs_without_a_rule_are_refused_for_keys_that_move
    a_transition_that_is_taken_back_leaves_the_old_list
    what_would_break_the_order_is_refused
}

/// Three servers, of which the third joins, and a client of the first two.
struct Scene<C> {
    servers: Vec<Memcached>,
    client: C,
}

const LONG: Duration = Duration::from_secs(3600);

impl<C: Client> Scene<C> {
    fn new() -> Self {
        let servers: Vec<_> = (0..3).map(|_| Memcached::start()).collect();
        let client = C::connect([servers[0].name(), servers[1].name()]).unwrap();
        Self { servers, client }
    }

    fn names(&self) -> [String; 3] {
        [0, 1, 2].map(|index| self.servers[index].name())
    }

    fn begin(&self, transition: Transition) -> Change {
        self.client.transition(self.names(), transition).unwrap()
    }

    /// Another client in another phase of the same transition.
    fn beside(&self, transition: Transition) -> C {
        let names = self.names();
        let client = C::connect([&*names[0], &*names[1]]).unwrap();
        client.transition(names, transition).unwrap();
        client
    }

    /// A key that moves to the third server, by this number, and the position of its old one.
    fn moving(&self, number: usize) -> (String, usize) {
        let names = self.names();
        let (old, new) = (C::connect([&*names[0], &*names[1]]).unwrap(), C::connect(names.clone()).unwrap());
        let keys = (0..).map(|number| format!("key:{number}"));
        let key = keys.filter(|key| *new.server_of(key) == *names[2]).nth(number).unwrap();
        let old = names.iter().position(|name| **name == *old.server_of(&key)).unwrap();
        (key, old)
    }

    /// A key that stays where it is.
    fn staying(&self) -> String {
        let names = self.names();
        let new = C::connect(names.clone()).unwrap();
        (0..).map(|number| format!("key:{number}")).find(|key| *new.server_of(key) != *names[2]).unwrap()
    }

    /// What one server has.
    fn at(&self, index: usize, key: &str) -> Option<Vec<u8>> {
        self.plain(index).get(key).unwrap().map(|item| item.value)
    }

    fn plain(&self, index: usize) -> Plain {
        Plain::connect([self.servers[index].name()]).unwrap()
    }

    fn status(&self) -> TransitionStatus {
        self.client.transition_status().unwrap()
    }
}

fn alone() -> Transition {
    Transition::new("alone")
}

/// A transition that stays in Guard.
fn guard() -> Transition {
    Transition::new("alone").guard_for(LONG)
}

fn prepare() -> Transition {
    Transition::new("alone").prepare_for(LONG)
}

fn seal() -> Transition {
    Transition::new("alone").move_for(Duration::ZERO).seal_for(LONG)
}

async fn a_growth_loses_no_hit_and_moves_what_is_read<C: Client>() {
    let scene = Scene::<C>::new();
    let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        scene.client.set(key, key, Ttl::seconds(600)).await.unwrap();
    }
    let moved = scene.begin(alone()).moves().moved();
    assert!(moved > 0.1);
    for _ in 0..2 {
        for key in &keys {
            assert_eq!(scene.client.get(key).await.unwrap().unwrap().value, key.as_bytes());
        }
    }
    let counts = scene.status().counts;
    assert_eq!((counts.found_old, counts.found_new, counts.missed), (counts.moved, counts.moved, 0));
    let there = keys.iter().filter(|key| scene.at(2, key).is_some()).count();
    assert!(there > 5 && there as u64 == counts.moved);
    let held = |key: &&String| (0..3).filter(|index| scene.at(*index, key).is_some()).count() == 1;
    assert!(keys.iter().all(|key| held(&key)), "at one place each");
}

async fn flags_and_times_are_kept<C: Client>() {
    let scene = Scene::<C>::new();
    let [(brief, _), (ever, _), (at_end, old)] = [0, 1, 2].map(|number| scene.moving(number));
    scene
        .client
        .set(&brief, "v", memring_std::Attributes { ttl: Ttl::seconds(500), flags: 77 })
        .await
        .unwrap();
    scene.client.set(&ever, "v", Ttl::NEVER).await.unwrap();
    scene.client.set(&at_end, "v", Ttl::seconds(1)).await.unwrap();
    scene.begin(alone());
    for key in [&brief, &ever] {
        assert!(scene.client.get(key).await.unwrap().is_some());
    }
    // It may have ended on the way here.
    let found = scene.client.get(&at_end).await.unwrap();
    assert!(scene.at(2, &at_end).is_none(), "in its last second it stays: {found:?} {old}");
    let new = scene.plain(2);
    let look = |key: &str| {
        let item = new.meta().get(key, MetaGetOptions::new().ttl().flags()).unwrap().unwrap();
        (item.info.ttl.unwrap(), item.info.flags.unwrap())
    };
    assert!((497..=500).contains(&look(&brief).0) && look(&brief).1 == 77);
    assert_eq!(look(&ever).0, -1);
}

async fn what_is_stored_before_anything_is_read_is_found<C: Client>() {
    for transition in [alone, seal] {
        let scene = Scene::<C>::new();
        let ((set, old), (added, _)) = (scene.moving(0), scene.moving(1));
        scene.client.set(&set, "old", Ttl::NEVER).await.unwrap();
        scene.begin(transition());
        scene.client.set(&set, "new", Ttl::NEVER).await.unwrap();
        assert!(scene.client.add(&added, "new", Ttl::NEVER).await.unwrap());
        for key in [&set, &added] {
            assert_eq!(scene.client.get(key).await.unwrap().unwrap().value, b"new"[..]);
            let found = scene.client.get_into(key, Vec::new()).await.unwrap().unwrap();
            assert_eq!(found.value, b"new");
            let full = memring_std::ArrayBuffer::<2>::new();
            assert_eq!(scene.client.get_into(key, full).await.unwrap_err().kind(), ErrorKind::BufferFull);
        }
        assert!(scene.at(old, &set).is_none());
    }
}

async fn clients_in_neighbouring_phases_see_each_others_changes<C: Client>() {
    let phases = [guard as fn() -> Transition, prepare, alone, seal];
    for first in phases {
        for second in phases {
            let scene = Scene::<C>::new();
            let (key, _) = scene.moving(0);
            let (a, b) = (scene.beside(first()), scene.beside(second()));
            scene.client.set(&key, "before", Ttl::NEVER).await.unwrap();
            // Old values are never seen after a change: a miss may be.
            for (writer, reader) in [(&a, &b), (&b, &a), (&a, &b)] {
                for value in ["1", "2"] {
                    let _read = reader.get(&key).await.unwrap();
                    writer.set(&key, value, Ttl::NEVER).await.unwrap();
                    for client in [writer, reader] {
                        let found = client.get(&key).await.unwrap();
                        assert!(found.is_none_or(|item| item.value == value.as_bytes()));
                    }
                }
                writer.delete(&key).await.unwrap();
                for client in [reader, writer] {
                    assert!(client.get(&key).await.unwrap().is_none());
                }
            }
        }
    }
}

async fn counters_and_tokens_follow_their_key<C: Client>() {
    let scene = Scene::<C>::new();
    let ((counter, old), (text, _)) = (scene.moving(0), scene.moving(1));
    scene.client.set(&counter, "5", Ttl::NEVER).await.unwrap();
    scene.client.set(&text, "one", Ttl::NEVER).await.unwrap();
    let before = scene.client.gets(&text).await.unwrap().unwrap().cas;
    scene.begin(alone());
    assert_eq!(scene.client.incr(&counter, 2).await.unwrap(), Some(7));
    assert_eq!(scene.client.decr(&counter, 1).await.unwrap(), Some(6));
    assert_eq!((scene.at(old, &counter), scene.at(2, &counter)), (None, Some(b"6".to_vec())));
    let (missing, _) = scene.moving(5);
    assert_eq!(scene.client.incr(&missing, 1).await.unwrap(), None);
    assert!(scene.at(2, &missing).is_none(), "no mark is left");
    // A number of the old server is none of the new one, whatever it is.
    assert_eq!(scene.client.cas(&text, "two", Ttl::NEVER, before).await.unwrap(), CasOutcome::Exists);
    let token = scene.client.gets(&text).await.unwrap().unwrap().cas;
    assert_eq!(scene.client.cas(&text, "two", Ttl::NEVER, token).await.unwrap(), CasOutcome::Stored);
    assert_eq!(scene.client.cas(&text, "three", Ttl::NEVER, token).await.unwrap(), CasOutcome::Exists);
    assert_eq!(scene.client.get(&text).await.unwrap().unwrap().value, b"two"[..]);
}

async fn an_add_finds_what_has_not_moved_yet<C: Client>() {
    let scene = Scene::<C>::new();
    let ((there, old), (missing, _)) = (scene.moving(0), scene.moving(1));
    scene.client.set(&there, "old", Ttl::NEVER).await.unwrap();
    scene.begin(alone());
    assert!(!scene.client.add(&there, "new", Ttl::NEVER).await.unwrap());
    assert_eq!((scene.at(old, &there), scene.at(2, &there)), (None, Some(b"old".to_vec())));
    assert!(scene.client.replace(&there, "newer", Ttl::NEVER).await.unwrap());
    assert!(!scene.client.replace(&missing, "new", Ttl::NEVER).await.unwrap());
    assert!(scene.client.add(&missing, "new", Ttl::NEVER).await.unwrap());
    assert!(!scene.client.add(&missing, "newer", Ttl::NEVER).await.unwrap());
    assert_eq!(scene.client.get(&missing).await.unwrap().unwrap().value, b"new"[..]);
    assert_eq!(scene.client.get(&there).await.unwrap().unwrap().value, b"newer"[..]);
}

async fn what_a_new_server_had_before_is_not_read<C: Client>() {
    for transition in [alone, prepare, seal] {
        let scene = Scene::<C>::new();
        let ((key, _), (gone, _)) = (scene.moving(0), scene.moving(1));
        for key in [&key, &gone] {
            scene.plain(2).set(key, "of an earlier time", Ttl::NEVER).unwrap();
        }
        scene.client.set(&key, "now", Ttl::NEVER).await.unwrap();
        scene.begin(transition());
        let found = scene.client.get(&key).await.unwrap();
        assert!(found.is_none_or(|item| item.value == b"now"[..]));
        assert_eq!(scene.client.get(&gone).await.unwrap(), None);
        // What is stored from now on is read.
        scene.client.set(&gone, "new", Ttl::NEVER).await.unwrap();
        assert_eq!(scene.client.get(&gone).await.unwrap().unwrap().value, b"new"[..]);
    }
}

async fn a_mark_of_another_process_is_no_value<C: Client>() {
    let scene = Scene::<C>::new();
    let ((there, old), (missing, _)) = (scene.moving(0), scene.moving(1));
    scene.client.set(&there, "value", Ttl::NEVER).await.unwrap();
    scene.begin(alone());
    for key in [&there, &missing] {
        let mark = MetaGetOptions::new().value().vivify(Ttl::seconds(20));
        assert!(scene.plain(2).meta().get(key, mark).unwrap().unwrap().info.win);
    }
    assert_eq!(scene.client.get(&there).await.unwrap().unwrap().value, b"value"[..]);
    assert!(scene.at(old, &there).is_some(), "it is left to the one who made the mark");
    assert!(scene.client.get(&missing).await.unwrap().is_none());
    scene.client.set(&there, "newer", Ttl::NEVER).await.unwrap();
    assert_eq!((scene.at(old, &there), scene.at(2, &there)), (None, Some(b"newer".to_vec())));
}

async fn a_server_that_is_away_is_an_error_and_no_miss<C: Client>() {
    let mut scene = Scene::<C>::new();
    let ((moved, old), keys) = (scene.moving(0), [1, 2, 3, 4, 5, 6].map(|number| scene.moving(number)));
    let (left, _) = keys.iter().find(|(_, other)| *other == old).unwrap();
    for key in [&moved, left] {
        scene.client.set(key, "value", Ttl::NEVER).await.unwrap();
    }
    scene.begin(alone());
    assert!(scene.client.get(&moved).await.unwrap().is_some());
    scene.servers[old].kill();
    assert!(scene.client.get(&moved).await.unwrap().is_some(), "what has moved is there");
    assert!(scene.client.get(left).await.is_err(), "nobody knows whether it is there");
    assert!(scene.client.set(&moved, "newer", Ttl::NEVER).await.is_err());
    assert_eq!(
        scene.at(2, &moved),
        Some(b"value".to_vec()),
        "nothing is stored before the old place is wiped"
    );
    assert!(scene.client.delete(&moved).await.is_err());
    scene.servers[2].kill();
    assert!(scene.client.get(&moved).await.is_err());
}

async fn many_keys_are_read_whether_they_move_or_not<C: Client>() {
    let scene = Scene::<C>::new();
    let keys: Vec<_> = (0..120).map(|number| format!("key:{number}")).collect();
    for key in keys.iter().step_by(2) {
        scene.client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    scene.begin(alone());
    for _ in 0..2 {
        let found = scene.client.get_many(&keys).await.unwrap();
        assert!(found.errors().is_empty());
        for (position, (key, item)) in keys.iter().zip(found.all().unwrap()).enumerate() {
            assert_eq!(
                item.map(|item| item.value.to_vec()),
                (position % 2 == 0).then(|| key.clone().into_bytes())
            );
        }
    }
    assert!(scene.status().counts.moved > 3);
}

async fn verbs_without_a_rule_are_refused_for_keys_that_move<C: Client>() {
    let scene = Scene::<C>::new();
    let ((moving, old), staying) = (scene.moving(0), scene.staying());
    for key in [&moving, &staying] {
        scene.client.set(key, "value", Ttl::NEVER).await.unwrap();
    }
    scene.begin(alone());
    let refused = |error: memring_std::Error| {
        assert_eq!(error.kind(), ErrorKind::Moving);
        assert!(!error.is_ambiguous() && !error.is_outage());
    };
    let client = &scene.client;
    refused(client.append(&moving, "!").await.unwrap_err());
    refused(client.prepend(&moving, "!").await.unwrap_err());
    refused(client.touch(&moving, Ttl::seconds(5)).await.unwrap_err());
    refused(client.gat(&moving, Ttl::seconds(5)).await.unwrap_err());
    refused(client.set_many(&[(&moving, "v")], Ttl::NEVER).await.unwrap_err());
    refused(client.delete_many(&[&staying, &moving]).await.unwrap_err());
    refused(client.meta().get(&moving, MetaGetOptions::new().value()).await.unwrap_err());
    refused(client.incr_or(&moving, 1, 1, Ttl::NEVER).await.unwrap_err());
    let mut batch = Batch::new();
    batch.get(&moving);
    refused(client.run(batch).await.err().unwrap());
    assert_eq!(scene.at(old, &moving), Some(b"value".to_vec()), "nothing was sent");
    assert!(client.append(&staying, "!").await.unwrap());
    assert!(client.touch(&staying, Ttl::seconds(50)).await.unwrap());
    assert!(client.delete_many(&[&staying]).await.unwrap().all().unwrap()[0]);
    assert!(client.flush_all(None).await.len() == 3, "all servers of both lists");
}

async fn a_transition_that_is_taken_back_leaves_the_old_list<C: Client>() {
    let scene = Scene::<C>::new();
    let (key, _) = scene.moving(0);
    scene.client.set(&key, "value", Ttl::NEVER).await.unwrap();
    scene.begin(alone());
    assert_eq!(scene.status().phase, Phase::Move);
    assert!(scene.client.get(&key).await.unwrap().is_some());
    assert_eq!(scene.client.cancel_transition().unwrap(), Phase::Old, "no other process is to be waited for");
    assert!(scene.client.transition_status().is_none());
    let names = scene.names();
    assert!(scene.client.servers().len() == 2 && *scene.client.server_of(&key) != *names[2]);
    scene.client.append("other", "!").await.unwrap();
    // Under the same name, what is written from now on would pass for older than it is.
    let error = scene.client.transition(scene.names(), guard()).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("an id of its own"), "{error}");
    scene.begin(Transition::new("another").guard_for(LONG));
    assert_eq!(scene.status().phase, Phase::Guard);
    assert_eq!(
        scene.client.cancel_transition().unwrap(),
        Phase::Guard,
        "others may need as long as the way there took"
    );
    assert!(scene.status().is_back);
}

async fn what_would_break_the_order_is_refused<C: Client>() {
    let scene = Scene::<C>::new();
    scene.begin(guard());
    let says = |error: memring_std::Error, what: &str| {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(what), "{error}");
    };
    says(scene.client.advance_transition().unwrap_err(), "earlier phase");
    says(scene.client.transition(scene.names(), alone()).unwrap_err(), "under way");
    says(scene.client.set_servers(scene.names()).unwrap_err(), "under way");
    let late = scene.beside(seal());
    says(late.cancel_transition().unwrap_err(), "begin another");
    says(late.advance_transition().unwrap_err(), "earlier phase");
    let none = C::connect([scene.servers[0].name()]).unwrap();
    says(none.advance_transition().unwrap_err(), "no transition");
    says(none.transition(scene.names(), Transition::new("two words")).unwrap_err(), "id");
    let prepared = scene.beside(prepare());
    assert_eq!(prepared.advance_transition().unwrap(), Phase::Move);
    assert_eq!(prepared.advance_transition().unwrap(), Phase::Seal);
}
