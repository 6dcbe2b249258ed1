//! The property test of `assign`, and the scenarios of the machine.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A generator of random numbers: SplitMix.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn in_a_hundred(&mut self, count: u64) -> bool {
        self.next() % 100 < count
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() as usize % (last + 1);
            items.swap(last, other);
        }
    }
}

fn address(number: u32) -> Address {
    Address::tcp(format!("10.0.{}.{}", number / 250, number % 250), 11211)
}

fn pods(numbers: &[u32]) -> Vec<Member> {
    numbers.iter().map(|&number| Member::at(address(number))).collect()
}

fn names(slots: &[Slot]) -> Vec<&str> {
    slots.iter().map(|slot| slot.spec.name()).collect()
}

fn key(identity: Option<&String>, addresses: &BTreeSet<Address>) -> String {
    identity.cloned().unwrap_or_else(|| addresses.first().unwrap().to_string())
}

/// A history of restarts, moves, joins and leaves, with the laws after each answer.
fn history(random: &mut Random, begin: Instant) {
    let (is_named, naming) = (random.in_a_hundred(50), Naming::default());
    let naming = if random.in_a_hundred(50) { naming } else { Naming::FirstServer };
    let count = random.in_a_hundred(20).then(|| 1 + random.next() as usize % 4);
    let rules = Rules { count, shrink_after: Duration::from_secs(3), naming: &naming };
    let (mut slots, mut there) = (Vec::<Slot>::new(), BTreeMap::<u32, u32>::new());
    let (mut pod, mut at) = (0, 0);
    for second in 0..1 + random.next() % 12 {
        let now = begin + Duration::from_secs(second);
        there.retain(|_, address| {
            if random.in_a_hundred(20) {
                at += 1;
                *address = at;
                return true;
            }
            !random.in_a_hundred(10)
        });
        while there.is_empty() || random.in_a_hundred(30) {
            (pod, at) = (pod + 1, at + 1);
            there.insert(pod, at);
        }
        let member = |(pod, at): (&u32, &u32)| {
            let member = Member::at(address(*at));
            if is_named { member.called(format!("h{pod}")) } else { member }
        };
        let mut answer: Vec<_> = there.iter().map(member).collect();
        random.shuffle(&mut answer);
        let new = assign(&slots, &answer, now, rules);
        let taken: Vec<_> = new.iter().filter(|slot| !slot.is_free()).collect();
        let addresses: BTreeSet<_> = taken.iter().map(|slot| &slot.addresses).collect();
        assert_eq!((addresses.len(), taken.len()), (answer.len(), answer.len()), "I1: one slot each");
        assert!(answer.iter().all(|member| addresses.contains(&member.addresses)), "I1: for each server");
        assert!(taken.iter().all(|slot| slot.addresses.contains(slot.spec.address())), "reached where it is");
        assert_eq!(assign(&new, &answer, now, rules), new, "I2: the same again");
        let mut other = answer.clone();
        random.shuffle(&mut other);
        assert_eq!(assign(&slots, &other, now, rules), new, "I3: another order");
        other.push(answer[0].clone());
        assert_eq!(assign(&slots, &other, now, rules), new, "I4: one twice");
        let kept = slots.len().min(new.len());
        assert_eq!(names(&slots)[..kept], names(&new)[..kept], "I5: names stay");
        assert_eq!(names(&new).into_iter().collect::<BTreeSet<_>>().len(), new.len(), "I5: a name each");
        for (before, after) in slots.iter().zip(&new).filter(|(before, _)| !before.is_free()) {
            let own = key(before.identity.as_ref(), &before.addresses);
            let is_there =
                answer.iter().any(|member| key(member.identity.as_ref(), &member.addresses) == own);
            let is_kept = key(after.identity.as_ref(), &after.addresses) == own && !after.is_free();
            assert!(!is_there || is_kept, "I6: who is there keeps the slot");
        }
        if !slots.is_empty() && answer.len() == slots.iter().filter(|slot| !slot.is_free()).count() {
            assert!(new.len() <= slots.len(), "I7: as many come as go");
        }
        assert!(
            new.len() <= slots.len() || new.iter().all(|slot| !slot.is_free()),
            "I8: grows when none is free"
        );
        for dropped in slots.iter().skip(new.len()) {
            let is_late = count.is_some() || dropped.is_free();
            assert!(is_late, "I9: only those go that were free");
        }
        assert_eq!(assign(&new, &[], now + Duration::from_secs(99), rules), new, "I10: an empty answer");
        slots = new;
    }
}

#[test]
fn the_laws_of_slots_hold_in_random_histories() {
    let mut random = Random(1);
    let begin = Instant::now();
    for _ in 0..10_000 {
        history(&mut random, begin);
    }
}

#[test]
fn a_server_that_had_a_slot_before_gets_another_name() {
    let rules = Rules { count: None, shrink_after: Duration::MAX, naming: &Naming::FirstServer };
    let now = Instant::now();
    let mut slots = Vec::new();
    for answer in [&[1][..], &[2], &[1, 2]] {
        slots = assign(&slots, &pods(answer), now, rules);
    }
    assert_eq!(names(&slots), ["10.0.0.1:11211", "10.0.0.1:11211~1"]);
}

/// A roster, its time, and what it reported.
struct Watched {
    roster: Roster,
    now: Instant,
    reports: Vec<Report>,
}

impl Watched {
    fn new(pace: Pace, answer: &[Member]) -> Self {
        let roster = Roster::new(pace, Duration::from_secs(60), Vec::new());
        let mut watched = Self { roster, now: Instant::now(), reports: Vec::new() };
        assert_eq!(watched.answer(answer), [Report::Changed { share: 1.0 }]);
        watched
    }

    /// Answers now; returns what was reported of it.
    fn answer(&mut self, members: &[Member]) -> Vec<Report> {
        let answer = Servers::Members(members.to_vec()).into();
        let reports = self.roster.answered(answer, self.now, 0, share);
        self.reports.extend(reports.clone());
        reports
    }

    fn answer_after(&mut self, seconds: u64, members: &[Member]) -> Vec<Report> {
        self.now += Duration::from_secs(seconds);
        self.answer(members)
    }

    fn fail(&mut self) -> Option<Report> {
        self.roster.failed(Why::Source("no answer".into()), self.now, 0)
    }

    fn names(&self) -> Vec<&str> {
        names(self.roster.slots())
    }

    fn at(&self) -> Vec<String> {
        self.roster.slots().iter().map(|slot| slot.spec.address().to_string()).collect()
    }
}

/// The share of the slots that have come or have become free.
fn share(before: &[Slot], after: &[Slot]) -> Result<f64, &'static str> {
    if after.len() > 20 {
        return Err("too many");
    }
    let has =
        |slots: &[Slot], name: &str| slots.iter().any(|slot| slot.spec.name() == name && !slot.is_free());
    let all = before.len().max(after.len());
    let names: BTreeSet<_> = names(before).into_iter().chain(names(after)).collect();
    let other = names.iter().filter(|name| has(before, name) != has(after, name)).count();
    Ok(other as f64 / all as f64)
}

fn addresses(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|&number| address(number).to_string()).collect()
}

fn moved(server: &str) -> Report {
    Report::AddressChanged { server: server.to_owned() }
}

#[test]
fn d1_an_answer_in_another_order_is_no_news() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2, 3]));
    let (mut random, mut answer) = (Random(2), pods(&[1, 2, 3]));
    for _ in 0..1000 {
        random.shuffle(&mut answer);
        assert!(watched.answer_after(1, &answer).is_empty());
    }
    assert_eq!(watched.at(), addresses(&[1, 2, 3]));
}

#[test]
fn d2_an_address_that_changes_moves_no_key() {
    let named = |at| vec![Member::at(address(at)).called("a:1"), Member::at(address(2)).called("b:1")];
    let mut watched = Watched::new(Pace::default(), &named(1));
    assert_eq!(watched.answer(&named(9)), [moved("s0")]);
    assert_eq!((watched.names(), watched.at()), (vec!["s0", "s1"], addresses(&[9, 2])));
}

#[test]
fn d3_a_source_that_fails_is_told_of_once_and_the_list_stays() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2]));
    let mut told = 0;
    for second in [1, 2, 4, 8, 16, 32, 60, 60] {
        told += usize::from(watched.fail().is_some());
        let wait = watched.roster.next_poll().unwrap() - watched.now;
        assert_eq!(wait, Duration::from_secs(second).mul_f64(0.9));
        watched.now += wait;
    }
    assert_eq!((told, watched.at()), (1, addresses(&[1, 2])));
    assert!(watched.answer(&[]).is_empty(), "no servers: the source still fails");
    assert_eq!(watched.answer(&pods(&[2, 1])), [Report::Recovered]);
    assert_eq!(watched.roster.failing_since(), None);
}

#[test]
fn d4_all_addresses_at_once_keep_the_slots() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2, 3]));
    assert_eq!(watched.answer(&pods(&[6, 5, 4])), [moved("s0"), moved("s1"), moved("s2")]);
    assert_eq!((watched.names(), watched.at()), (vec!["s0", "s1", "s2"], addresses(&[4, 5, 6])));
}

#[test]
fn d5_slots_follow_the_names_of_servers_that_swap_addresses() {
    let named = |a, b| vec![Member::at(address(a)).called("a"), Member::at(address(b)).called("b")];
    let mut watched = Watched::new(Pace::default(), &named(1, 2));
    assert_eq!(watched.answer(&named(2, 1)), [moved("s0"), moved("s1")]);
    assert_eq!(watched.at(), addresses(&[2, 1]));
}

#[test]
fn d6_a_server_that_flaps_moves_no_key() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2, 3]));
    for _ in 0..20 {
        assert!(watched.answer_after(5, &pods(&[1, 3])).is_empty());
        assert!(watched.answer_after(5, &pods(&[1, 2, 3])).is_empty());
    }
    assert_eq!(watched.at(), addresses(&[1, 2, 3]));
}

#[test]
fn d7_a_server_that_is_seen_once_is_not_taken() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2, 3]));
    assert!(watched.answer(&pods(&[1, 2, 3, 4])).is_empty());
    let wait = watched.roster.next_poll().unwrap() - watched.now;
    assert!(wait <= Pace::default().damping, "it is looked at again");
    assert!(watched.answer_after(9, &pods(&[1, 2, 3])).is_empty());
    assert!(watched.answer_after(9, &pods(&[1, 2, 3, 4])).is_empty());
    assert_eq!(watched.answer_after(1, &pods(&[1, 2, 3, 4])), [Report::Changed { share: 0.25 }]);
    assert_eq!(watched.names(), ["s0", "s1", "s2", "s3"]);
}

#[test]
fn a_change_that_has_lasted_is_taken_by_time_too() {
    let pace = Pace { answers: 9, ..Pace::default() };
    let mut watched = Watched::new(pace, &pods(&[1]));
    assert!(watched.answer(&pods(&[1, 2])).is_empty());
    assert_eq!(watched.answer_after(10, &pods(&[1, 2])), [Report::Changed { share: 0.5 }]);
}

#[test]
fn d8_an_answer_that_loses_most_servers_is_refused_until_it_is_accepted() {
    let pace = Pace { max_share: Some(0.5), ..Pace::default() };
    let mut watched = Watched::new(pace, &pods(&[1, 2, 3, 4, 5]));
    assert!(!watched.roster.accept(), "nothing was refused");
    let mut refused = Vec::new();
    for _ in 0..5 {
        refused.extend(watched.answer_after(60, &pods(&[1])));
    }
    assert_eq!(refused, [Report::Refused { share: 0.8 }]);
    assert!(watched.roster.slots().iter().all(|slot| !slot.is_free()));
    assert!(watched.roster.accept() && watched.roster.next_poll().is_none());
    assert_eq!(watched.answer(&pods(&[1])), [Report::Changed { share: 0.8 }]);
    assert_eq!((watched.names().len(), watched.at()), (5, addresses(&[1, 2, 3, 4, 5])));
    assert_eq!(watched.roster.slots().iter().filter(|slot| slot.is_free()).count(), 4);
}

#[test]
fn d8_free_slots_keep_their_keys_until_they_are_given_up() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2, 3, 4, 5]));
    assert!(watched.answer(&pods(&[1])).is_empty());
    assert_eq!(watched.answer_after(5, &pods(&[1])), [Report::Changed { share: 0.8 }]);
    assert!(watched.answer_after(599, &pods(&[1])).is_empty());
    assert_eq!(watched.names().len(), 5);
    watched.answer_after(1, &pods(&[1]));
    watched.answer_after(1, &pods(&[1]));
    assert_eq!(watched.names(), ["s0"], "and never below one");
}

#[test]
fn a_server_that_is_back_has_its_slot_at_once() {
    let mut watched = Watched::new(Pace::default(), &pods(&[1, 2]));
    watched.answer(&pods(&[2]));
    watched.answer(&pods(&[2]));
    assert!(watched.roster.slots()[0].is_free());
    assert_eq!(watched.answer(&pods(&[2, 7])), [moved("s0"), Report::Changed { share: 0.5 }]);
    assert_eq!(watched.at(), addresses(&[7, 2]));
}

#[test]
fn d9_two_processes_number_unnamed_servers_as_they_saw_them_first() {
    let mut first = Watched::new(Pace::default(), &pods(&[1, 2, 3]));
    first.answer(&pods(&[1, 5, 3]));
    let late = Watched::new(Pace::default(), &pods(&[1, 3, 5]));
    assert_eq!((first.at(), late.at()), (addresses(&[1, 5, 3]), addresses(&[1, 3, 5])));
    // With a table that both begin with, they agree.
    let table: Vec<_> = first.roster.slots().iter().map(|slot| slot.spec.clone()).collect();
    let mut shared = Roster::new(Pace::default(), Duration::from_secs(60), table);
    let answer = Servers::Members(pods(&[1, 3, 5])).into();
    assert!(shared.answered(answer, Instant::now(), 0, share).is_empty());
    assert_eq!(shared.slots(), first.roster.slots());
}

#[test]
fn servers_that_do_not_fit_the_scheme_are_a_failure_of_the_source() {
    let mut watched = Watched::new(Pace { answers: 1, ..Pace::default() }, &pods(&[1]));
    let many: Vec<_> = (1..=21).collect();
    assert_eq!(watched.answer(&pods(&many)), [Report::Failed(Why::Unfit("too many".into()))]);
    assert_eq!(watched.names(), ["s0"]);
}

#[test]
fn an_answer_is_asked_for_again_when_it_ends() {
    for (ttl, wait) in [(0, 1), (30, 30), (86_400, 60)] {
        let mut roster = Roster::new(Pace::default(), Duration::from_secs(60), Vec::new());
        let servers = Servers::Members(pods(&[1]));
        let answer = Answer { servers, ttl: Some(Duration::from_secs(ttl)) };
        for (random, part) in [(0, 0.9), (u32::MAX, 1.1)] {
            let now = Instant::now();
            roster.answered(answer.clone(), now, random, share);
            let expected = Duration::from_secs(wait).mul_f64(part);
            let found = roster.next_poll().unwrap() - now;
            assert!(found.abs_diff(expected) < Duration::from_millis(1), "{found:?}");
        }
    }
}

#[test]
fn a_list_is_taken_as_it_is_written() {
    let list = |text: &[&str]| Servers::List(ServerSpec::read_all(text).unwrap()).into();
    let mut roster = Roster::new(Pace::default(), Duration::from_secs(1), Vec::new());
    let now = Instant::now();
    roster.answered(list(&["b=h1:1", "a=h2:1 2"]), now, 0, share);
    assert_eq!(roster.answered(list(&["b=h9:1", "a=h2:1 3"]), now, 0, share), [moved("b")]);
    assert_eq!(roster.slots()[1].spec.weight(), 2.into(), "a weight must last");
    roster.answered(list(&["b=h9:1", "a=h2:1 3"]), now, 0, share);
    assert_eq!(roster.slots()[1].spec.weight(), 3.into());
    for _ in 0..2 {
        roster.answered(list(&["a=h2:1 3"]), now, 0, share);
    }
    assert_eq!(names(roster.slots()), ["a"]);
}
