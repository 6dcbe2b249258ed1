//! What a list of servers says and its writer may not expect, told on standard error.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use memring_client::spec::{Address, ServerSpec};
use memring_core::{AsServer, Scheme, scheme::Weights};

use crate::{failure, visible::Visible};

/// Tells of servers that are listed more than once, and of weights that `scheme` does not heed, each of them once.
pub(crate) fn tell(lists: &[(Scheme<'_>, &[impl AsServer])]) {
    let told: BTreeSet<_> = lists.iter().flat_map(|(scheme, servers)| of(scheme, servers)).collect();
    for warning in told {
        failure::say(Visible::line(&warning).up_to(LONGEST));
    }
}

/// How much of a warning is shown, in bytes: names may have megabytes.
const LONGEST: usize = 1000;

fn of(scheme: &Scheme<'_>, servers: &[impl AsServer]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for server in servers {
        *counts.entry(server.as_server().name).or_default() += 1;
    }
    let several: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).map(|(name, _)| *name).collect();
    if let [first, others @ ..] = &*several {
        let more = match others.len() {
            0 => String::new(),
            1 => ", and so is 1 other".to_owned(),
            count => format!(", and so are {count} others"),
        };
        warnings.push(format!("server {first} is listed more than once{more}"));
    }
    if let Some([first, other]) = spelled_twice(&counts) {
        warnings.push(format!("{first} and {other} are one server, which is listed more than once"));
    }
    let first = servers.first().map(|server| server.as_server().weight);
    let differ = servers.iter().any(|server| Some(server.as_server().weight) != first);
    if scheme.weights == Weights::Ignored && differ {
        warnings.push(format!("{} ignores weights: all servers count the same", scheme.name));
    }
    warnings
}

/// The first two names of one server.
fn spelled_twice<'n>(names: &BTreeMap<&'n str, usize>) -> Option<[&'n str; 2]> {
    let mut places = HashMap::new();
    names.keys().find_map(|name| {
        let spec: ServerSpec = name.parse().ok()?;
        places.insert(place(spec.address()), *name).map(|other| [other, *name])
    })
}

/// Where an address leads: the same for all spellings of one host, and for all of this machine.
pub(crate) fn place(address: &Address) -> Address {
    match address {
        Address::Tcp { host, port } => match host.to_ascii_lowercase() {
            host if matches!(&*host, "localhost" | "::1") => Address::tcp("127.0.0.1", *port),
            host => Address::tcp(host, *port),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use memring_core::{Server, Weight};

    use super::*;

    #[test]
    fn what_is_listed_twice_or_weighed_in_vain_is_told() {
        let server = |name, weight| Server { name, weight: Weight::Whole(weight) };
        let heeds = Scheme::from_name("libketama").unwrap();
        let ignores = Scheme::from_name("libmemcached-modula").unwrap();
        let list = [server("a", 1), server("b", 2), server("a", 1)];
        let twice = "server a is listed more than once";
        assert_eq!(of(&heeds, &list), [twice]);
        assert_eq!(
            of(&ignores, &list),
            [twice, "libmemcached-modula ignores weights: all servers count the same"]
        );
        for [one, other] in
            [["localhost", "localhost:11211"], ["A.example:1", "a.example:1"], ["localhost", "127.0.0.1"]]
        {
            let told = of(&heeds, &[server(one, 1), server(other, 1)]);
            assert!(
                told.len() == 1 && told[0].ends_with("are one server, which is listed more than once"),
                "{told:?}"
            );
        }
        assert!(
            of(&heeds, &[server("a:1", 1), server("a:2", 1), server("b", 1), server("x/y:1", 1)]).is_empty()
        );
        assert_eq!(of(&ignores, &[server("a", 5), server("b", 5)]), Vec::<String>::new());
        let [first, .., last] = [server("a", 1), server("b", 1), server("b", 1), server("a", 1)];
        assert_eq!(
            of(&heeds, &[first, server("b", 1), server("b", 1), last]),
            ["server a is listed more than once, and so is 1 other"]
        );
    }
}
