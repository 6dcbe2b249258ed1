//! `php.ini`, as PHP reads it; also lines of php-fpm's pools and of Apache, and `ini_set` in a program.

use std::borrow::Cow;

use memring_client::file::near;

use super::super::{
    ConfigError, Reading,
    program::{Program, Value},
    tokens::Notation,
};

/// A setting, and the line where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting<'t> {
    name: Cow<'t, str>,
    value: Result<Cow<'t, str>, &'static str>,
    line: usize,
    /// What stands behind the value on its last line, from the `;` on.
    remark: &'t str,
}

/// All settings of a text.
pub(super) struct Ini<'t>(Vec<Setting<'t>>);

impl<'t> Ini<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        let mut settings = if text.contains("ini_set") { set_by_program(text) } else { Vec::new() };
        let (mut rest, mut line) = (text, 1);
        // Whether the lines are those of one folder or one host alone, until the next section.
        let mut is_elsewhere = false;
        while !rest.is_empty() {
            let end = rest.find('\n').unwrap_or(rest.len());
            let mut taken = end;
            if let Some(section) = rest[..end].trim_start().strip_prefix('[') {
                let section = section.to_ascii_uppercase();
                is_elsewhere = section.starts_with("PATH=") || section.starts_with("HOST=");
            }
            if let Some((name, from)) = named(&rest[..end]) {
                let (value, len) = value(&rest[from..]);
                let behind = &rest[from + len..];
                let remark = behind.lines().next().unwrap_or_default();
                taken = (from + len + behind.find('\n').unwrap_or(behind.len())).max(end);
                if !is_elsewhere {
                    settings.push(Setting { name: name.into(), value, line, remark });
                }
            }
            line += rest[..taken].matches('\n').count() + 1;
            rest = rest[taken..].strip_prefix('\n').unwrap_or_default();
        }
        Self(settings)
    }

    /// Whether any setting's name begins with one of these.
    pub(super) fn has_any(&self, begins: &[&str]) -> bool {
        self.0.iter().any(|setting| begins.iter().any(|begin| setting.name.starts_with(begin)))
    }

    /// Warns of settings of the extension `name` that are none of `known`.
    pub(super) fn tell_of_unknown(&self, extension: &str, known: &[&str], reading: &mut Reading) {
        let unknown = self.0.iter().filter_map(|setting| {
            let name = setting.name.strip_prefix(extension)?;
            (!known.contains(&name)).then_some((&setting.name, name, setting.line))
        });
        for (whole, name, line) in unknown {
            let near = near(name, known);
            let offer =
                near.first().map_or(String::new(), |near| format!("; near to it is {extension}{near}"));
            let says =
                format!("line {line}: {whole} is no setting of the extension, and says nothing{offer}");
            reading.warn("unknown-setting", says);
        }
    }

    /// Warns if a `;` that no quotes are around cuts the list of servers that `name` is set to: a remark begins there.
    pub(super) fn tell_of_cut_list(&self, name: &str, reading: &mut Reading) {
        let Some(setting) = self.0.iter().rfind(|setting| setting.name == name) else { return };
        let Some(rest) = setting.remark.strip_prefix(';') else { return };
        // A port, or the slashes of a URL.
        let is_server = |word: &str| {
            word.split_once(':').is_some_and(|(_, behind)| {
                behind.starts_with("//") || behind.starts_with(|char: char| char.is_ascii_digit())
            })
        };
        if rest.split_whitespace().next().is_some_and(is_server) {
            let says = format!(
                "line {}: to PHP a `;` outside of quotes begins a remark, so that {:?} is no server: write commas",
                setting.line,
                rest.trim()
            );
            reading.warn("semicolon-begins-a-remark", says);
        }
    }

    /// Whether any setting is called so.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|setting| setting.name == name)
    }

    /// What `name` is set to last, and the line.
    pub(super) fn text(&self, name: &str) -> Result<Option<(&str, usize)>, ConfigError> {
        let Some(setting) = self.0.iter().rfind(|setting| setting.name == name) else { return Ok(None) };
        match &setting.value {
            Ok(value) => Ok(Some((value, setting.line))),
            Err(says) => Err(ConfigError::at(setting.line, format!("{name}: {says}"))),
        }
    }

    /// The same for what is on or off.
    pub(super) fn truth(&self, name: &str, default: bool) -> Result<bool, ConfigError> {
        Ok(self.text(name)?.map_or(default, |(value, _)| {
            ["on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
                || super::number(value) != 0
        }))
    }

    /// The same for a number.
    pub(super) fn number(&self, name: &str, default: i64) -> Result<i64, ConfigError> {
        Ok(self.text(name)?.map_or(default, |(value, _)| super::number(value)))
    }

    /// What keeps sessions.
    pub(super) fn handler(&self) -> Option<&str> {
        self.text("session.save_handler").ok().flatten().map(|(value, _)| value)
    }
}

fn set_by_program(text: &str) -> Vec<Setting<'_>> {
    let Ok(program) = Program::read(text, Notation::PHP) else { return Vec::new() };
    let is_setting = |name: &str| matches!(name, "ini_set" | "session_save_path" | "session_module_name");
    let calls = program.calls().filter(|call| is_setting(call.name));
    calls
        .filter_map(|call| {
            let mut arguments = call.arguments.into_iter().map(|item| item.value);
            let name = match call.name {
                "session_save_path" => "session.save_path".into(),
                "session_module_name" => "session.save_handler".into(),
                _ => match arguments.next() {
                    Some(Value::Text(name)) => name,
                    _ => return None,
                },
            };
            let value = match program.resolved(arguments.next()?) {
                Value::Text(text) => Ok(text),
                Value::Word(word) => Ok(word.into()),
                _ => Err("the value must be computed; write it in its place"),
            };
            Some(Setting { name, value, line: call.line, remark: "" })
        })
        .collect()
}

/// The name of a line that sets one, and where the value begins.
fn named(line: &str) -> Option<(&str, usize)> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    if text.starts_with([';', '#', '[', '<']) {
        return None;
    }
    let of_server = ["php_admin_value", "php_admin_flag", "php_value", "php_flag"];
    if let Some(word) = of_server.into_iter().find(|word| text.starts_with(word)) {
        let behind = &text[word.len()..];
        if let Some((name, value)) = behind.strip_prefix('[').and_then(|behind| behind.split_once(']')) {
            return Some((name, line.len() - value.split_once('=')?.1.len()));
        }
        let name = behind.split_whitespace().next()?;
        let blanks = behind.len() - behind.trim_start().len();
        return Some((name, indent + word.len() + blanks + name.len()));
    }
    let (name, _) = text.split_once('=')?;
    Some((name.trim_end(), indent + name.len() + 1))
}

/// What a value means, and how long it is in the text, without the remark behind it.
fn value(text: &str) -> (Result<Cow<'_, str>, &'static str>, usize) {
    let bare = |piece: &str| match piece.trim() {
        word if ["on", "yes", "true"].iter().any(|truth| word.eq_ignore_ascii_case(truth)) => {
            Ok("1".to_owned())
        }
        word if ["off", "no", "false", "none", "null"]
            .iter()
            .any(|truth| word.eq_ignore_ascii_case(truth)) =>
        {
            Ok(String::new())
        }
        word if word.contains("${") => Err("the value comes from the environment; write it in its place"),
        word if word.contains(['?', '&', '|', '^', '~', '!', '(', ')', '=']) => {
            Err("the value has a character that means something else to PHP; put it in quotes")
        }
        word => Ok(word.to_owned()),
    };
    let (mut at, mut whole) = (0, Ok(String::new()));
    loop {
        let rest = &text[at..];
        let end = rest.find(['\n', ';', '"', '\'']).unwrap_or(rest.len());
        let piece = bare(&rest[..end]);
        whole = whole.and_then(|whole: String| Ok(whole + &piece?));
        at += end;
        match rest[end..].chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = &text[at + 1..];
                let Some(len) = closing(inside, quote) else {
                    let says = "the text in quotes does not end";
                    return (Err(says), at + text[at..].find('\n').unwrap_or(text.len() - at));
                };
                let quoted = match quote {
                    '"' if inside[..len].contains("${") => {
                        Err("the value comes from the environment; write it in its place")
                    }
                    '"' => Ok(inside[..len].replace("\\\"", "\"")),
                    _ => Ok(inside[..len].to_owned()),
                };
                whole = whole.and_then(|whole| Ok(whole + &quoted?));
                at += 1 + len + 1;
            }
            _ => return (whole.map(Cow::Owned), at),
        }
    }
}

/// Where a text in quotes ends.
fn closing(inside: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    inside.char_indices().find_map(|(at, char)| {
        let ends = char == quote && !is_escaped;
        is_escaped = char == '\\' && quote == '"' && !is_escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_php_makes_of_them() {
        // By `parse_ini_string`.
        for (text, expected) in [
            ("a = h:1, h:2 ; x", Some("h:1, h:2")),
            ("a = \"h:1\" ; x", Some("h:1")),
            ("a=\"x\"y", Some("xy")),
            ("a='x;y'", Some("x;y")),
            ("a=On", Some("1")),
            ("a=\"On\"", Some("On")),
            ("a = none", Some("")),
            ("a=\"h:1,\nh:2\"", Some("h:1,\nh:2")),
            ("a=x#y", Some("x#y")),
            ("a=\"x\\\"y\"", Some("x\"y")),
            ("a=[::1]:11211", Some("[::1]:11211")),
            ("a=unix:///p", Some("unix:///p")),
            ("a=1\na=2", Some("2")),
            ("php_value[a] = 3", Some("3")),
            ("  php_admin_value a \"h:1, h:2\"", Some("h:1, h:2")),
            ("<?php ini_set('a', 'h:1');", Some("h:1")),
            ("a = tcp://h:1?weight=2", None),
            ("a = foo|bar", None),
            ("a = ${HOME}/x", None),
            ("a = \"x", None),
        ] {
            let ini = Ini::read(text);
            assert_eq!(ini.text("a").ok().flatten().map(|(value, _)| value), expected, "{text}");
        }
        assert_eq!(Ini::read("a=\"\n\n\"\nb=1").text("b").unwrap(), Some(("1", 4)));
    }
}
