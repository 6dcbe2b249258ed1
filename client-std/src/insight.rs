//! What operations and connections look like to `tracing` and `metrics`, under the names that OpenTelemetry has for
//! databases. Without these features nothing of this is there.

use memring_client::{
    failure::{ErrorKind, Observer},
    spec::Address,
};

/// Where a server is, for whoever looks on.
#[derive(Debug)]
pub(crate) struct Place {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    address: std::sync::Arc<str>,
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    port: Option<u16>,
}

impl Place {
    /// The place of `address`.
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(crate) fn new(address: &Address) -> Self {
        match address {
            Address::Tcp { host, port } => Self { address: host.as_str().into(), port: Some(*port) },
            Address::Unix(path) => Self { address: path.as_str().into(), port: None },
        }
    }

    /// Nobody looks on.
    #[cfg(not(any(feature = "metrics", feature = "tracing")))]
    pub(crate) const fn new(_: &Address) -> Self {
        Self {}
    }
}

/// One operation on one server, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Sight {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    is_over: bool,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    #[cfg(feature = "metrics")]
    measured: Measured,
}

#[cfg(feature = "metrics")]
#[derive(Debug)]
struct Measured {
    begun: std::time::Instant,
    labels: Vec<metrics::Label>,
}

impl Sight {
    /// `operation` begins.
    #[inline(always)]
    pub(crate) fn new(place: &Place, operation: &'static str) -> Self {
        #[cfg(not(any(feature = "metrics", feature = "tracing")))]
        let _ = (place, operation);
        Self {
            #[cfg(any(feature = "metrics", feature = "tracing"))]
            is_over: false,
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!(
                "memcached",
                otel.kind = "client",
                db.system.name = "memcached",
                db.operation.name = operation,
                server.address = &*place.address,
                server.port = place.port,
                error.r#type = tracing::field::Empty,
            ),
            #[cfg(feature = "metrics")]
            measured: Measured::new(place, operation),
        }
    }

    /// It has ended, with an error or without, or was dropped: then there is no kind. The first word counts.
    #[inline(always)]
    pub(crate) fn ended(&mut self, result: Result<(), Option<ErrorKind>>) {
        #[cfg(not(any(feature = "metrics", feature = "tracing")))]
        let _ = result;
        #[cfg(any(feature = "metrics", feature = "tracing"))]
        if !core::mem::replace(&mut self.is_over, true) {
            let error = result
                .err()
                .map(|kind| kind.map_or_else(|| "Dropped".to_owned(), |kind| format!("{kind:?}")));
            #[cfg(feature = "tracing")]
            if let Some(error) = &error {
                self.span.record("error.type", &**error);
            }
            #[cfg(feature = "metrics")]
            self.measured.ended(error);
        }
    }
}

#[cfg(feature = "metrics")]
impl Measured {
    fn new(place: &Place, operation: &'static str) -> Self {
        use metrics::Label;

        let mut labels = vec![
            Label::from_static_parts("db.system.name", "memcached"),
            Label::from_static_parts("db.operation.name", operation),
            Label::new("server.address", std::sync::Arc::clone(&place.address)),
        ];
        labels.extend(place.port.map(|port| Label::new("server.port", port.to_string())));
        Self { begun: std::time::Instant::now(), labels }
    }

    fn ended(&mut self, error: Option<String>) {
        let mut labels = core::mem::take(&mut self.labels);
        labels.extend(error.map(|error| metrics::Label::new("error.type", error)));
        metrics::histogram!("db.client.operation.duration", labels)
            .record(self.begun.elapsed().as_secs_f64());
    }
}

/// The observer that tells `tracing` and `metrics`, too.
#[cfg(any(feature = "metrics", feature = "tracing"))]
pub(crate) fn observer(observer: Observer) -> Observer {
    Observer::new(move |event| {
        observer.tell(|| *event);
        #[cfg(feature = "tracing")]
        trace(event);
        #[cfg(feature = "metrics")]
        count(event);
    })
}

/// The same observer: nobody else wants to know.
#[cfg(not(any(feature = "metrics", feature = "tracing")))]
pub(crate) const fn observer(observer: Observer) -> Observer {
    observer
}

#[cfg(feature = "tracing")]
fn trace(event: &memring_client::failure::Event<'_>) {
    use memring_client::failure::Event;

    match event {
        Event::ServerDown { server, retry_after, .. } => {
            tracing::warn!(server, ?retry_after, "memcached server is left alone");
        }
        Event::ServerUp { server, .. } => tracing::info!(server, "memcached server answers again"),
        Event::Connected { server, took, .. } => tracing::debug!(server, ?took, "connected"),
        Event::Disconnected { server, cause, .. } => tracing::debug!(server, %cause, "disconnected"),
        Event::Retried { server, .. } => tracing::debug!(server, "sent again over another connection"),
        Event::Rerouted { server, to, operation, .. } => {
            tracing::debug!(server, to, operation, "another server stands in");
        }
        Event::Failed { error, .. } => tracing::debug!(%error, "operation failed"),
        _ => {}
    }
}

#[cfg(feature = "metrics")]
fn count(event: &memring_client::failure::Event<'_>) {
    use memring_client::failure::Event;

    let server = || event.server().unwrap_or_default().to_owned();
    match event {
        Event::Connected { took, .. } => {
            let took = took.as_secs_f64();
            metrics::histogram!("db.client.connection.create_time", "db.client.connection.pool.name" => server())
                .record(took);
        }
        Event::Disconnected { cause, .. } => {
            let cause = format!("{cause:?}");
            metrics::counter!("memring.connection.lost", "server" => server(), "error.type" => cause)
                .increment(1);
        }
        Event::ServerDown { .. } => {
            metrics::counter!("memring.server.down", "server" => server()).increment(1);
        }
        Event::ServerUp { .. } => metrics::counter!("memring.server.up", "server" => server()).increment(1),
        Event::Retried { .. } => {
            metrics::counter!("memring.connection.retried", "server" => server()).increment(1);
        }
        Event::Rerouted { .. } => {
            metrics::counter!("memring.operation.rerouted", "server" => server()).increment(1);
        }
        _ => {}
    }
}
