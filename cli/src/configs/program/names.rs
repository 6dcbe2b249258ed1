//! What a name stands for: variables, constants and keys, where a program gives them one value and nothing changes it.

use super::{
    super::tokens::{Notation, Placed, Token},
    Item, Parser, Program, Value, last_name,
    uses::Use,
};

impl<'t> Program<'t> {
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
        self.looked_up(value).unwrap_or_else(|why| {
            self.notes.borrow_mut().why = Some(why);
            Value::Unknown
        })
    }

    /// The same, or why it would have to be computed.
    pub(in super::super) fn looked_up(&self, value: Value<'t>) -> Result<Value<'t>, String> {
        let Value::Word(word) = value else { return Ok(value) };
        // A symbol stands for itself, also where a variable is called so.
        if self.notation == Notation::RUBY && self.is_symbol(word) {
            return Ok(value);
        }
        let mut given = self.given(word).filter(|given| *given != value);
        let first = given.next();
        // A property of PHP begins with what its class says.
        if first.is_none() && !word.starts_with(['$', '@']) && !word.contains("::$") {
            return Ok(value);
        }
        if given.any(|other| Some(&other) != first.as_ref()) {
            return Err(format!("`{word}` is given several values"));
        }
        let is_plain = matches!(first, Some(Value::Text(_) | Value::Word(_)));
        if let Some(Use::Changes(line)) = self.odd_use(word, is_plain) {
            return Err(format!("line {line} changes `{word}` or gives it another value"));
        }
        self.relies_on(word, is_plain);
        Ok(first.unwrap_or(value))
    }

    /// The same of a list and of what is in it.
    pub(in super::super) fn resolved_within(&self, value: Value<'t>) -> Value<'t> {
        self.resolved_to(DEEPEST, &mut { MOST_NAMES }, value)
    }

    /// Names may stand for each other, and for much: no more than `left` are looked up, and none deeper than `depth`.
    fn resolved_to(&self, depth: usize, left: &mut usize, value: Value<'t>) -> Value<'t> {
        if depth == 0 || *left == 0 {
            return value;
        }
        *left -= usize::from(matches!(value, Value::Word(_)));
        let mut resolved = |mut items: Vec<Item<'t>>| {
            for item in &mut items {
                let value = core::mem::replace(&mut item.value, Value::Unknown);
                item.value = self.resolved_to(depth - 1, left, value);
            }
            items
        };
        match self.resolved(value) {
            Value::List(items) => Value::List(resolved(items)),
            Value::Call(name, items) => Value::Call(name, resolved(items)),
            value => value,
        }
    }

    /// Notes that what is read depends on what `name` stands for.
    pub(in super::super) fn relies_on(&self, name: &str, is_plain: bool) {
        let names = &mut self.notes.borrow_mut().names;
        if !names.iter().any(|(other, _)| other == name) {
            names.push((name.to_owned(), is_plain));
        }
    }

    /// Why the last name that was asked for stands for nothing that is known.
    pub(in super::super) fn why_unknown(&self) -> Option<String> {
        self.notes.borrow().why.clone()
    }

    /// What may change the names that were relied on, and the line.
    pub(in super::super) fn doubts(&self) -> Vec<(usize, String)> {
        let names = self.notes.borrow().names.clone();
        let doubts = names.into_iter().filter_map(|(name, is_plain)| {
            let odd = self.odd_use(&name, is_plain)?;
            let says = match &odd {
                Use::Changes(_) => format!("`{name}` is changed, which is not read here"),
                Use::MayChange(_, what) => {
                    format!("`{what}` may change `{name}`, and it is read here as if it did not")
                }
            };
            Some((odd.line(), says))
        });
        doubts.collect()
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
}

/// How deep names are looked up in what others stand for.
const DEEPEST: usize = 4;

/// How many names within one value are looked up.
const MOST_NAMES: usize = 1000;

/// How many tokens the name of a type has at most.
const LONGEST_TYPE: usize = 10;
