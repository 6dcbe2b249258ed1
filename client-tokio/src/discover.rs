//! Finding out the servers: a task asks the source, and ends with the client.

use core::time::Duration;

use memring_client::{
    Common, Config, WeakCommon,
    discovery::{Discovery, Source},
    failure::{Cause, Error},
    roster::{Answer, Why},
};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    deadline::{CLOCK, check_runtime},
    pool::Pool,
};

/// Asks the source of `config` for the servers, and has it asked again for as long as the client is there.
pub(crate) async fn start(config: Config) -> Result<Common<Pool>, Error> {
    let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime).and_then(|_| check_runtime());
    runtime.map_err(|cause| Error::new("discover", cause))?;
    let mut asking = config.discovery.as_ref().map(Asking::new);
    let asked = match &mut asking {
        Some(asking) => asking.ask().await,
        None => Err(Why::Empty),
    };
    let (wake, woken) = watch::channel(());
    // The task may have ended.
    let wake = move || {
        let _ = wake.send(());
    };
    let common = Common::discover(config, CLOCK, asked, wake, Pool::new)?;
    if let Some(asking) = asking {
        tokio::spawn(asking.follow(common.downgrade(), woken, common.next_poll()));
    }
    Ok(common)
}

/// The source, with the question that is under way.
struct Asking {
    source: Source,
    timeout: Duration,
    /// A question that took too long. There is no other before it is answered.
    late: Option<JoinHandle<Result<Answer, Why>>>,
}

impl Asking {
    fn new(discovery: &Discovery) -> Self {
        Self { source: discovery.source.clone(), timeout: discovery.pace.timeout, late: None }
    }

    /// Asks whenever it is time, or when it is woken, until the client is gone.
    async fn follow(
        mut self,
        client: WeakCommon<Pool>,
        mut woken: watch::Receiver<()>,
        next: std::time::Instant,
    ) {
        let mut next = next;
        loop {
            if let Ok(Err(_)) = timeout_at(Instant::from_std(next), woken.changed()).await {
                return;
            }
            let asked = self.ask().await;
            let Some(client) = client.upgrade() else { return };
            match client.asked(asked, Pool::new) {
                Some(at) => next = at,
                None => return,
            }
        }
    }

    /// Asks once. A file or a function may block, so it is asked where that is allowed.
    async fn ask(&mut self) -> Result<Answer, Why> {
        let mut answer = match self.late.take() {
            Some(late) => late,
            None => {
                let source = self.source.clone();
                spawn_blocking(move || source.ask())
            }
        };
        match timeout(self.timeout, &mut answer).await {
            Ok(Ok(asked)) => asked,
            Ok(Err(_)) => Err(Why::Source("the function panicked".into())),
            Err(_) => {
                self.late = Some(answer);
                Err(Why::Late(self.timeout))
            }
        }
    }
}
