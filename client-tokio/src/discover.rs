//! Finding out the servers: a task asks the source, and ends with the client.

use core::time::Duration;

use memring_client::{
    Common, Config, WeakCommon,
    discovery::{ClusterSource, Discovery, Local, Source},
    failure::{Cause, Error},
    roster::{Answer, Why},
    spec::ServerSpec,
};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    deadline::{CLOCK, Deadline, check_runtime},
    pool::Pool,
};

mod cluster;

/// Asks the source of `config` for the servers, and has it asked again for as long as the client is there.
pub(crate) async fn start(config: Config) -> Result<Common<Pool>, Error> {
    let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime).and_then(|_| check_runtime());
    runtime.map_err(|cause| Error::new("discover", cause))?;
    let discovery = config.discovery.clone();
    let mut asking = discovery.map(|discovery| Asking::new(discovery, config.clone()));
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
    if let Some(mut asking) = asking {
        asking.known = common.known_servers();
        tokio::spawn(asking.follow(common.downgrade(), woken, common.next_poll()));
    }
    Ok(common)
}

/// The source, with what is needed to ask it.
struct Asking {
    source: Source,
    timeout: Duration,
    config: Config,
    /// The servers that are there, of which any may know the others.
    known: Vec<ServerSpec>,
    /// A question that took too long. There is no other before it is answered.
    late: Option<JoinHandle<Result<Answer, Why>>>,
}

impl Asking {
    fn new(discovery: Discovery, config: Config) -> Self {
        let Discovery { source, pace, .. } = discovery;
        Self { source, timeout: pace.timeout, config, known: Vec::new(), late: None }
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
            self.known = client.known_servers();
        }
    }

    async fn ask(&mut self) -> Result<Answer, Why> {
        match self.source.clone() {
            Source::Local(local) => self.call(local).await,
            Source::Cluster(cluster) => self.command(&cluster).await,
        }
    }

    /// Asks for the servers of a cluster, until somebody knows them. Only the endpoint itself may say that there is none.
    async fn command(&self, source: &ClusterSource) -> Result<Answer, Why> {
        let servers = source.candidates(&self.known);
        let end = Deadline::after(self.timeout);
        let mut first = None;
        let to_go = (1..=u32::try_from(servers.len()).unwrap_or(u32::MAX)).rev();
        for (server, to_go) in servers.iter().zip(to_go) {
            let part = end.at().saturating_duration_since(Instant::now()) / to_go;
            let why = match cluster::ask(server, &self.config, Deadline::after(part)).await {
                Ok(Ok(cluster)) => return Ok(source.answer(&cluster, &self.config)),
                Ok(Err(error)) if first.is_none() && error.is_no_cluster() => return source.failed(&error),
                Ok(Err(error)) => Why::Source(format!("{}: {error}", server.address())),
                Err(cause) => Why::Source(format!("{}: {cause}", server.address())),
            };
            first.get_or_insert(why);
        }
        Err(first.unwrap_or(Why::Empty))
    }

    /// Asks by a call, which can hang for longer than any deadline and cannot be interrupted, so it is made where that is allowed.
    async fn call(&mut self, source: Local) -> Result<Answer, Why> {
        let mut answer = match self.late.take() {
            Some(late) => late,
            None => spawn_blocking(move || source.ask()),
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
