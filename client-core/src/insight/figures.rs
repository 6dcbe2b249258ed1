//! Histograms and counters of `metrics`.

use core::mem;
use std::{sync::Arc, time::Instant};

use metrics::Label;

use super::{Ended, Peer};
use crate::failure::Event;

/// The labels and the beginning of one operation.
#[derive(Debug)]
pub(super) struct Part {
    begun: Instant,
    labels: Vec<Label>,
}

impl Part {
    pub(super) fn new(peer: &Peer, operation: &'static str) -> Self {
        let mut labels = vec![
            Label::from_static_parts("db.system.name", "memcached"),
            Label::from_static_parts("db.operation.name", operation),
            Label::new("server.address", Arc::clone(&peer.address)),
        ];
        labels.extend(peer.port.map(|port| Label::new("server.port", port.to_string())));
        Self { begun: Instant::now(), labels }
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        let mut labels = mem::take(&mut self.labels);
        labels.extend(ended.error_type().map(|error| Label::new("error.type", error)));
        metrics::histogram!("db.client.operation.duration", labels)
            .record(self.begun.elapsed().as_secs_f64());
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
    }
}
