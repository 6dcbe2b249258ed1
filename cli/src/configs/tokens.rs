//! The words of a program text: enough of the notation of eight languages to find calls, lists and tables in it.

use std::borrow::Cow;

/// How a language writes what is not for its compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notation {
    /// What begins a remark that ends with its line.
    remarks: &'static [&'static str],
    /// Whether `/*` begins a remark that ends with `*/`.
    has_blocks: bool,
    /// Whether `:name` is a word.
    has_symbols: bool,
    /// The quotes of texts in which names stand for their values, and what such a name begins with.
    computes: Option<(char, &'static str)>,
}

impl Notation {
    /// C, Go, Java, JavaScript; JSON with remarks.
    pub(super) const C: Self =
        Self { remarks: &["//"], has_blocks: true, has_symbols: false, computes: Some(('`', "${")) };
    pub(super) const LUA: Self = Self { remarks: &["--"], has_blocks: false, ..Self::PYTHON };
    pub(super) const PHP: Self =
        Self { remarks: &["//", "#"], has_blocks: true, has_symbols: false, computes: Some(('"', "$")) };
    pub(super) const PYTHON: Self =
        Self { remarks: &["#"], has_blocks: false, has_symbols: false, computes: None };
    pub(super) const RUBY: Self =
        Self { remarks: &["#"], has_blocks: false, has_symbols: true, computes: Some(('"', "#{")) };

    /// Whether the text between `quote`s has something in it that must be computed.
    fn is_computed(self, quote: char, text: &str) -> bool {
        let Some((quotes, begin)) = self.computes.filter(|(quotes, _)| *quotes == quote) else {
            return false;
        };
        text.match_indices(begin).any(|(at, _)| {
            let behind = text[at + begin.len()..].chars().next();
            quotes != '"'
                || begin != "$"
                || behind.is_some_and(|char| char.is_alphabetic() || "_{".contains(char))
        }) || (begin == "$" && text.contains("{$"))
    }
}

/// A piece of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A text in quotes, without them.
    Text(Cow<'t, str>),
    /// A name, with the names of what it belongs to (`Memcached::OPT_HASH`, `$m->addServer`), or a number.
    Word(&'t str),
    /// Anything else: a sign, or the two of an arrow.
    Sign(&'t str),
}

/// A token, and the line where it begins, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<'t> {
    pub(super) line: usize,
    pub(super) token: Token<'t>,
}

/// A text in quotes that does not end; the line where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unended {
    pub(super) line: usize,
}

/// All tokens of `text`.
pub(super) fn tokens(text: &str, notation: Notation) -> Result<Vec<Placed<'_>>, Unended> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut all = Vec::<Placed<'_>>::new();
    while let Some(first) = reader.rest.chars().next() {
        let line = reader.line;
        if first.is_whitespace() {
            reader.skip(first.len_utf8());
        } else if notation.remarks.iter().any(|remark| reader.rest.starts_with(remark)) {
            reader.skip(reader.rest.find('\n').unwrap_or(reader.rest.len()));
        } else if notation.has_blocks && reader.rest.starts_with("/*") {
            reader.skip(reader.rest.find("*/").map_or(reader.rest.len(), |end| end + 2));
        } else if matches!(first, '"' | '\'' | '`') {
            let text = reader.quoted(first).ok_or(Unended { line })?;
            let is_computed = notation.is_computed(first, &text);
            // A sign that begins no value.
            all.push(Placed {
                line, token: if is_computed { Token::Sign("…") } else { Token::Text(text) }
            });
        } else if let Some(words) = reader.percent_words(notation.has_symbols) {
            all.push(Placed { line, token: Token::Sign("[") });
            for word in words.split_whitespace() {
                all.push(Placed { line, token: Token::Text(word.into()) });
                all.push(Placed { line, token: Token::Sign(",") });
            }
            all.push(Placed { line, token: Token::Sign("]") });
        } else if let Some(word) = reader.word(notation.has_symbols && ends_no_value(all.last())) {
            // The letters before quotes say how Python reads them: b"…".
            let is_prefix = reader.rest.starts_with(['"', '\'']) && word.len() <= 2 && word.is_ascii();
            let is_prefix = is_prefix && word.bytes().all(|byte| b"bBrRuUfF".contains(&byte));
            // A text behind an f has values in it.
            let is_computed = word.contains(['f', 'F'])
                && reader.rest.lines().next().is_some_and(|line| line.contains('{'));
            if !is_prefix || is_computed {
                all.push(Placed { line, token: Token::Word(word) });
            }
        } else {
            let arrow =
                ["=>", "->", ":=", "||", "&&"].into_iter().find(|arrow| reader.rest.starts_with(arrow));
            let len = match arrow {
                Some(arrow) => arrow.len(),
                None => first.len_utf8(),
            };
            let sign = reader.skip(len);
            all.push(Placed { line, token: Token::Sign(sign) });
        }
    }
    Ok(all)
}

/// Whether a `:` behind `last` begins a symbol, and is not the sign between a name and its value.
fn ends_no_value(last: Option<&Placed<'_>>) -> bool {
    match last.map(|placed| &placed.token) {
        Some(Token::Text(_) | Token::Word(_)) => false,
        Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "}"),
        None => true,
    }
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    /// Takes `len` bytes.
    fn skip(&mut self, len: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(len);
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count();
        self.rest = rest;
        taken
    }

    /// The text between quotes. Three of them are one, as Python has it.
    fn quoted(&mut self, quote: char) -> Option<Cow<'t, str>> {
        let three = [quote; 3].iter().collect::<String>();
        let (quotes, is_long) =
            if self.rest.starts_with(&three) { (&*three, true) } else { (&three[..1], false) };
        let mut from = quotes.len();
        loop {
            let at = from + self.rest.get(from..)?.find(['\\', quote])?;
            if self.rest[at..].starts_with('\\') {
                from = at + 1 + self.rest[at + 1..].chars().next()?.len_utf8();
            } else if !is_long || self.rest[at..].starts_with(quotes) {
                let inside = &self.skip(at + quotes.len())[quotes.len()..at];
                return Some(unescaped(inside, quote));
            } else {
                from = at + 1;
            }
        }
    }

    /// The words of Ruby's `%w[…]`, which are a list of texts.
    fn percent_words(&mut self, is_ruby: bool) -> Option<&'t str> {
        let rest =
            self.rest.strip_prefix("%w").or_else(|| self.rest.strip_prefix("%W")).filter(|_| is_ruby)?;
        let (open, close) = [('[', ']'), ('(', ')'), ('{', '}'), ('<', '>')]
            .into_iter()
            .find(|(open, _)| rest.starts_with(*open))?;
        let len = rest.find(close)?;
        self.skip("%w".len() + len + close.len_utf8());
        rest.get(open.len_utf8()..len)
    }

    fn word(&mut self, may_be_symbol: bool) -> Option<&'t str> {
        let is_part = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | '@');
        let symbol = may_be_symbol && self.rest.starts_with(':');
        let body = &self.rest[usize::from(symbol)..];
        if !body.starts_with(is_part) {
            return None;
        }
        let mut len = 0;
        loop {
            len += body[len..].find(|char| !is_part(char)).unwrap_or(body.len() - len);
            let joint =
                [".", "::", "->", "?->", "?."].into_iter().find(|joint| body[len..].starts_with(joint));
            match joint {
                Some(joint) if body[len + joint.len()..].starts_with(is_part) => len += joint.len(),
                _ => break,
            }
        }
        Some(&self.skip(usize::from(symbol) + len)[usize::from(symbol)..])
    }
}

/// The text that is meant by what stands between quotes.
fn unescaped(inside: &str, quote: char) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return inside.into();
    }
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => match chars.next() {
                Some('n') if quote != '\'' => text.push('\n'),
                Some('t') if quote != '\'' => text.push('\t'),
                Some(other) if other == quote || other == '\\' || quote != '\'' => text.push(other),
                other => text.extend(['\\'].into_iter().chain(other)),
            },
            _ => text.push(char),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, notation: Notation) -> String {
        let show = |placed: Placed<'_>| match placed.token {
            Token::Text(text) => format!("'{text}'"),
            Token::Word(word) => word.to_owned(),
            Token::Sign(sign) => format!("<{sign}>"),
        };
        tokens(text, notation).unwrap().into_iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_keep_what_they_belong_to_and_remarks_are_none() {
        assert_eq!(
            shown("$m->setOption(Memcached::OPT_HASH, 1); # x\n// y\n/* 'z */ new A\\B", Notation::PHP),
            "$m->setOption <(> Memcached::OPT_HASH <,> 1 <)> <;> new A <\\> B"
        );
        assert_eq!(shown("a -- 'b\nc", Notation::LUA), "a c");
        assert_eq!(shown("1.5, x.y?.z || 'a#b'", Notation::C), "1.5 <,> x.y?.z <||> 'a#b'");
    }

    #[test]
    fn a_symbol_is_a_word_where_no_value_stands_before_it() {
        assert_eq!(shown("store = :mem, { :ns => 'x', up: :down }", Notation::RUBY), {
            "store <=> mem <,> <{> ns <=>> 'x' <,> up <:> down <}>"
        });
        assert_eq!(shown("{a:b}", Notation::C), "<{> a <:> b <}>");
    }

    #[test]
    fn quotes_are_read_as_their_languages_do() {
        assert_eq!(shown(r#"b'a' u"b" 'c\'d' "e\"f" 'g\h' """i "j" k""" '' "\\""#, Notation::PYTHON), {
            r#"'a' 'b' 'c'd' 'e"f' 'g\h' 'i "j" k' '' '\'"#
        });
        assert_eq!(tokens("a\n\"b\nc", Notation::C), Err(Unended { line: 2 }));
        assert_eq!(tokens("'a\\", Notation::C), Err(Unended { line: 1 }));
    }

    #[test]
    fn a_token_knows_its_line() {
        let lines: Vec<_> =
            tokens("a\n/*\n*/ 'b\nc'\nd", Notation::C).unwrap().iter().map(|t| t.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }
}
