//! Variables of an environment: `NAME=VALUE`, as `.env` files, shells and unit files write them, or in a file of containers.

use std::borrow::Cow;

use super::{ConfigError, servers::without_credentials};

mod yaml;

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Nothing where the file takes it from elsewhere.
    pub(super) value: Option<String>,
    /// Where its value begins.
    pub(super) line: usize,
    /// The service or container that has it; empty where no name is said.
    pub(super) place: String,
}

/// All variables of `text`.
///
/// # Errors
/// A file of containers is no YAML.
pub(super) fn variables(text: &str) -> Result<Vec<Variable>, ConfigError> {
    let variables = yaml::variables(text)?;
    Ok(if variables.is_empty() { of_lines(text) } else { variables })
}

/// Checks that a value with servers is whole: what a template or the environment puts into it, nobody knows here.
///
/// # Errors
/// It is not; with the line, and without a password that is in the value.
pub(super) fn check_value(value: &str, line: usize) -> Result<(), ConfigError> {
    if value.contains("\\\n") || value.ends_with('\\') {
        let says = "a line that ends with a backslash goes on in the next one to some, and to others it has a backslash: write \
                    the value on one line";
        return Err(ConfigError::at(line, says));
    }
    let entries = value.split([',', '\n']).map(without_credentials);
    match entries.filter_map(placeholder).next() {
        None => Ok(()),
        Some(placeholder) => Err(ConfigError::at(
            line,
            format!("{placeholder} stands for what is elsewhere; write its value in its place"),
        )),
    }
}

/// What stands in a server for something else, from its first sign on: `${NAME}`, `{{ name }}`, `<name>`, `%(name)s`.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let signs = [("$", ""), ("{", "}}"), ("<", ">"), ("%(", ")s")];
    let found = signs.iter().filter_map(|(begin, end)| Some((text.find(begin)?, *end)));
    let (from, end) = found.min_by_key(|(at, _)| *at)?;
    let rest = &text[from..];
    let end = if rest.starts_with("${") { "}" } else { end };
    let len = match end {
        "" => rest[1..].find(|char: char| !char.is_alphanumeric() && char != '_').map(|len| len + 1),
        end => rest.find(end).map(|at| at + end.len()),
    };
    Some(&rest[..len.unwrap_or(rest.len())])
}

/// The variables of lines. A value in quotes may have several.
fn of_lines(text: &str) -> Vec<Variable> {
    let mut all = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let end = rest.find('\n').unwrap_or(rest.len());
        let mut taken = end;
        if let Some((name, from, quote)) = assigned(&rest[..end]) {
            let (mut value, len) = value(&rest[from..]);
            if let Some(inside) = quote.and_then(|quote| value.strip_suffix(quote)) {
                value = inside.to_owned().into();
            }
            // What is left of the last line is a remark.
            taken = from + len + rest[from + len..].find('\n').unwrap_or(rest.len() - from - len);
            let value = Some(value.into_owned());
            all.push(Variable { name: name.to_owned(), value, line, place: String::new() });
        }
        line += rest[..taken].matches('\n').count() + 1;
        rest = rest[taken..].strip_prefix('\n').unwrap_or_default();
    }
    all
}

/// Whether a text can be the name of a variable.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The name of a line that gives one a value, where the value begins, and the quote around both.
fn assigned(line: &str) -> Option<(&str, usize, Option<char>)> {
    let (before, _) = line.split_once('=')?;
    let name = before.trim_start();
    // An item that was taken out of a list of YAML, or of the arguments of a command.
    let name = name.strip_prefix("- ").map_or(name, str::trim_start);
    let quote = name.chars().next().filter(|char| matches!(char, '"' | '\''));
    let name = name.trim_matches(['"', '\'']);
    let name = ["export ", "Environment=", "ENV ", "-e "]
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .unwrap_or(name)
        .trim();
    is_name(name).then_some((name, before.len() + 1, quote))
}

/// What a value says, and how long it is in the text.
fn value(text: &str) -> (Cow<'_, str>, usize) {
    let line = text.lines().next().unwrap_or_default();
    let blanks = line.len() - line.trim_start().len();
    let quote = line.trim_start().chars().next().filter(|char| matches!(char, '"' | '\''));
    let Some(quote) = quote else {
        let value = line.find(" #").map_or(line, |remark| &line[..remark]);
        return (value.trim().into(), line.len());
    };
    let inside = &text[blanks + 1..];
    let mut is_escaped = false;
    for (at, char) in inside.char_indices() {
        if char == quote && !is_escaped {
            let value = &inside[..at];
            let value = match quote {
                '"' if value.contains("\\\"") => value.replace("\\\"", "\"").into(),
                _ => value.into(),
            };
            return (value, blanks + 1 + at + 1);
        }
        is_escaped = char == '\\' && quote == '"' && !is_escaped;
    }
    (line.trim().into(), line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, usize)> {
        let variables = variables(text).unwrap().into_iter();
        variables.map(|variable| (variable.name, variable.value.unwrap(), variable.line)).collect()
    }

    #[test]
    fn a_list_of_a_file_of_containers_may_stand_alone() {
        let expected = [("A", "a:1,b:1", 1), ("B", "c d", 2)];
        let read = read("      - A=a:1,b:1\n      - \"B=c d\"\n");
        assert_eq!(read, expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line)));
    }

    #[test]
    fn values_are_what_a_shell_makes_of_them() {
        let text =
            "# A=1\nexport A=b c # remark\nB = \"x\ny\\\"z\" # r\nC='q'\r\nD=\nnone\nENV E=\"unended\n";
        let expected =
            [("A", "b c", 2), ("B", "x\ny\"z", 3), ("C", "q", 5), ("D", "", 6), ("E", "\"unended", 8)];
        assert_eq!(read(text), expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line)));
    }
}
