//! Batches with commands at which a server may hang up: which operations are not sent, which may have been the reason that a
//! server hung up, and which were lost with its connection and are sent again.

use std::collections::BTreeSet;

use memring_core::health::Verdict;
use memring_text::Operation;

use super::{may_be_unknown, word};
use crate::{
    failure::{Cause, Error, ErrorKind, Many},
    route::Watched,
    shares::{Share, Shares},
};

impl<P: Watched> Shares<'_, P> {
    /// Removes the operations at whose command their server is known to hang up: they are not to be sent. `operations` has one
    /// for each of the [`positions`](Self::positions). Returns the positions in the batch of those removed, with their errors,
    /// one for each server, which the observer hears of.
    #[must_use]
    pub fn heed<O: Operation>(&mut self, name: &'static str, operations: &mut Vec<O>) -> Vec<(usize, Error)> {
        let mut refused = Vec::new();
        if !self.divide(operations).any(|share| share.pool.watch().hang_ups().are_there()) {
            return refused;
        }
        let mut keeps = Vec::with_capacity(operations.len());
        for Share { pool, verdict, positions, items } in self.divide(operations) {
            let (watch, begin) = (pool.watch(), refused.len());
            let is_asked = !matches!(verdict, Verdict::Down { .. });
            let mut error = None;
            for (position, operation) in positions.iter().zip(items) {
                let hangs_up = is_asked && watch.hangs_up(&operation.request());
                if hangs_up {
                    let error = error.get_or_insert_with(|| watch.failed(name, Cause::HangsUp, false));
                    refused.push((*position, error.clone()));
                }
                keeps.push(!hangs_up);
            }
            // The trial that these operations were to be does not take place.
            if verdict == Verdict::Probe && refused.len() - begin == items.len() {
                watch.attempt(name, watch.now(), true).not_sent(&Cause::HangsUp);
            }
        }
        self.retain(operations, &keeps);
        refused
    }

    /// Returns the operations at which servers may have hung up: of each server that closed the connection of this batch, one
    /// operation for each command that it may not know and has not answered. `results` are the batch's.
    #[must_use]
    pub fn suspects<'s, O: Operation, T>(
        &'s self,
        operations: &'s [O],
        results: &Many<T>,
    ) -> Vec<(&'s P, &'s O)> {
        let mut suspects = Vec::new();
        if !results.errors().iter().any(|error| error.kind() == ErrorKind::Closed) {
            return suspects;
        }
        for Share { pool, positions, items, .. } in self.divide(operations) {
            let mut commands = BTreeSet::new();
            for (position, operation) in positions.iter().zip(items) {
                let request = operation.request();
                if is_lost(results, *position) && may_be_unknown(&request) {
                    let parts = request.parts();
                    if commands.insert(word(parts.head.as_bytes()).to_vec()) {
                        suspects.push((pool, operation));
                    }
                }
            }
        }
        suspects
    }

    /// Keeps only the operations that were lost when a server hung up at a command, and that may be sent again.
    pub fn retain_lost<O: Operation, T>(&mut self, operations: &mut Vec<O>, results: &Many<T>) {
        let mut keeps = Vec::with_capacity(operations.len());
        for Share { pool, positions, .. } in self.divide(operations) {
            let hangs_up = pool.watch().hang_ups().are_there();
            let is_kept = |position: &usize| hangs_up && is_lost(results, *position);
            keeps.extend(positions.iter().map(is_kept));
        }
        self.retain(operations, &keeps);
    }
}

/// Whether the operation at `position` was lost with its connection, and may be sent again.
fn is_lost<T>(results: &Many<T>, position: usize) -> bool {
    let result = results.results().get(position);
    let error = result.and_then(|result| result.as_ref().err());
    error.is_some_and(|error| error.kind() == ErrorKind::Closed && !error.is_ambiguous())
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, time::Duration};
    use std::{sync::Arc, time::Instant};

    use memring_core::health::HealthPolicy;
    use memring_text::{Get, Key, request::GetVerb};

    use super::*;
    use crate::{
        any_operation::AnyOperation, clock::Clock, config::Config, route::Fleet, spec::ServerSpec,
        watch::Watch,
    };

    struct Pool(Watch);

    impl Watched for Pool {
        fn watch(&self) -> &Watch {
            &self.0
        }
    }

    thread_local! {
        /// How long ago the test began: no time passes by itself.
        static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        static BEGIN: Instant = Instant::now();
    }

    const CLOCK: Clock = Clock { monotonic: || BEGIN.with(|begin| *begin) + PASSED.get(), ..Clock::SYSTEM };

    fn fleet() -> Fleet<Pool> {
        let config = Config {
            servers: ServerSpec::read_all(["a:1"]).unwrap(),
            health_policy: Some(HealthPolicy { failures: 1, ..HealthPolicy::DEFAULT }),
            ..Config::default()
        };
        Fleet::build(&Arc::new(config), CLOCK, |_: &ServerSpec, watch| Ok(Pool(watch))).unwrap()
    }

    /// The operations that are left of a `gat` and these `verbs`, and how many are refused.
    fn heed(fleet: &Fleet<Pool>, verbs: &[GetVerb]) -> (Vec<GetVerb>, usize) {
        let (key, mut scratch) = (Key::new(b"k").unwrap(), Vec::new());
        let verbs = [&[GetVerb::Gat(1)], verbs].concat();
        let keys = vec![key.as_bytes(); verbs.len()];
        let mut shares = Shares::new("run", fleet, b"", keys.iter().copied(), &keys, &mut scratch).unwrap();
        let get = |verb: &GetVerb| AnyOperation::Get(Get { verb: *verb, key });
        let mut operations: Vec<_> = verbs.iter().map(get).collect();
        let refused = shares.heed("run", &mut operations);
        assert!(refused.iter().all(|(_, error)| error.kind() == ErrorKind::Unsupported));
        assert_eq!(shares.positions().len(), operations.len());
        let verb = |operation: &AnyOperation<'_>| match operation {
            AnyOperation::Get(get) => get.verb,
            other => panic!("{other:?}"),
        };
        (operations.iter().map(verb).collect(), refused.len())
    }

    #[test]
    fn what_a_server_hangs_up_at_is_taken_out_of_its_share() {
        let fleet = fleet();
        assert_eq!(heed(&fleet, &[GetVerb::Get]), (vec![GetVerb::Gat(1), GetVerb::Get], 0));
        let key = Key::new(b"other").unwrap();
        fleet.pool(0).watch().has_hung_up(&Get { verb: GetVerb::Gat(7), key }.request());
        assert_eq!(heed(&fleet, &[GetVerb::Get, GetVerb::Gat(2)]), (vec![GetVerb::Get], 2));
        assert_eq!(fleet.pool(0).watch().counters().counts().errors, 1, "one error a batch");
    }

    #[test]
    fn a_trial_that_is_taken_out_is_left_to_the_next_operation() {
        let fleet = fleet();
        let watch = fleet.pool(0).watch();
        watch.has_hung_up(&Get { verb: GetVerb::Gat(1), key: Key::new(b"k").unwrap() }.request());
        watch.attempt("get", CLOCK.now(), false).ended(Err::<(), _>(&Cause::Closed(None)));
        assert_eq!(heed(&fleet, &[]).1, 0, "it is down, which is told first");
        PASSED.set(HealthPolicy::DEFAULT.max_wait);
        assert_eq!(heed(&fleet, &[]), (Vec::new(), 1));
        assert!(fleet.route(b"k").unwrap().is_probe, "nobody else is kept from the trial");
    }
}
