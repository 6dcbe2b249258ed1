//! Values in programs: the calls, lists and tables that a configuration in Python, PHP, Ruby, JavaScript, Go, Java, Lua or
//! JSON is made of. Nothing is run: what a program computes is an [`Unknown`](Value::Unknown) value, and its reader says so.

use core::cell::RefCell;
use std::borrow::Cow;

use super::{
    ConfigError,
    tokens::{Notation, Placed, Token, tokens},
};
use brackets::Brackets;
use parser::Parser;

mod brackets;
mod constants;
mod flow;
mod names;
mod parser;
mod uses;

/// What a program says of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'t> {
    /// A text in quotes.
    Text(Cow<'t, str>),
    /// A name or a number: `true`, `1.5`, `Memcached::OPT_HASH`.
    Word(&'t str),
    /// What stands between brackets, in order: of a list, a tuple, a table, or of nothing but brackets.
    List(Vec<Item<'t>>),
    /// `name(arguments)`, also behind `new`. The name is the whole word.
    Call(&'t str, Vec<Item<'t>>),
    /// What must be computed.
    Unknown,
}

/// A value, with the key that stands before it in a table or among arguments, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'t> {
    pub(super) key: Option<Value<'t>>,
    pub(super) value: Value<'t>,
    pub(super) line: usize,
}

/// A call, wherever it stands, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call<'t> {
    /// The last name of the word: `addServer` of `$m->addServer`.
    pub(super) name: &'t str,
    /// The whole word.
    pub(super) path: &'t str,
    pub(super) arguments: Vec<Item<'t>>,
    pub(super) line: usize,
    /// Which token of the program its name is.
    pub(super) at: usize,
}

/// A program text, read as far as its brackets go.
pub(super) struct Program<'t> {
    pub(super) text: &'t str,
    notation: Notation,
    tokens: Vec<Placed<'t>>,
    brackets: Brackets,
    notes: RefCell<Notes>,
}

/// What has been asked of a program.
#[derive(Default)]
struct Notes {
    /// Names on whose values the answer depends, and whether those are texts or numbers.
    names: Vec<(String, bool)>,
    /// Why the last of those that are not known is not.
    why: Option<String>,
}

impl<'t> Program<'t> {
    pub(super) fn read(text: &'t str, notation: Notation) -> Result<Self, ConfigError> {
        let unended =
            |error: super::tokens::Unended| ConfigError::at(error.line, "a text in quotes does not end");
        let tokens = tokens(text, notation).map_err(unended)?;
        let brackets = Brackets::of(&tokens);
        Ok(Self { text, notation, tokens, brackets, notes: RefCell::default() })
    }

    /// The text as one value: JSON, or a list that was pasted alone.
    pub(super) fn value(&self) -> Item<'t> {
        Parser { tokens: &self.tokens, at: 0, depth: 0 }.item()
    }

    /// Whether a word of the text is a symbol of Ruby, `:name`, and no variable.
    pub(super) fn is_symbol(&self, word: &str) -> bool {
        let at = (word.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let before = at.and_then(|at| self.text.get(..at));
        before.is_some_and(|before| before.ends_with(':') && !before.ends_with("::"))
    }

    /// Whether each bracket has its other one, as a language that wants it so would say.
    pub(super) fn check_brackets(&self) -> Result<(), ConfigError> {
        let mut open = Vec::new();
        for Placed { token, line } in &self.tokens {
            let Token::Sign(sign) = token else { continue };
            let closed = match *sign {
                "(" | "[" | "{" => {
                    open.push((*sign, *line));
                    continue;
                }
                ")" => "(",
                "]" => "[",
                "}" => "{",
                _ => continue,
            };
            if open.pop().is_none_or(|(sign, _)| sign != closed) {
                return Err(ConfigError::at(*line, format!("a {sign:?} that closes nothing")));
            }
        }
        match open.pop() {
            None => Ok(()),
            Some((sign, line)) => Err(ConfigError::at(line, format!("a {sign:?} that nothing closes"))),
        }
    }

    /// All calls in order of their names in the text, also those within others.
    pub(super) fn calls(&self) -> impl Iterator<Item = Call<'t>> {
        self.tokens.windows(2).enumerate().filter_map(|(at, two)| match two {
            [Placed { token: Token::Word(path), line }, Placed { token: Token::Sign("("), .. }] => {
                let mut parser = Parser { tokens: &self.tokens, at: at + 2, depth: 0 };
                let arguments = parser.items(")");
                Some(Call { name: last_name(path), path, arguments, line: *line, at })
            }
            _ => None,
        })
    }

    /// The tables that a call without brackets is given, as Lua has it: `name{…}`.
    pub(super) fn tables(&self, name: &str) -> impl Iterator<Item = Value<'t>> {
        let is_it = move |at: &usize| {
            let [word, brace, ..] = &self.tokens[*at..] else { return false };
            matches!(word.token, Token::Word(word) if word == name) && brace.token == Token::Sign("{")
        };
        let table = |at: usize| Parser { tokens: &self.tokens, at: at + 1, depth: 0 }.simple();
        (0..self.tokens.len()).filter(is_it).map(table)
    }

    /// The call of `name`, of which there must be one: whose servers the others have, the text does not say.
    pub(super) fn only_call(&self, name: &str) -> Result<Option<Call<'t>>, ConfigError> {
        self.only_call_that(name, |_| true)
    }

    /// The call of `name` that `is_it`, of which there must be one.
    pub(super) fn only_call_that(
        &self,
        name: &str,
        is_it: impl Fn(&Call<'t>) -> bool,
    ) -> Result<Option<Call<'t>>, ConfigError> {
        let mut calls = self.calls().filter(|call| call.name == name && is_it(call));
        let call = calls.next();
        match calls.next() {
            Some(other) => Err(ConfigError::at(
                other.line,
                format!("a second call of {name}(…): give the text of one client alone"),
            )),
            None => Ok(call),
        }
    }
}

/// The last of a word's names.
pub(super) fn last_name(word: &str) -> &str {
    word.rsplit(['.', ':', '>']).next().unwrap_or(word)
}

impl<'t> Value<'t> {
    /// A text, or `None`.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, or the word that stands in its place.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A truth value, as any of the languages writes it.
    pub(super) fn truth(&self) -> Option<bool> {
        match self.word()?.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Some(true),
            "false" | "0" | "off" | "no" | "" | "none" | "nil" | "null" => Some(false),
            _ => None,
        }
    }

    /// What is in a list, or in a call whose arguments are one, such as `Arrays.asList(…)` and `array(…)`.
    pub(super) fn items(&self) -> Option<&[Item<'t>]> {
        match self {
            Self::List(items) | Self::Call(_, items) => Some(items),
            _ => None,
        }
    }

    /// The value of the key `name` in a table.
    pub(super) fn get(&self, name: &str) -> Option<&Item<'t>> {
        find(self.items()?, name)
    }
}

/// The item with the key `name`. The last counts.
pub(super) fn find<'i, 't>(items: &'i [Item<'t>], name: &str) -> Option<&'i Item<'t>> {
    items.iter().rfind(|item| item.key.as_ref().and_then(Value::word) == Some(name))
}
