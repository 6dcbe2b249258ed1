//! PHP: settings of its two extensions in `php.ini`, and programs that use the class `Memcached`.

mod class;
mod ini;
mod laravel;
mod options;
mod pecl;
mod sessions;
mod symfony;

pub(super) use class::KIND as ARRAY;
pub(super) use laravel::KIND as LARAVEL;
pub(super) use pecl::KIND as PECL;
pub(super) use sessions::KIND as INI;
pub(super) use symfony::KIND as SYMFONY;

use memring_client::spec::{Address, DEFAULT_PORT};

use super::{
    ReadServer,
    program::{Item, Program, Value},
};

/// The value that a variable or a constant of the program stands for.
fn resolved<'t>(program: &Program<'t>, value: &Value<'t>) -> Value<'t> {
    match value {
        Value::Word(word) if word.starts_with('$') || word.contains("::$") => {
            let found = program.resolved(value.clone());
            let name = ["$this->", "self::$", "static::$"].iter().find_map(|of| word.strip_prefix(of));
            match name.filter(|_| found == *value).and_then(|name| program.property(name)) {
                Some(property) => property,
                None => found,
            }
        }
        // `Memcached::OPT_HASH` is PHP's own.
        Value::Word(word) => program.constant(word).unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

/// What is in an array, also in one that is written `array(…)`. What another function gives is not known.
fn array<'v, 't>(value: &'v Value<'t>) -> Option<&'v [Item<'t>]> {
    match value {
        Value::List(items) | Value::Call("array", items) => Some(items),
        _ => None,
    }
}

/// The number that a text begins with, as PHP and C take it; 0 without one.
fn number(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    match digits.get(..len) {
        Some("") | None => 0,
        Some(digits) => sign * digits.parse::<i64>().unwrap_or(i64::MAX),
    }
}

/// What PHP's extension over libmemcached calls a host, and how it is reached.
///
/// Of a port it keeps sixteen bits, and for 0 it takes the default.
fn named(host: &str, port: i64) -> ReadServer {
    let port = match port as u16 {
        0 => DEFAULT_PORT,
        port => port,
    };
    // Without its port, such an address would end as if it had the default one.
    let is_bare = port == DEFAULT_PORT && !host.ends_with(":11211");
    let name = if is_bare { host.to_owned() } else { format!("{host}:{port}") };
    let reached = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ReadServer::new(name, Address::tcp(reached, port))
}

/// The weight that libmemcached makes of a number.
fn weight(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_a_text_begins_with() {
        assert_eq!(["12", " 12x", "-1", "+2", "x", "", "99999999999999999999"].map(number), {
            [12, 12, -1, 2, 0, 0, i64::MAX]
        });
    }

    #[test]
    fn names_have_their_port_unless_it_is_the_default() {
        let name = |host, port| named(host, port).name;
        assert_eq!([name("a", 0), name("a", 11211), name("a", 65547)], ["a", "a", "a:11"]);
        assert_eq!(
            [name("[::1]", 11211), name("::1", 1), name("::11211", 0)],
            ["[::1]", "::1:1", "::11211:11211"]
        );
        assert_eq!(named("[::1]", 0).address, Address::tcp("::1", 11211));
    }
}
