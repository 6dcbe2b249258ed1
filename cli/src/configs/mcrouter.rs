//! mcrouter: its JSON with remarks, as far as routes to pools go.
//!
//! Only places in the list of a pool count. Source: mcrouter at 9d7f4342 `lib/HashSelector.h`,
//! `mcrouter/routes/HashRouteFactory.h`, `mcrouter/PoolFactory.cpp`.

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Item, Program, Value, find},
    servers,
    tokens::Notation,
};

pub(super) const KIND: Kind = Kind {
    name: "mcrouter",
    about: "mcrouter: its JSON of pools and routes",
    is_it: |text| {
        let has = |part: &str| text.contains(part);
        has("\"pools\"") && (has("\"servers\"") || has("Route"))
    },
    read: Read::Program(Notation::C, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    program.check_brackets()?;
    let whole = program.value();
    let pools = whole.value.get("pools").map(|pools| &pools.value);
    let pools = pools
        .and_then(Value::items)
        .ok_or_else(|| ConfigError::of("no \"pools\": write { \"pools\": { NAME: … } }"))?;
    let mut found = Found::default();
    for key in ["route", "routes", "named_handles"] {
        if let Some(route) = whole.value.get(key) {
            found.walk(route, pools, 0)?;
        }
    }
    let has_routes = !found.routes.is_empty();
    if !has_routes {
        for pool in pools {
            if let Some(name) = pool.key.as_ref().and_then(Value::text) {
                found.routes.push(pool_route(name, Some(&pool.value), None, pool.line)?);
            }
        }
    }
    let others = found.others.join(", ");
    let mut readings = Vec::new();
    for route in &found.routes {
        let mut reading = route.reading(pools)?;
        if !has_routes && others.is_empty() {
            reading.warn("no-route", "no route to this pool is found; it is read as PoolRoute goes to it");
        } else if !has_routes {
            // Such as AllSyncRoute, which goes to every server.
            reading.scheme = None;
            reading.options.clear();
        }
        if !others.is_empty() {
            let says = format!(
                "{others}: such routes choose between pools, or copy or move keys; this is the pool alone"
            );
            reading.warn("routes-decide", says);
        }
        readings.push(reading);
    }
    if readings.is_empty() {
        return Err(ConfigError::of("no pools"));
    }
    tell_apart(&mut readings, &found.routes);
    Ok(readings)
}

/// Gives readings of one pool by several hashes names of their own: `POOL|HASH`, and a number where that is one, too.
fn tell_apart(readings: &mut [Reading], routes: &[Route]) {
    let names: Vec<_> = readings.iter().map(|reading| reading.pool.clone()).collect();
    let mut seen = Vec::new();
    for ((reading, route), name) in readings.iter_mut().zip(routes).zip(&names) {
        if names.iter().filter(|other| *other == name).count() < 2 {
            continue;
        }
        let hash = route.function.as_deref().unwrap_or("Ch3");
        let mut own = format!("{}|{hash}", route.pool);
        if let Some(salt) = &route.salt {
            own += &format!("|{salt}");
        }
        let same = seen.iter().filter(|other| **other == own).count();
        seen.push(own.clone());
        reading.pool = Some(if same == 0 { own } else { format!("{own}|{}", same + 1) });
    }
}

/// A route to a pool.
#[derive(Clone, Debug, Default, PartialEq)]
struct Route {
    pool: String,
    function: Option<String>,
    salt: Option<String>,
    weights: Option<Vec<String>>,
    /// Whether `bucketize` chooses between buckets before it does between servers.
    is_in_buckets: bool,
    line: usize,
}

/// The hash that weights are for.
const WEIGHTED: &str = "WeightedCh3";

/// Routes that a tree of them ends at.
#[derive(Default)]
struct Found {
    routes: Vec<Route>,
    /// The types of others, on which it depends what comes to the pools.
    others: Vec<String>,
}

/// How deep routes may stand in each other.
const DEEPEST: usize = 64;

impl Found {
    fn walk(&mut self, item: &Item<'_>, pools: &[Item<'_>], depth: usize) -> Result<(), ConfigError> {
        if depth > DEEPEST {
            return Err(ConfigError::at(item.line, "routes stand in each other too deep"));
        }
        match &item.value {
            Value::Text(text) => {
                if let Some(name) = text.strip_prefix("PoolRoute|") {
                    let pool = find(pools, name).map(|pool| &pool.value);
                    self.note(pool_route(name, pool, None, item.line)?);
                } else if let Some(pool) = text.strip_prefix("HashRoute|Pool|") {
                    self.note(Route { pool: pool.to_owned(), line: item.line, ..Route::default() });
                } else if let Some((kind, _)) = text.split_once("|Pool|") {
                    self.others.push(kind.to_owned());
                }
            }
            value => {
                let kind = value.get("type").and_then(|kind| kind.value.text());
                if let Some(kind @ ("PoolRoute" | "HashRoute")) = kind {
                    if let Some(route) = route(item, kind, pools)? {
                        self.note(route);
                        return Ok(());
                    }
                }
                if let Some(kind) = kind.filter(|kind| !self.others.iter().any(|other| other == kind)) {
                    self.others.push(kind.to_owned());
                }
                for item in value.items().unwrap_or_default() {
                    self.walk(item, pools, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, route: Route) {
        let is_new = !self.routes.iter().any(|other| Route { line: route.line, ..other.clone() } == route);
        if is_new {
            self.routes.push(route);
        }
    }
}

/// A route that is an object, if it goes to a pool.
fn route(item: &Item<'_>, kind: &str, pools: &[Item<'_>]) -> Result<Option<Route>, ConfigError> {
    let at = |item: &Item<'_>, says: &str| ConfigError::at(item.line, says.to_owned());
    let is_pool_route = kind == "PoolRoute";
    let target = item.value.get(if is_pool_route { "pool" } else { "children" });
    let pool = match target.map(|target| (&target.value, target)) {
        None if is_pool_route => return Err(at(item, "a PoolRoute without \"pool\"; name one")),
        Some((Value::Text(text), _)) => text.strip_prefix("Pool|").unwrap_or(text).to_owned(),
        Some((Value::List(_), target)) if is_pool_route => {
            match target.value.get("name").and_then(|name| name.value.text()) {
                Some(name) => name.to_owned(),
                None => {
                    return Err(at(target, "a pool without a name; write it in \"pools\" and name it here"));
                }
            }
        }
        _ => return Ok(None),
    };
    if find(pools, &pool).is_none() {
        let says = format!("{pool:?} is none of the \"pools\"");
        return Err(ConfigError::at(target.map_or(item.line, |target| target.line), says));
    }
    if !is_pool_route {
        // A HashRoute has beside its children what a PoolRoute has in "hash".
        let mut route = Route { pool, line: item.line, ..Route::default() };
        route.take(&item.value)?;
        return Ok(Some(route));
    }
    let own = target.filter(|target| matches!(target.value, Value::List(_)));
    let fields = own.or_else(|| find(pools, &pool)).map(|pool| &pool.value);
    pool_route(&pool, fields, item.value.get("hash"), item.line).map(Some)
}

/// A PoolRoute: the weights of the pool make it one of WeightedCh3, and then `hash` counts, field by field.
fn pool_route(
    name: &str,
    pool: Option<&Value<'_>>,
    hash: Option<&Item<'_>>,
    line: usize,
) -> Result<Route, ConfigError> {
    let mut route = Route { pool: name.to_owned(), line, ..Route::default() };
    if let Some(weights) = pool.map(weights).transpose()?.flatten() {
        route.function = Some(WEIGHTED.to_owned());
        route.weights = Some(weights);
    }
    match hash.map(|hash| (&hash.value, hash.line)) {
        None => {}
        Some((Value::Text(function), _)) => route.function = Some(function.clone().into_owned()),
        Some((fields @ Value::List(_), _)) => route.take(fields)?,
        Some((_, line)) => {
            return Err(ConfigError::at(line, "\"hash\" is neither a name nor an object; write \"Ch3\""));
        }
    }
    Ok(route)
}

/// The weights of a hash or a pool, as written.
fn weights(fields: &Value<'_>) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(weights) = fields.get("weights") else { return Ok(None) };
    let Value::List(items) = &weights.value else {
        return Err(ConfigError::at(
            weights.line,
            "\"weights\" is no list; write [1, 0.5], a number for each server",
        ));
    };
    let read = items.iter().map(|item| {
        let word = match item.value {
            Value::Word(word) => Some(word),
            _ => None,
        };
        let is_share = |word: &&str| word.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share));
        let says = "a weight is no number from 0 to 1; it is the share of its keys that a server keeps";
        word.filter(is_share).map(str::to_owned).ok_or_else(|| ConfigError::at(item.line, says))
    });
    read.collect::<Result<_, _>>().map(Some)
}

impl Route {
    /// Takes what an object says of the hash.
    fn take(&mut self, fields: &Value<'_>) -> Result<(), ConfigError> {
        for (name, field) in [("hash_func", &mut self.function), ("salt", &mut self.salt)] {
            match fields.get(name).map(|item| (item, item.value.text())) {
                None => {}
                Some((_, Some(text))) => *field = Some(text.to_owned()),
                Some((item, None)) => {
                    return Err(ConfigError::at(item.line, format!("{name:?} is no text in quotes")));
                }
            }
        }
        if let Some(weights) = weights(fields)? {
            self.weights = Some(weights);
        }
        self.is_in_buckets = fields.get("bucketize").is_some_and(|item| item.value.truth() != Some(false));
        Ok(())
    }

    fn reading(&self, pools: &[Item<'_>]) -> Result<Reading, ConfigError> {
        let mut reading = match self.function.as_deref() {
            None | Some("Ch3") => Reading::of("mcrouter-ch3"),
            Some(WEIGHTED) => Reading::of("mcrouter-weighted-ch3"),
            Some("Crc32") => Reading::of("mcrouter-crc32"),
            Some(other) => {
                let mut reading = Reading::default();
                reading.warn(
                    "no-scheme",
                    format!("memring places no keys by {other}; it does by Ch3, WeightedCh3 and Crc32"),
                );
                reading
            }
        };
        if self.is_in_buckets {
            reading = Reading::default();
            reading
                .warn("no-scheme", "memring has no scheme for \"bucketize\", which places buckets of keys");
        }
        reading.pool = Some(self.pool.clone());
        if let Some(salt) = self.salt.as_deref().filter(|_| reading.scheme.is_some()) {
            reading.option("salt", salt);
        }
        let is_weighted = reading.scheme.as_deref() == Some("mcrouter-weighted-ch3");
        match (&self.weights, is_weighted) {
            (Some(weights), true) => {
                reading.option("weights", weights.join(","));
                reading.warn(
                    "weights-are-not-shares",
                    "a weight is how much of the keys that Ch3 gives a server it keeps, from 0 to 1; the others pass on",
                );
            }
            (None, true) => {
                return Err(ConfigError::at(
                    self.line,
                    "WeightedCh3 without \"weights\"; write a number from 0 to 1 for each server",
                ));
            }
            (Some(_), false) if reading.scheme.is_some() => {
                reading.warn("weights-ignored", "\"weights\" count nothing unless hash_func is WeightedCh3");
            }
            (_, false) => {}
        }
        reading.warn(
            "order-decides",
            "only places in the list count: a server that is added anywhere but at the end, or taken away, moves keys of others",
        );
        let pool = find(pools, &self.pool);
        let pool = pool
            .ok_or_else(|| ConfigError::at(self.line, format!("{:?} is none of the \"pools\"", self.pool)))?;
        let list = pool.value.get("servers").filter(|servers| matches!(servers.value, Value::List(_)));
        let Some(list) = list else {
            return Err(ConfigError::at(
                pool.line,
                format!("pool {:?} has no list of \"servers\"", self.pool),
            ));
        };
        for item in list.value.items().unwrap_or_default() {
            reading.servers.push(server(item)?);
        }
        if reading.servers.is_empty() {
            return Err(ConfigError::at(list.line, format!("pool {:?} has no servers", self.pool)));
        }
        Ok(reading)
    }
}

/// `HOST:PORT[:PROTOCOL[:SECURITY]]`, or an object with such a `hostname`.
fn server(item: &Item<'_>) -> Result<ReadServer, ConfigError> {
    let hostname = item.value.get("hostname").and_then(|name| name.value.text());
    let Some(text) = item.value.text().or(hostname) else {
        return Err(ConfigError::at(item.line, "a server is no text; write \"HOST:PORT\""));
    };
    if let Some(path) = text.strip_prefix("unix:") {
        let path = path.split(':').next().unwrap_or(path);
        return Ok(ReadServer::new(text, Address::unix(path)));
    }
    let (host, rest) = servers::host(text);
    let port = rest.strip_prefix(':').and_then(|rest| rest.split(':').next());
    let Some(port) = port.filter(|_| !host.is_empty()) else {
        return Err(ConfigError::at(
            item.line,
            format!("{text:?} has no port, which mcrouter wants; write HOST:PORT"),
        ));
    };
    Ok(ReadServer::new(text, Address::tcp(host, servers::port(port, item.line)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
        crate::configs::read(text, Some(&KIND))
    }

    fn config(route: &str) -> String {
        format!(
            "{{ \"pools\": {{ \"A\": {{ \"servers\": [\"a:1\", \"[::1]:2:ascii\"] }}, \"B\": {{ \"servers\": [\"b:1\"] }} }},\n\
             \"route\":\n{route} }} // remark"
        )
    }

    fn told(route: &str) -> String {
        told_of(&config(route))
    }

    fn told_of(text: &str) -> String {
        let told = read(text).unwrap().into_iter().map(|reading| {
            let options = reading.options.iter().map(|(name, value)| format!("{name}={value}"));
            let warnings = reading.warnings.iter().filter(|warning| warning.trap != "order-decides");
            let warnings = warnings.map(|warning| format!("!{}", warning.trap));
            let scheme = reading.scheme.clone().unwrap_or_else(|| "-".to_owned());
            reading
                .pool
                .into_iter()
                .chain([scheme])
                .chain(options)
                .chain(warnings)
                .collect::<Vec<_>>()
                .join(" ")
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_route_says_how_keys_are_placed() {
        for (route, expected) in [
            ("\"PoolRoute|A\"", "A mcrouter-ch3"),
            (r#"{ "type": "PoolRoute", "pool": "A", "hash": "Crc32" }"#, "A mcrouter-crc32"),
            (r#"{ "type": "PoolRoute", "pool": "A", "hash": { "salt": "x" } }"#, "A mcrouter-ch3 salt=x"),
            (
                r#"{ "type": "HashRoute", "children": "Pool|A", "hash_func": "WeightedCh3", "weights": [1, 0.5] }"#,
                "A mcrouter-weighted-ch3 weights=1,0.5 !weights-are-not-shares",
            ),
            (r#"{ "type": "PoolRoute", "pool": "A", "hash": "Rendezvous" }"#, "A - !no-scheme"),
            (
                r#"{ "type": "PrefixSelectorRoute", "policies": { "x": "PoolRoute|A" }, "wildcard": "PoolRoute|B" }"#,
                "A mcrouter-ch3 !routes-decide\nB mcrouter-ch3 !routes-decide",
            ),
            (
                r#"{ "type": "OperationSelectorRoute", "default_policy": "PoolRoute|A",
                     "operation_policies": { "get": { "type": "PoolRoute", "pool": "A", "hash": "Crc32" } } }"#,
                "A|Ch3 mcrouter-ch3 !routes-decide\nA|Crc32 mcrouter-crc32 !routes-decide",
            ),
            (r#"{ "type": "PoolRoute", "pool": "A", "hash_func": "Crc32", "salt": "x" }"#, "A mcrouter-ch3"),
            (r#"{ "type": "PoolRoute", "pool": "A", "hash": { "bucketize": true } }"#, "A - !no-scheme"),
            ("\"NullRoute\"", "A mcrouter-ch3 !no-route\nB mcrouter-ch3 !no-route"),
        ] {
            assert_eq!(told(route), expected, "{route}");
        }
    }

    #[test]
    fn the_weights_of_a_pool_make_its_routes_weighted_unless_their_hash_says_otherwise() {
        let weighted = "mcrouter-weighted-ch3 weights=1,0.5";
        for (route, expected) in [
            ("\"PoolRoute|A\"", format!("A {weighted} !weights-are-not-shares")),
            (r#"{ "type": "PoolRoute", "pool": "A" }"#, format!("A {weighted} !weights-are-not-shares")),
            (
                r#"{ "type": "PoolRoute", "pool": "A", "hash": { "salt": "x" } }"#,
                "A mcrouter-weighted-ch3 salt=x weights=1,0.5 !weights-are-not-shares".to_owned(),
            ),
            (
                r#"{ "type": "PoolRoute", "pool": "A", "hash": { "weights": [0.1, 0.2] } }"#,
                "A mcrouter-weighted-ch3 weights=0.1,0.2 !weights-are-not-shares".to_owned(),
            ),
            (
                r#"{ "type": "PoolRoute", "pool": "A", "hash": { "hash_func": "Ch3" } }"#,
                "A mcrouter-ch3 !weights-ignored".to_owned(),
            ),
            (
                r#"{ "type": "PoolRoute", "pool": "A", "hash": "Crc32" }"#,
                "A mcrouter-crc32 !weights-ignored".to_owned(),
            ),
            // The children of a HashRoute are servers alone.
            ("\"HashRoute|Pool|A\"", "A mcrouter-ch3".to_owned()),
            (
                "\"NullRoute\"",
                format!("A {weighted} !weights-are-not-shares !no-route\nB mcrouter-ch3 !no-route"),
            ),
        ] {
            let text = config(route).replace("\"A\": {", "\"A\": { \"weights\": [1, 0.5],");
            assert_eq!(told_of(&text), expected, "{route}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for route in [
            r#"{ "type": "PoolRoute", "pool": "C" }"#,
            r#"{ "type": "PoolRoute" }"#,
            r#"{ "type": "PoolRoute", "pool": "A", "hash": "WeightedCh3" }"#,
            r#"{ "type": "PoolRoute", "pool": "A", "hash": { "hash_func": "WeightedCh3", "weights": [1.5] } }"#,
            r#"{ "type": "PoolRoute", "pool": "A", "hash": 1 }"#,
            r#"{ "type": "PoolRoute", "pool": "A", "hash": { "hash_func": 1 } }"#,
            r#"{ "type": "PoolRoute", "pool": "A", "hash": { "weights": 1 } }"#,
            "\"PoolRoute|C\"",
            "{ \"type\": [ }",
        ] {
            let error = read(&config(route)).unwrap_err();
            assert_eq!(error.line(), Some(3), "{route}: {error}");
        }
        for server in ["\"a\"", "1", "\"a:x\"", "\":1\""] {
            assert!(read(&config("\"PoolRoute|A\"").replace("\"a:1\"", server)).is_err(), "{server}");
        }
        assert!(read("{ \"pools\": {").is_err());
    }
}
