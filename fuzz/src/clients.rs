//! The law of whole clients: whatever becomes of replies and connections, what a client says is true.

mod server;

use std::{cell::OnceCell, collections::BTreeSet, time::Duration};

use arbitrary::Arbitrary;
use memring_core::peers::pymemcache::PYMEMCACHE_RENDEZVOUS;
use tokio::runtime::{Builder, Runtime};

pub use self::server::Fate;
use self::server::World;

/// One operation, and what the server makes of its reply.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Step {
    /// What is asked.
    pub ask: Ask,
    /// About which key, counted round.
    pub key: u8,
    /// What becomes of the reply.
    pub fate: Fate,
}

/// What a client is asked for.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Ask {
    /// The value.
    Get,
    /// All values.
    GetMany,
    /// A value that no step stores twice.
    Set,
    /// The key is to be gone.
    Delete,
}

/// Both clients ask a real server over a Unix socket, which cuts replies into pieces, closes in the middle of them, and
/// sends what nobody asked for, in their place or behind them:
///
/// - A value that a client hands out is the one that the key may have by all that was said before.
/// - A reply that comes whole, in however many pieces, is no error, whatever became of the replies before it.
pub fn clients_tell_the_truth(script: &[Step]) {
    let script = &script[..script.len().min(MOST_STEPS)];
    run(script, |path| {
        memring_std::Client::builder()
            .scheme(PYMEMCACHE_RENDEZVOUS)
            .servers([path])
            .timeout(PATIENCE)
            .health_policy(None)
            .build()
            .expect("it is right")
    });
    run(script, |path| {
        memring_tokio::Client::builder()
            .scheme(PYMEMCACHE_RENDEZVOUS)
            .servers([path])
            .timeout(PATIENCE)
            .health_policy(None)
            .build()
            .expect("it is right")
    });
}

/// Longer scripts are slow, and say nothing new.
const MOST_STEPS: usize = 24;

/// No reply takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Some of them begin like others.
const KEYS: [&str; 4] = ["k", "kk", "key", "END"];

fn run<C: Client>(script: &[Step], connect: impl FnOnce(&str) -> C) {
    let world = World::new();
    let client = connect(world.path());
    // What each key may have: more than one thing after an error.
    let mut may_have = KEYS.map(|_| BTreeSet::from([None]));
    for (number, step) in script.iter().enumerate() {
        world.is_to_meet(step.fate);
        let which = usize::from(step.key) % KEYS.len();
        let key = KEYS[which];
        let is_answered = match step.ask {
            Ask::Get => client.get(key).map(|found| see(&mut may_have[which], key, found)).is_some(),
            Ask::GetMany => {
                let all = client.get_many();
                let is_answered = all.iter().all(Option::is_some);
                for ((may_have, key), found) in may_have.iter_mut().zip(KEYS).zip(all) {
                    if let Some(found) = found {
                        see(may_have, key, found);
                    }
                }
                is_answered
            }
            Ask::Set => {
                let value = format!("{number}:{key}");
                let is_stored = client.set(key, &value);
                store(&mut may_have[which], Some(value.into_bytes()), is_stored)
            }
            Ask::Delete => {
                let is_gone = client.delete(key);
                store(&mut may_have[which], None, is_gone)
            }
        };
        assert!(is_answered || !step.fate.is_whole(), "no answer to step {number} of {script:?}");
    }
}

/// Values that a key may have, or none.
type MayHave = BTreeSet<Option<Vec<u8>>>;

/// Holds what a client found against what the key may have.
fn see(may_have: &mut MayHave, key: &str, found: Option<Vec<u8>>) {
    assert!(may_have.contains(&found), "{key} has {found:?}, not one of {may_have:?}");
    *may_have = BTreeSet::from([found]);
}

/// After an error nobody knows whether it was done.
fn store(may_have: &mut MayHave, value: Option<Vec<u8>>, is_done: bool) -> bool {
    if is_done {
        may_have.clear();
    }
    may_have.insert(value);
    is_done
}

/// What both clients do; nothing, or `false`, is an error.
trait Client {
    fn get(&self, key: &str) -> Option<Option<Vec<u8>>>;
    fn get_many(&self) -> Vec<Option<Option<Vec<u8>>>>;
    fn set(&self, key: &str, value: &str) -> bool;
    fn delete(&self, key: &str) -> bool;
}

impl Client for memring_std::Client {
    fn get(&self, key: &str) -> Option<Option<Vec<u8>>> {
        self.get(key).ok().map(|found| found.map(|item| item.value))
    }

    fn get_many(&self) -> Vec<Option<Option<Vec<u8>>>> {
        let many = self.get_many(&KEYS).expect("they are keys").into_results();
        many.into_iter().map(|found| Some(found.ok()?.map(|item| item.value))).collect()
    }

    fn set(&self, key: &str, value: &str) -> bool {
        self.set(key, value, memring_std::Ttl::NEVER).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        self.delete(key).is_ok()
    }
}

impl Client for memring_tokio::Client {
    fn get(&self, key: &str) -> Option<Option<Vec<u8>>> {
        wait(self.get(key)).ok().map(|found| found.map(|item| item.value.to_vec()))
    }

    fn get_many(&self) -> Vec<Option<Option<Vec<u8>>>> {
        let many = wait(self.get_many(&KEYS)).expect("they are keys").into_results();
        many.into_iter().map(|found| Some(found.ok()?.map(|item| item.value.to_vec()))).collect()
    }

    fn set(&self, key: &str, value: &str) -> bool {
        wait(self.set(key, value, memring_tokio::Ttl::NEVER)).is_ok()
    }

    fn delete(&self, key: &str) -> bool {
        wait(self.delete(key)).is_ok()
    }
}

/// Waits on a runtime of this thread.
fn wait<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    }
    RUNTIME.with(|runtime| {
        runtime
            .get_or_init(|| Builder::new_current_thread().enable_all().build().expect("a runtime"))
            .block_on(future)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each operation with each fate, between others that come whole.
    #[test]
    fn ordinary_scripts_obey() {
        let lens = [0, 1, 7, 12, 20];
        let pieces = lens.map(Fate::Pieces).into_iter().chain(lens.map(Fate::Cut));
        let foreign = (0..8).map(Fate::Behind).chain((0..8).map(Fate::Instead));
        for fate in pieces.chain(foreign) {
            for ask in [Ask::Get, Ask::GetMany, Ask::Set, Ask::Delete] {
                let whole = |ask| Step { ask, key: 1, fate: Fate::Whole };
                let odd = Step { ask, key: 1, fate };
                clients_tell_the_truth(&[
                    whole(Ask::Set),
                    odd,
                    whole(Ask::Get),
                    odd,
                    odd,
                    whole(Ask::GetMany),
                ]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "not one of")]
    fn a_foreign_value_is_noticed() {
        see(&mut BTreeSet::from([None]), "k", Some(b"bad".to_vec()));
    }
}
