//! Histograms and counters of `metrics`.

use std::time::Instant;

use metrics::Label;

use super::Ended;
use crate::{clock::Clock, failure::Event, fetch::LeaseEvent};

/// The labels of one server, and the clock.
#[derive(Debug)]
pub(super) struct Server {
    labels: Vec<Label>,
    clock: Clock,
}

/// One operation, and when it began.
#[derive(Debug)]
pub(super) struct Part {
    operation: &'static str,
    begun: Instant,
}

impl Server {
    pub(super) fn new(address: &str, port: Option<u16>, clock: Clock) -> Self {
        let mut labels = vec![
            Label::from_static_parts("db.system.name", "memcached"),
            Label::new("server.address", address.to_owned()),
        ];
        labels.extend(port.map(|port| Label::new("server.port", port.to_string())));
        Self { labels, clock }
    }

    pub(super) fn begin(&self, operation: &'static str) -> Part {
        Part { operation, begun: self.clock.now() }
    }

    pub(super) fn found(&self, hits: u64, misses: u64) {
        for (outcome, count) in [("hit", hits), ("miss", misses)] {
            if count > 0 {
                let mut labels = self.labels.clone();
                labels.push(Label::from_static_parts("outcome", outcome));
                metrics::counter!("memring.lookup", labels).increment(count);
            }
        }
    }

    pub(super) fn end(&self, part: &Part, ended: Ended) {
        let took = self.clock.now().saturating_duration_since(part.begun);
        let mut labels = self.labels.clone();
        labels.push(Label::from_static_parts("db.operation.name", part.operation));
        labels.extend(ended.error_type().map(|error| Label::new("error.type", error)));
        metrics::histogram!("db.client.operation.duration", labels).record(took.as_secs_f64());
    }
}

pub(super) fn event(event: &Event<'_>) {
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
        Event::Failed { .. } => {}
        Event::Fetched { outcome, waited, loading } => {
            let outcome = format!("{outcome:?}");
            metrics::counter!("memring.fetch", "outcome" => outcome.clone()).increment(1);
            metrics::histogram!("memring.fetch.wait_time", "outcome" => outcome).record(waited.as_secs_f64());
            if let Some(loading) = loading {
                metrics::histogram!("memring.fetch.load_time").record(loading.as_secs_f64());
            }
        }
        Event::Lease { event } => {
            let event = match event {
                LeaseEvent::GaveBack => "GaveBack",
                LeaseEvent::TookOver => "TookOver",
                LeaseEvent::Late { .. } => "Late",
            };
            metrics::counter!("memring.fetch.lease", "event" => event).increment(1);
        }
        Event::ServersChanged { share, .. } => {
            metrics::counter!("memring.discovery.changes").increment(1);
            metrics::histogram!("memring.discovery.moved_share").record(*share);
        }
        Event::AddressChanged { .. } => {
            metrics::counter!("memring.discovery.address_changes", "server" => server()).increment(1);
        }
        Event::ChangeRefused { .. } => metrics::counter!("memring.discovery.refused").increment(1),
        // Each question is counted, not only the first that fails.
        Event::SourceFailed { .. } | Event::SourceRecovered {} => {}
    }
}

pub(super) fn asked(is_answered: bool) {
    let outcome = if is_answered { "answered" } else { "failed" };
    metrics::counter!("memring.discovery.polls", "outcome" => outcome).increment(1);
}

pub(super) fn discovered(slots: usize, free: usize) {
    metrics::gauge!("memring.discovery.servers").set(slots as f64);
    metrics::gauge!("memring.discovery.free_slots").set(free as f64);
}
