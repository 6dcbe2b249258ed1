//! What `tracing` and `metrics` get to see.

use core::fmt::{self, Write as _};
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use memring_std::{Ttl, testing::Server};
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::set_default,
};

use crate::{client::Client, run::promises};

promises! {
    operations_have_a_span_and_a_duration_by_their_usual_names
}

/// Notes everything as lines of text.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// Whether a line has all of these parts.
    fn have(&self, parts: &[&str]) -> bool {
        self.0.lock().unwrap().iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }
}

struct Durations(Notes, String);

impl HistogramFn for Durations {
    fn record(&self, value: f64) {
        assert!(value >= 0.0);
        self.0.add(self.1.clone());
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.add(format!("{key}"));
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Durations(self.clone(), format!("{key}"))))
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("memring")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = Line("span".into());
        span.record(&mut line);
        self.add(line.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line("record".into());
        values.record(&mut line);
        self.add(line.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line("event".into());
        event.record(&mut line);
        self.add(line.0);
    }

    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

async fn operations_have_a_span_and_a_duration_by_their_usual_names<C: Client>() {
    let server = Server::start().unwrap();
    let port = server.addr().port();
    let (spans, durations) = (Notes::default(), Notes::default());
    let (_traced, _measured) = (set_default(spans.clone()), set_default_local_recorder(&durations));
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let gone = C::connect([refusing]).unwrap();
    // Twice: another test, which nobody listens to, may have come by a span at this very moment, and then nobody hears of it
    // until it is asked again who listens.
    for _ in 0..2 {
        let client = C::connect([server.addr().to_string()]).unwrap();
        client.set("secret", "secret", Ttl::NEVER).await.unwrap();
        client.get_many(&["secret"]).await.unwrap().all().unwrap();
        gone.get("secret").await.unwrap_err();
        tracing::callsite::rebuild_interest_cache();
    }

    let port = port.to_string();
    let system = "db.system.name=\"memcached\"";
    for name in ["set", "get_many", "get"] {
        assert!(spans.have(&["span", system, &format!("db.operation.name={name:?}")]), "{name}");
    }
    assert!(spans.have(&["span", "server.address=\"127.0.0.1\"", &format!("server.port={port}")]));
    assert!(spans.have(&["record", "error.type=\"Connect\""]));
    assert!(spans.have(&["event", "connected"]) && spans.have(&["event", "operation failed"]));

    let name = "db.client.operation.duration";
    assert!(durations.have(&[name, "db.system.name = memcached", "db.operation.name = set", &port]));
    assert!(durations.have(&[name, "db.operation.name = get_many", "server.address = 127.0.0.1"]));
    assert!(durations.have(&[name, "db.operation.name = get,", "error.type = Connect"]));
    assert!(durations.have(&["db.client.connection.create_time"]));
    assert!(!spans.have(&["secret"]) && !durations.have(&["secret"]));
}
