//! What a name stands for: variables, constants and keys, where a program gives them one value and nothing changes it.

use super::{
    super::tokens::{Placed, Token},
    Call, Item, Parser, Program, Value, last_name,
};

impl<'t> Program<'t> {
    /// Whether the list or table that `name` stands for is changed after it was made.
    fn is_changed(&self, name: &str) -> bool {
        let sign = |at: usize, signs: &[&str]| matches!(self.tokens.get(at), Some(Placed { token: Token::Sign(is), .. }) if signs.contains(is));
        (0..self.tokens.len()).any(|at| {
            let Token::Word(word) = self.tokens[at].token else { return false };
            // `s.append(…)`, and `array_push($s, …)`.
            if let Some(method) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix(['.', '-'])) {
                return CHANGES.contains(&last_name(method)) && sign(at + 1, &["("]);
            }
            if word.starts_with("array_") || word == "append" {
                let is_name = |placed: Option<&Placed<'_>>| matches!(placed, Some(Placed { token: Token::Word(word), .. }) if *word == name);
                return CHANGES.contains(&word) && sign(at + 1, &["("]) && (is_name(self.tokens.get(at + 2)) || is_name(self.tokens.get(at + 3)));
            }
            if word != name {
                return false;
            }
            // `s += …`, `s .= …`, `s << …`; `s[…] = …`.
            let is_added = sign(at + 1, &["+", "-", ".", "|"]) && sign(at + 2, &["="]);
            let is_shovelled = sign(at + 1, &["<"]) && sign(at + 2, &["<"]);
            let close = (at + 2..self.tokens.len().min(at + 5)).find(|&at| sign(at, &["]"]));
            let is_set = sign(at + 1, &["["])
                && close.is_some_and(|close| sign(close + 1, &["="]) && !sign(close + 2, &["="]));
            is_added || is_shovelled || is_set
        })
    }

    /// What `name` is given last by `=`, `:=`, `=>` or `:`, whether the name is a word or a text.
    pub(in super::super) fn assigned(&self, name: &str) -> Option<Item<'t>> {
        Some(self.behind_name(name)?.list_without_brackets())
    }

    /// The same of one of several in a table, which ends at its comma.
    pub(in super::super) fn entry(&self, name: &str) -> Option<Item<'t>> {
        Some(self.behind_name(name)?.item())
    }

    /// A reader of what stands behind the name and its sign.
    fn behind_name(&self, name: &str) -> Option<Parser<'_, 't>> {
        let is_name = |token: &Token<'_>| match token {
            Token::Word(word) => last_name(word) == name || word.trim_start_matches(['$', '@']) == name,
            Token::Text(text) => *text == name,
            Token::Sign(_) => false,
        };
        let is_given = |at: usize| {
            let sign = self.tokens.get(at + 1).map(|placed| &placed.token);
            is_name(&self.tokens[at].token)
                && matches!(sign, Some(Token::Sign("=" | ":=" | "=>" | ":")))
                && !self.is_comparison(at + 1)
        };
        let at = (0..self.tokens.len()).rev().find(|&at| is_given(at))?;
        Some(Parser { tokens: &self.tokens, at: at + 2, depth: 0 })
    }

    /// Whether the sign there is the first of `==`.
    fn is_comparison(&self, at: usize) -> bool {
        let is_equals =
            |at: usize| matches!(self.tokens.get(at), Some(Placed { token: Token::Sign("="), .. }));
        is_equals(at) && is_equals(at + 1)
    }

    /// The value that a word stands for, where the program gives it one; else the value itself. Which of several values holds,
    /// and what becomes of a list that is changed, would have to be computed.
    pub(in super::super) fn resolved(&self, value: Value<'t>) -> Value<'t> {
        let Value::Word(word) = value else { return value };
        let mut given = self.given(word).filter(|given| *given != value);
        match given.next() {
            _ if self.is_changed(word) => Value::Unknown,
            None => value,
            Some(first) if given.all(|other| other == first) => first,
            Some(_) => Value::Unknown,
        }
    }

    /// All that a name is given by `=` or `:=`, also behind its type: `servers: list[str] = …`.
    fn given(&self, name: &str) -> impl Iterator<Item = Value<'t>> {
        let has_sigil = name.starts_with(['$', '@']);
        (0..self.tokens.len()).filter_map(move |at| {
            let Placed { token: Token::Word(word), line } = self.tokens[at] else { return None };
            if word != name && (has_sigil || last_name(word) != name) {
                return None;
            }
            let sign = |at: usize| match self.tokens.get(at) {
                Some(Placed { token: Token::Sign(sign), line: other }) if *other == line => Some(*sign),
                _ => None,
            };
            let mut equals = at + 1;
            if sign(equals) == Some(":") {
                let is_type =
                    |at: &usize| !matches!(sign(*at), Some("=" | "," | ";" | "{" | "}" | "(" | ")" | "=>"));
                equals += (equals..equals + LONGEST_TYPE).take_while(is_type).count();
            }
            let is_given = matches!(sign(equals), Some("=" | ":=")) && !self.is_comparison(equals);
            let mut parser = Parser { tokens: &self.tokens, at: equals + 1, depth: 0 };
            is_given.then(|| parser.list_without_brackets().value)
        })
    }

    /// What a property of a class of PHP begins with: `private $name = …`, where it is given nothing else.
    pub(in super::super) fn property(&self, name: &str) -> Option<Value<'t>> {
        let words = ["private", "protected", "public", "static", "var", "readonly", "array"];
        let is_it = |three: &[Placed<'t>]| {
            matches!(three, [before, property, equals]
                if matches!(before.token, Token::Word(word) if words.contains(&word))
                    && matches!(property.token, Token::Word(word) if word.strip_prefix('$') == Some(name))
                    && equals.token == Token::Sign("="))
        };
        let at = self.tokens.windows(3).position(is_it)?;
        Some(Parser { tokens: &self.tokens, at: at + 3, depth: 0 }.item().value)
    }

    /// The value of a constant of PHP: `define('NAME', …)` or `const NAME = …`.
    pub(in super::super) fn constant(&self, name: &str) -> Option<Value<'t>> {
        let is_it = |call: &Call<'t>| {
            call.name == "define" && call.arguments.first().and_then(|first| first.value.text()) == Some(name)
        };
        let defined = self.calls().find(is_it).and_then(|call| Some(call.arguments.get(1)?.value.clone()));
        defined.or_else(|| {
            let is_const = |two: &[Placed<'t>]| {
                matches!(two, [Placed { token: Token::Word("const"), .. }, Placed { token: Token::Word(word), .. }] if *word == name)
            };
            let at = self.tokens.windows(2).position(is_const)? + 1;
            let behind = self.tokens.get(at + 1)?;
            let mut parser = Parser { tokens: &self.tokens, at: at + 2, depth: 0 };
            matches!(behind.token, Token::Sign("=")).then(|| parser.item().value)
        })
    }
}

/// What changes a list or a table that is there.
const CHANGES: &[&str] = &[
    "append",
    "extend",
    "push",
    "unshift",
    "insert",
    "update",
    "add",
    "addAll",
    "concat",
    "pop",
    "remove",
    "sort",
    "reverse",
    "shuffle",
    "array_push",
    "array_unshift",
    "array_splice",
    "array_pop",
    "array_shift",
];

/// How many tokens the name of a type has at most.
const LONGEST_TYPE: usize = 10;
