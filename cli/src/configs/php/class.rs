//! Programs in PHP that use the class `Memcached`: `setOption`, `setOptions`, `addServer`, `addServers`, in order.
//!
//! Source: php-memcached 3.2.0 `php_memcached.c`; asked for its placement.

use memring_client::spec::Address;

use super::{
    super::{
        ConfigError, Kind, Read, ReadServer, Reading,
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
    is_it: |text| ["->addServer", "Memcached::OPT_"].iter().any(|part| text.contains(part)),
    read: Read::Program(Notation::PHP, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let words = || program.text.split(|char: char| !char.is_alphanumeric());
    let has = |name: &str| words().any(|word| word == name);
    let made = ["Memcache", "MemcachePool"].iter().find_map(|class| program.made(class).next());
    if made.is_some() || (has("Memcache") && !has("Memcached")) {
        let says = "this is the class Memcache of PHP's older extension, which places keys otherwise: give its lines of php.ini \
                    (memcache.*), with --kind pecl-ini, and each server with --server HOST:PORT";
        return Err(ConfigError::at(made.map_or(1, |(_, line)| line), says));
    }
    let mut objects: Vec<Object<'_>> = Vec::new();
    let scopes = program.scopes();
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
        let scope = scopes.get(call.at).copied().unwrap_or(0);
        let at = objects.iter().position(|object| object.name == owner).unwrap_or_else(|| {
            objects.push(Object { name: owner, line: call.line, scope, ..Object::default() });
            objects.len() - 1
        });
        let object = &mut objects[at];
        object.is_spread |= object.scope != scope;
        if object.is_spread && !object.is_member() {
            let says = format!(
                "another {owner} than that of line {}: give the text of one of them alone",
                object.line
            );
            return Err(ConfigError::at(call.line, says));
        }
        object.at.push(call.at);
        take(&mut object.calls, &call, program)?;
    }
    if objects.is_empty() {
        return Err(ConfigError::of("no call of addServer(…), addServers(…) or setOptions(…)"));
    }
    for object in &objects {
        let mut made =
            program.made("Memcached").filter(|(owner, _)| !owner.is_empty() && *owner == object.name);
        if let (Some(_), Some((owner, line))) = (made.next(), made.next()) {
            return Err(ConfigError::at(
                line,
                format!("a second `new Memcached` for {owner}: give the text of one of them alone"),
            ));
        }
    }
    let with_servers = objects.iter().filter(|object| object.calls.has_servers()).count();
    let bare = objects.iter().find(|object| !object.calls.has_servers() && object.calls.counts());
    if let Some(object) = bare.filter(|_| with_servers > 0) {
        return Err(ConfigError::at(
            object.line,
            format!(
                "options of {}, to which no server is added here, while there are servers of another: if both are one, give \
                 them one name",
                object.name
            ),
        ));
    }
    objects.retain(|object| with_servers == 0 || object.calls.has_servers());
    let is_alone = objects.len() == 1;
    let is_persistent = program.calls().any(|call| call.name == "Memcached" && !is_null(&call.arguments));
    let readings = objects.into_iter().map(|Object { name, calls, at, is_spread, .. }| {
        let mut reading = calls.reading();
        if !is_alone {
            reading.pool = Some(name.to_owned());
        }
        if is_persistent {
            reading.warn(
                "persistent",
                "new Memcached('ID') is persistent: options and servers of an earlier request stay, and addServers adds the \
                 same ones again unless the program asks first",
            );
        }
        if let Some(line) = program.branch_around(&at, USUAL) {
            let says = format!(
                "line {line}: servers and options of all branches are taken together here, in the order of the text; give the \
                 text of one case"
            );
            reading.warn("branches", says);
        }
        if is_spread {
            let says = "the calls stand in several functions, and are read in the order of the text";
            reading.warn("several-functions", says);
        }
        if reading.servers.is_empty() {
            reading.warn("servers-elsewhere", "no servers are added here; give them with --server, in order");
        }
        reading
    });
    Ok(readings.collect())
}

/// A `Memcached` of the program.
#[derive(Default)]
struct Object<'t> {
    /// The variable that has it.
    name: &'t str,
    calls: Calls,
    /// The tokens of its calls.
    at: Vec<usize>,
    /// Where its first call stands.
    line: usize,
    scope: usize,
    /// Whether its calls stand in several functions.
    is_spread: bool,
}

impl Object<'_> {
    /// Whether it belongs to an object or a class, and is one in all its functions.
    fn is_member(&self) -> bool {
        self.name.contains(['>', ':'])
    }
}

/// Names in a condition that asks whether there are servers already, or whether the extension is there.
const USUAL: &[&str] = &["getServerList", "isPristine", "class_exists", "extension_loaded"];

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
            let field = |at: usize, name: &str| {
                let item = find(&call.arguments, name)
                    .or_else(|| call.arguments.get(at).filter(|item| item.key.is_none()));
                item.map(|item| resolved(program, &item.value))
            };
            let fields = [field(0, "host"), field(1, "port"), field(2, "weight")];
            let says = "addServer without a port, which PHP refuses; write 'HOST', PORT";
            let added = server(fields, call.line, false)?;
            calls.add(added.ok_or_else(|| ConfigError::at(call.line, says))?);
            Ok(())
        }
        ("addServers", Some(list)) => {
            for item in array(&list).ok_or_else(|| computed("the list of servers"))? {
                let entry = resolved(program, &item.value);
                let fields = array(&entry).ok_or_else(|| computed("a server"))?;
                // Host, port and weight are known by their order, whatever keys they have.
                let field = |at: usize| fields.get(at).map(|item| resolved(program, &item.value));
                match server([field(0), field(1), field(2)], item.line, true)? {
                    Some(server) => calls.add(server),
                    None => calls.drop_server(item.line),
                }
            }
            Ok(())
        }
        _ => Err(ConfigError::at(call.line, format!("{} without arguments", call.name))),
    }
}

/// A server of host, port and weight; nothing without a port. What `addServers` adds is named otherwise if it is a socket.
fn server(
    [host, port, share]: [Option<Value<'_>>; 3],
    line: usize,
    is_list: bool,
) -> Result<Option<ReadServer>, ConfigError> {
    let Some(Value::Text(host)) = host else {
        return Err(ConfigError::at(line, "the host of a server is no text; write 'HOST', PORT, WEIGHT"));
    };
    let [port, share] = [port, share].map(|value| match value {
        None => Ok(None),
        Some(value) => match value
            .word()
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        {
            Some(word) => Ok(Some(number(word))),
            None => Err(ConfigError::at(line, "a port or weight is no number; write 'HOST', PORT, WEIGHT")),
        },
    });
    let share = share?.unwrap_or(0);
    Ok(port?.map(|port| added(&host, port, is_list).weighing(weight(share))))
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

    fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
        crate::configs::read(text, Some(&KIND))
    }
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
            ("$m->addServers([['a'], ['b', 1]]);", "b:1 !server-dropped"),
            ("$m->addServers([['host' => 'a', 'port' => 1, 'weight' => 2], ['port' => '1', 'host' => 2]]);", {
                "a:1*2 1:2 !weights-ignored"
            }),
            ("$m->addServer('a', 1); $n->addServer('b', 1);", "$m a:1\n$n b:1"),
            ("define('PORT', 1); const HOST = 'a'; $m->addServer(HOST, PORT);", "a:1"),
            (
                "const P = 1, Q = 2; class A { const P = 3; } class B { private const int P = 4; } \
                 $m->addServer('a', P); $m->addServer('b', A::P); $m->addServer('c', B::P); $m->addServer('d', Q);",
                "a:1 b:3 c:4 d:2",
            ),
            ("class A { const P = 1; function f() { $m->addServer('a', self::P); } }", "a:1"),
            ("class A { private ?array $s = [['a', 1]]; function f() { $m->addServers($this->s); } }", "a:1"),
            ("$s = [['a', 1]]; foreach ($s as $x) { echo count($s), $s[0][1]; } $t = $s; f($s); $m->addServers($s);", {
                "a:1"
            }),
            ("$h = 'a'; $db = ['h' => 'db', 'host' => 'c']; $m->addServer($h, 1);", "a:1"),
            (
                "class C { function a() { $this->m->setOption(Memcached::OPT_SORT_HOSTS, true); }
                 function b() { $this->m->addServer('a', 1); } }",
                "php-options=OPT_SORT_HOSTS=1 a:1 !several-functions",
            ),
            (
                "class C { private $s = [['a', 1]]; static $p = 'b'; function f() { $this->m->addServers($this->s); \
                 $this->m->addServer(self::$p, 2); } }",
                "a:1 b:2",
            ),
            ("if (!count($m->getServerList())) { $m->addServer('a', 1); }", "a:1"),
            ("if ($x) { echo 1; } else { f(); } $m->addServer('a', 1);", "a:1"),
            ("if ($x) { $m->addServer('a', 1); }", "a:1 !branches"),
            ("if ($x) $m->setOption(Memcached::OPT_SORT_HOSTS, true); $m->addServer('a', 1);", {
                "php-options=OPT_SORT_HOSTS=1 a:1 !branches"
            }),
            ("if ($x): $m->addServer('a', 1); endif;", "a:1 !branches"),
            ("switch ($x) { case 1: $m->addServer('a', 1); }", "a:1 !branches"),
            ("$x && $m->addServer('a', 1);", "a:1 !branches"),
            ("while ($x) { $m->addServer('a', 1); }", "a:1 !branches"),
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
    fn the_class_of_the_older_extension_is_not_taken_for_this_one() {
        for (text, line) in [
            ("<?php\n$m = new Memcache;\n$m->addServer('a', 1);", Some(2)),
            ("<?php\n$m = new \\Memcache();\n$m->addServer('a', 1);", Some(2)),
            ("<?php\n// not Memcached\n$m = new MemcachePool();\n$m->addServer('a', 1);", Some(3)),
            ("function f(Memcache $m) { $m->addServer('a', 1); }", Some(1)),
        ] {
            assert!((KIND.is_it)(text));
            assert_eq!(read(text).unwrap_err().line(), line, "{text}");
        }
        assert_eq!(told("/* was Memcache */ $m->addServer('a', 1);"), "a:1");
    }

    #[test]
    fn a_warning_names_the_option_that_is_the_cause() {
        let ketama = "$m->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true);";
        let back = "$m->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, false);";
        let consistent = "$m->setOption(Memcached::OPT_DISTRIBUTION, Memcached::DISTRIBUTION_CONSISTENT);";
        let server = "$m->addServer('a', 1, 2);";
        for (text, trap, cause) in [
            (server.to_owned(), "weights-ignored", "without OPT_LIBKETAMA_COMPATIBLE"),
            (
                format!("{ketama} {server} {back}"),
                "weights-ignored",
                "OPT_LIBKETAMA_COMPATIBLE => false takes back",
            ),
            (
                format!("{ketama} {server} {consistent}"),
                "weights-ignored",
                "the later OPT_DISTRIBUTION takes back",
            ),
            (format!("{server} {consistent}"), "weights-ignored", "added before OPT_DISTRIBUTION"),
        ] {
            let reading = read(&format!("<?php $m = new Memcached(); {text}")).unwrap().remove(0);
            let warning = reading.warnings.iter().find(|warning| warning.trap == trap);
            assert!(
                warning.is_some_and(|warning| warning.says.contains(cause)),
                "{text}: {:?}",
                reading.warnings
            );
            assert!(!reading.warnings.iter().any(|warning| warning.trap == "hash-lost"), "{text}");
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
            "\n$m->addServer('a');",
            "\n$m->addServers([['port' => 1, 'host' => 'a']]);",
            "\n$m->addServer(\"$h\", 1);",
            "\n$m->setOption(Memcached::OPT_HASH, $x ? Memcached::HASH_MD5 : Memcached::HASH_CRC);",
            "\n$m->addServer($x ? 'a' : 'b', 1);",
            "\n$m->setOptions([Memcached::OPT_SORT_HOSTS => true, ...$more]);",
            "\n$m->setOptions([f() => true]);",
            "\n$m->addServer(\"{$h}x\", 1);",
            "$h = 'a';\n$m->addServer($h, 1); $h = 'b'; $m->addServer($h, 1);",
            "$s = [['a', 1]]; $s[] = ['b', 1];\n$m->addServers($s);",
            "$s = [['a', 1]]; array_push($s, ['b', 1]);\n$m->addServers($s);",
            "class C { private $s = [['a', 1]]; function g() { $this->s[] = ['b', 1]; }\nfunction f() { $this->m->addServers($this->s); } }",
            "class C { private $s = [['a', 1]]; function g() { $this->s = f(); }\nfunction f() { $this->m->addServers($this->s); } }",
            "$s = [['a', 1]]; shuffle($s);\n$m->addServers($s);",
            "$s = [['a', 1]]; sort($s);\n$m->addServers($s);",
            "$s = [['a', 1]]; usort($s, 'f');\n$m->addServers($s);",
            "$s = [['a', 1]]; $s[0][0] = 'b';\n$m->addServers($s);",
            "$s = [['a', 1]]; $s[0]['x'][] = 'b';\n$m->addServers($s);",
            "$s = [['a', 1]]; unset($s[0]);\n$m->addServers($s);",
            "$s = [['a', 1]]; foreach ($s as &$x) { $x[1] = 2; }\n$m->addServers($s);",
            "$s = [['a', 1]]; $t = &$s; $t[] = ['b', 1];\n$m->addServers($s);",
            "$s = [['a', 1]]; function f(array &$x) { } f($s);\n$m->addServers($s);",
            "$p = 1; $p++;\n$m->addServer('a', $p);",
            "$p = 1; ++$p;\n$m->addServer('a', $p);",
            "$p = 1; $p += 1;\n$m->addServer('a', $p);",
            "$p = 1; foreach ([1, 2] as $p) { }\n$m->addServer('a', $p);",
            "$p = 1; [$h, $p] = f();\n$m->addServer('a', $p);",
            "$h = 'a'; function f($h) {\n$m->addServer($h, 1); }",
            "define('PORT', 1); define('PORT', 2);\n$m->addServer('a', PORT);",
            "defined('PORT') || define('PORT', 1);\n$m->addServer('a', PORT);",
            "const PORT = 1; class A { const PORT = 2; } class B { const PORT = 3; }\n$m->addServer('a', self::PORT);",
            "class A { const PORT = 2; }\n$m->addServer('a', A::OTHER);",
            "class A { const PORT = 2; }\n$m->addServer('a', PORT);",
            "class A { private $s = [['a', 1]]; } class B { private $s = [['b', 1]]; }\n$m->addServers($this->s);",
            "$a = ['host' => 'x'];\n$m->addServer($host, 1);",
            "$m->addServer('a', 1);\n$m = new Memcached(); $m->addServer('b', 1);",
            "function a() { $n->addServer('a', 1); }\nfunction b() { $n->addServer('b', 1); }",
            "$m->addServer('a', 1);\n$n->setOption(Memcached::OPT_HASH, Memcached::HASH_MD5);",
        ] {
            let text = format!("<?php $m = new Memcached();{text}");
            assert_eq!(read(&text).unwrap_err().line(), Some(2), "{text}");
        }
        assert!(read("<?php Memcached::OPT_HASH;").is_err());
    }
}
