//! Programs in PHP that use the class `Memcached`: `setOption`, `setOptions`, `addServer`, `addServers`, in order.
//!
//! Source: php-memcached 3.2.0 `php_memcached.c`; asked for its placement.

use memring_client::spec::Address;

use super::{
    super::{
        ConfigError, Kind, ReadServer, Reading,
        program::{Call, Item, Program, Value, find},
        tokens::Notation,
    },
    array, named, number,
    options::Calls,
    resolved, weight,
};

pub(in super::super) const KIND: Kind = Kind {
    name: "php-array",
    about: "PHP's class Memcached: a program with addServer(s) and setOption(s)",
    is_it: |text| {
        let has = |part| text.contains(part);
        (has("addServer") && (has("Memcached") || has("->addServer"))) || has("Memcached::OPT_")
    },
    read,
};

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let program = Program::read(text, Notation::PHP)?;
    let mut objects: Vec<(&str, Calls)> = Vec::new();
    for call in program.calls() {
        if call.name == "resetServerList" {
            return Err(ConfigError::at(
                call.line,
                "resetServerList() takes servers out, which is not read: leave them out",
            ));
        }
        if !matches!(call.name, "setOption" | "setOptions" | "addServer" | "addServers") {
            continue;
        }
        let owner =
            call.path.strip_suffix(call.name).unwrap_or_default().trim_end_matches(['-', '>', ':', '?']);
        let at = objects.iter().position(|(name, _)| *name == owner).unwrap_or_else(|| {
            objects.push((owner, Calls::default()));
            objects.len() - 1
        });
        take(&mut objects[at].1, &call, &program)?;
    }
    if objects.is_empty() {
        return Err(ConfigError::of("no call of addServer(…), addServers(…) or setOptions(…)"));
    }
    let with_servers = objects.iter().filter(|(_, calls)| calls.has_servers()).count();
    objects.retain(|(_, calls)| with_servers == 0 || calls.has_servers());
    let is_alone = objects.len() == 1;
    let has_branches =
        text.split(|char: char| !char.is_alphanumeric()).any(|word| matches!(word, "else" | "elseif"));
    let is_persistent = program.calls().any(|call| call.name == "Memcached" && !is_null(&call.arguments));
    let readings = objects.into_iter().map(|(owner, calls)| {
        let mut reading = calls.reading();
        if !is_alone {
            reading.pool = Some(owner.to_owned());
        }
        if is_persistent {
            reading.warn(
                "persistent",
                "new Memcached('ID') is persistent: options and servers of an earlier request stay, and addServers adds the \
                 same ones again unless the program asks first",
            );
        }
        if has_branches && reading.servers.len() > 1 {
            reading.warn(
                "branches",
                "the program has an else: servers and options of both branches are taken together here; give the text of one",
            );
        }
        if reading.servers.is_empty() {
            reading.warn("servers-elsewhere", "no servers are added here; give them with --server, in order");
        }
        reading
    });
    Ok(readings.collect())
}

fn is_null(arguments: &[Item<'_>]) -> bool {
    arguments
        .first()
        .is_none_or(|item| matches!(item.value, Value::Word(word) if word.eq_ignore_ascii_case("null")))
}

fn take(calls: &mut Calls, call: &Call<'_>, program: &Program<'_>) -> Result<(), ConfigError> {
    let computed =
        |what: &str| ConfigError::at(call.line, format!("{what} must be computed; write it in its place"));
    let first = call.arguments.first().map(|item| resolved(program, &item.value));
    match (call.name, first) {
        ("setOption", Some(option)) => {
            let (Some(option), Some(value)) = (option.word(), call.arguments.get(1)) else {
                return Err(computed("an option"));
            };
            calls.set(option, &resolved(program, &value.value), call.line)
        }
        ("setOptions", Some(list)) => calls.set_all(&list, program, call.line),
        ("addServer", Some(_)) => {
            calls.add(server(&call.arguments, program, call.line, false)?);
            Ok(())
        }
        ("addServers", Some(list)) => {
            for item in array(&list).ok_or_else(|| computed("the list of servers"))? {
                let entry = resolved(program, &item.value);
                let fields = array(&entry).ok_or_else(|| computed("a server"))?;
                calls.add(server(fields, program, item.line, true)?);
            }
            Ok(())
        }
        _ => Err(ConfigError::at(call.line, format!("{} without arguments", call.name))),
    }
}

/// A server of `host, port, weight`. What `addServers` adds is named otherwise if it is a socket.
fn server(
    fields: &[Item<'_>],
    program: &Program<'_>,
    line: usize,
    is_list: bool,
) -> Result<ReadServer, ConfigError> {
    let field = |at: usize, name: &str| {
        let item = find(fields, name).or_else(|| fields.get(at).filter(|item| item.key.is_none()));
        item.map(|item| resolved(program, &item.value))
    };
    let Some(Value::Text(host)) = field(0, "host") else {
        return Err(ConfigError::at(line, "the host of a server is no text; write 'HOST', PORT, WEIGHT"));
    };
    let numbers = [field(1, "port"), field(2, "weight")].map(|value| match value {
        None => Ok(None),
        Some(value) => match value
            .word()
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        {
            Some(word) => Ok(Some(number(word))),
            None => Err(ConfigError::at(line, "a port or weight is no number; write 'HOST', PORT, WEIGHT")),
        },
    });
    let [port, share] = numbers;
    let (port, share) = (port?, share?.unwrap_or(0));
    Ok(added(&host, port.unwrap_or(0), is_list).weighing(weight(share)))
}

/// What is added for a host and a port.
pub(super) fn added(host: &str, port: i64, is_list: bool) -> ReadServer {
    match host {
        path if path.starts_with('/') => {
            let name = if is_list { format!("{path}:0") } else { path.to_owned() };
            ReadServer::new(name, Address::unix(path))
        }
        host => named(host, port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::testing;

    fn told(text: &str) -> String {
        testing::told(read(&format!("<?php $m = new Memcached(); {text}")).unwrap())
    }

    #[test]
    fn branches_are_told_of_and_lists_that_are_emptied_refused() {
        let text = "if ($p) { $m->addServer('a', 1); } else { $m->addServer('b', 1); }";
        assert!(told(text).ends_with("!branches"), "{}", told(text));
        assert!(!told("$m->addServer('elsewhere', 1); $m->addServer('b', 1);").contains("!branches"));
        let error = read("<?php\n$m->addServer('a', 1);\n$m->resetServerList();").unwrap_err();
        assert_eq!(error.line(), Some(3));
    }

    #[test]
    fn options_count_in_the_order_of_their_calls() {
        for (text, expected) in [
            ("$m->addServer('a', 0);", "a"),
            ("$m->addServers([['a', 1, 2], array('/p', 0), ['::1', 11211]]);", "a:1*2 /p:0 ::1 !weights-ignored"),
            ("$m->addServer('/p', 0); $m->addServer(port: 1, host: 'b');", "/p b:1"),
            (
                "$m->setOption(\\Memcached::OPT_HASH, 2); $m->setOption(16, true); $m->addServer('a', 1);",
                "php-options=OPT_HASH=HASH_CRC OPT_LIBKETAMA_COMPATIBLE=1 a:1 !hash-lost",
            ),
            (
                "$m->addServer('a', 1); $m->setOption(Memcached::OPT_HASH, Memcached::HASH_MD5);",
                "options-set=after-addServers php-options=OPT_HASH=HASH_MD5 a:1",
            ),
            (
                "$m->setOption(Memcached::OPT_COMPRESSION, f()); $m->addServer('a', 1);",
                "a:1",
            ),
            (
                "$m->setOption(Memcached::OPT_DISTRIBUTION, Memcached::DISTRIBUTION_CONSISTENT); $m->addServer('a', 1);
                 $m->setOption(Memcached::OPT_HASH, Memcached::HASH_CRC);",
                "options-set=after-addServers php-options=OPT_HASH=HASH_DEFAULT OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT \
                 OPT_HASH=HASH_CRC a:1 !consistent-without-ketama",
            ),
            (
                "$m->addServer('a', 1, 3); $m->setOption(Memcached::OPT_DISTRIBUTION, 1); $m->addServer('b', 1, 2);",
                "php-options=OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT OPT_HASH=HASH_DEFAULT a:1*3 b:1*2 \
                 !weights-make-another-ring !consistent-without-ketama",
            ),
            (
                "$m->setOption(Memcached::OPT_SORT_HOSTS, true); $m->setOptions([Memcached::OPT_SORT_HOSTS => true]);
                 $m->addServer('a', 1);",
                "php-options=OPT_SORT_HOSTS=1 OPT_SORT_HOSTS=1 a:1",
            ),
            (
                "$m->setOption(Memcached::OPT_SORT_HOSTS, true); $m->addServer('::1', 11211); $m->addServer('::1', 1);",
                "php-options=OPT_SORT_HOSTS=1 ::1:11211 ::1:1",
            ),
            (
                "$m->setOption(Memcached::OPT_DISTRIBUTION, 1); $m->addServer('a', 1, 3); \
                 $m->setOption(Memcached::OPT_DISTRIBUTION, 1);",
                "php-options=OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT OPT_HASH=HASH_DEFAULT a:1*3 \
                 !weights-make-another-ring !consistent-without-ketama",
            ),
            ("$m->addServer('a', 1); $n->addServer('b', 1);", "$m a:1\n$n b:1"),
            (
                "$s = [['a', 1]]; $o = [Memcached::OPT_PREFIX_KEY => 'x y', Memcached::OPT_SORT_HOSTS => true];
                 $m->setOptions($o); $m->addServers($s);",
                "php-options=OPT_SORT_HOSTS=1 a:1 !prefix-not-hashed",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_known_is_an_error_with_its_line() {
        for text in [
            "\n$m->setOption(Memcached::OPT_HASH, f());",
            "\n$m->setOption(Memcached::OPT_HASH, 'md5');",
            "\n$m->setOption(Memcached::OPT_DISTRIBUTION, Memcached::DISTRIBUTION_VIRTUAL_BUCKET);",
            "\n$m->addServers(servers());",
            "\n$m->addServer($host, 11211);",
            "\n$m->addServer('a', PORT);",
            "\n$m->addServer();",
        ] {
            let text = format!("<?php $m = new Memcached();{text}");
            assert_eq!(read(&text).unwrap_err().line(), Some(2), "{text}");
        }
        assert!(read("<?php Memcached::OPT_HASH;").is_err());
    }
}
