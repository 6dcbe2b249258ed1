//! Lines of an environment: `NAME=VALUE`, as `.env` files, shells and unit files write them.

use std::borrow::Cow;

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable<'t> {
    pub(super) name: &'t str,
    pub(super) value: Cow<'t, str>,
    /// Where its value begins.
    pub(super) line: usize,
}

/// All variables of `text`. A value in quotes may have several lines.
pub(super) fn variables(text: &str) -> Vec<Variable<'_>> {
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
            all.push(Variable { name, value, line });
        }
        line += rest[..taken].matches('\n').count() + 1;
        rest = rest[taken..].strip_prefix('\n').unwrap_or_default();
    }
    all
}

/// The name of a line that gives one a value, where the value begins, and the quote around both.
fn assigned(line: &str) -> Option<(&str, usize, Option<char>)> {
    // Files of containers have `- NAME=VALUE`, or `NAME: VALUE`.
    let is_map = |(name, value): &(&str, &str)| {
        let name = name.trim().trim_matches(['"', '\'']);
        value.starts_with([' ', '\t'])
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let (before, _) = line.split_once(':').filter(is_map).or_else(|| line.split_once('='))?;
    let name = before.trim_start();
    let name = name.strip_prefix("- ").map_or(name, str::trim_start);
    let quote = name.chars().next().filter(|char| matches!(char, '"' | '\''));
    let name = name.trim_matches(['"', '\'']);
    let name = ["export ", "Environment=", "-e "]
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .unwrap_or(name)
        .trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, before.len() + 1, quote))
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

    #[test]
    fn files_of_containers_have_variables_in_lists_and_maps() {
        let text = "services:\n  web:\n    environment:\n      - A=a:1,b:1\n      - \"B=c d\"\n      C: 'e'\n      D: f # r\n    ports: x\n";
        let read: Vec<_> =
            variables(text).into_iter().map(|v| (v.name, v.value.into_owned(), v.line)).collect();
        let expected = [("A", "a:1,b:1", 4), ("B", "c d", 5), ("C", "e", 6), ("D", "f", 7)];
        assert_eq!(read, expected.map(|(name, value, line)| (name, value.to_owned(), line)));
    }

    #[test]
    fn values_are_what_a_shell_makes_of_them() {
        let text = "# A=1\nexport A=b c # remark\nB = \"x\ny\\\"z\" # r\nC='q'\r\nD=\nnone\nE=\"unended\n";
        let read: Vec<_> =
            variables(text).into_iter().map(|v| (v.name.to_owned(), v.value.into_owned(), v.line)).collect();
        let expected =
            [("A", "b c", 2), ("B", "x\ny\"z", 3), ("C", "q", 5), ("D", "", 6), ("E", "\"unended", 8)];
        assert_eq!(read, expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line)));
    }
}
