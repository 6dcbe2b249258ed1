//! The contestants: each asked in the way its authors mean it.

use async_memcached::AsciiProtocol;
use memcache::exp::AsyncMemcache;
use memring_tokio::Ttl;
use mtop_client::{
    MemcachedClient, MemcachedClientConfig, RendezvousSelector, Server, ServerID, TcpClientFactory,
};

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One connection for each task and server, as it has no pool.
    AsyncMemcached,
    /// Its pool of connections, one for each operation under way.
    Memcache,
    /// Its pool, with room for all tasks.
    Mtop,
    /// Ours, one connection for each server.
    Memring,
    /// Ours, each get a request of its own.
    MemringUnmerged,
    /// Ours, into the caller's buffer.
    MemringInto,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::AsyncMemcached,
        Self::Memcache,
        Self::Mtop,
        Self::Memring,
        Self::MemringUnmerged,
        Self::MemringInto,
    ];

    /// Whether it differs from another one in its gets only.
    pub(crate) const fn is_about_gets(self) -> bool {
        matches!(self, Self::MemringUnmerged | Self::MemringInto)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AsyncMemcached => "async-memcached 0.9",
            Self::Memcache => "memcache 0.21",
            Self::Mtop => "mtop-client 0.17",
            Self::Memring => "memring-tokio",
            Self::MemringUnmerged => "memring-tokio, merging off",
            Self::MemringInto => "memring-tokio, get_into",
        }
    }
}

/// What the tasks of one run share.
#[derive(Clone)]
pub(crate) enum Shared {
    AsyncMemcached(Vec<String>),
    Memcache(AsyncMemcache),
    Mtop(std::sync::Arc<MemcachedClient>),
    Memring { client: memring_tokio::Client, into: bool },
}

impl Shared {
    pub(crate) async fn new(kind: Kind, servers: &[String]) -> Self {
        match kind {
            Kind::AsyncMemcached => Self::AsyncMemcached(servers.to_vec()),
            Kind::Memcache => Self::Memcache(
                AsyncMemcache::connect(servers.iter().map(String::as_str)).await.expect("servers"),
            ),
            Kind::Mtop => {
                let server = |address: &String| Server::without_name(ServerID::Name(address.clone()));
                let servers = servers.iter().map(server).collect();
                let config =
                    MemcachedClientConfig { pool_max_idle: 1000, ..MemcachedClientConfig::default() };
                let handle = tokio::runtime::Handle::current();
                let selector = RendezvousSelector::new(servers);
                Self::Mtop(MemcachedClient::new(config, handle, selector, TcpClientFactory).into())
            }
            Kind::Memring | Kind::MemringUnmerged | Kind::MemringInto => {
                let builder = memring_tokio::Client::builder().servers(servers.iter().map(String::as_str));
                let client = builder.merge_gets(kind != Kind::MemringUnmerged).build().expect("servers");
                Self::Memring { client, into: kind == Kind::MemringInto }
            }
        }
    }

    /// What one task uses.
    pub(crate) async fn for_task(self) -> Caller {
        match self {
            Self::AsyncMemcached(servers) => {
                let mut clients = Vec::new();
                for server in servers {
                    clients.push(
                        async_memcached::Client::new(format!("tcp://{server}")).await.expect("a server"),
                    );
                }
                Caller::AsyncMemcached { clients, turn: 0 }
            }
            Self::Memcache(client) => Caller::Memcache(client),
            Self::Mtop(client) => Caller::Mtop(client),
            Self::Memring { client, into } => Caller::Memring { client, room: into.then(Vec::new) },
        }
    }
}

/// A client in the hands of one task.
pub(crate) enum Caller {
    /// It knows one server each, so the servers take turns. Items are stored on all of them.
    AsyncMemcached {
        clients: Vec<async_memcached::Client>,
        turn: usize,
    },
    Memcache(AsyncMemcache),
    Mtop(std::sync::Arc<MemcachedClient>),
    Memring {
        client: memring_tokio::Client,
        room: Option<Vec<u8>>,
    },
}

impl Caller {
    /// Reads an item, and returns the length of its value.
    pub(crate) async fn get(&mut self, key: &str) -> usize {
        match self {
            Self::AsyncMemcached { clients, turn } => {
                let value = next(clients, turn).get(key).await.expect("an answer").expect("a hit");
                value.data.expect("a value").len()
            }
            Self::Memcache(client) => {
                client.get::<Vec<u8>>(key).await.expect("an answer").expect("a hit").len()
            }
            Self::Mtop(client) => {
                let response = client.get([key]).await.expect("an answer");
                response.values.get(key).expect("a hit").data.len()
            }
            Self::Memring { client, room: Some(room) } => {
                room.clear();
                client.get_into(key, &mut *room).await.expect("an answer").expect("a hit");
                room.len()
            }
            Self::Memring { client, room: None } => {
                client.get(key).await.expect("an answer").expect("a hit").value.len()
            }
        }
    }

    /// Stores an item.
    pub(crate) async fn set(&mut self, key: &str, value: &[u8]) {
        match self {
            Self::AsyncMemcached { clients, turn } => {
                next(clients, turn).set(key, value, None, None).await.expect("stored");
            }
            Self::Memcache(client) => {
                client.set(key, value, memcache::exp::Ttl::secs(86_400)).await.expect("stored")
            }
            Self::Mtop(client) => client.set(key, 0, 0, value).await.expect("stored"),
            Self::Memring { client, .. } => client.set(key, value, Ttl::NEVER).await.expect("stored"),
        }
    }

    /// Stores an item where [`get`](Self::get) will find it, whoever's turn it is then.
    pub(crate) async fn fill(&mut self, key: &str, value: &[u8]) {
        if let Self::AsyncMemcached { clients, .. } = self {
            for client in clients {
                client.set(key, value, None, None).await.expect("stored");
            }
        } else {
            self.set(key, value).await;
        }
    }
}

fn next<'c>(clients: &'c mut [async_memcached::Client], turn: &mut usize) -> &'c mut async_memcached::Client {
    *turn = (*turn + 1) % clients.len();
    &mut clients[*turn]
}
