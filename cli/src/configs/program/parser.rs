//! Values as they stand in the text, from one token on.

use super::{
    super::tokens::{Placed, Token},
    Item, Value,
};

pub(super) struct Parser<'p, 't> {
    pub(super) tokens: &'p [Placed<'t>],
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl<'t> Parser<'_, 't> {
    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = self.is_sign_at(0, sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn line(&self) -> usize {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.at.min(last)).map_or(1, |placed| placed.line)
    }

    /// Items with commas between, up to the bracket `end`.
    pub(super) fn items(&mut self, end: &str) -> Vec<Item<'t>> {
        let mut items = Vec::new();
        while self.peek().is_some() && !self.takes(end) {
            if self.takes(",") || self.takes(";") {
                continue;
            }
            let before = self.at;
            items.push(self.item());
            if self.at == before {
                // A bracket that closes nothing.
                self.at += 1;
            }
        }
        items
    }

    /// A value, or several with commas between, as Ruby and Python have lists without brackets.
    pub(super) fn list_without_brackets(&mut self) -> Item<'t> {
        let line = self.line();
        let mut items = vec![self.item()];
        while self.takes(",") {
            items.push(self.item());
        }
        match <[_; 1]>::try_from(items) {
            Ok([item]) => item,
            Err(items) => Item { key: None, value: Value::List(items), line },
        }
    }

    /// A value, with its key if it has one.
    pub(super) fn item(&mut self) -> Item<'t> {
        let line = self.line();
        let first = self.expression();
        let sign = ["=>", ":", "="].into_iter().find(|sign| self.takes(sign));
        if let Some(sign) = sign {
            let line = self.line();
            let value = self.expression();
            // `a ? b : c` has no key.
            let is_choice = sign == ":" && first == Value::Unknown;
            return Item { key: Some(first), value: if is_choice { Value::Unknown } else { value }, line };
        }
        Item { key: None, value: first, line }
    }

    /// A value. If anything but its end follows, it must be computed.
    fn expression(&mut self) -> Value<'t> {
        let value = self.simple();
        let is_end = |token: &Token<'_>| match token {
            Token::Sign(sign) => matches!(*sign, "," | ";" | ")" | "]" | "}" | "=>" | ":" | "="),
            // Where no comma stands between them, the next statement begins on a line of its own.
            _ => false,
        };
        let mut is_whole = true;
        let mut line = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |placed| placed.line);
        while let Some(Placed { token, line: next }) = self.tokens.get(self.at) {
            if is_end(token) || (*next > line && !matches!(token, Token::Sign(_))) {
                break;
            }
            line = *next;
            // A constant of Ruby.
            if self.is_sign_at(0, ".")
                && self.tokens.get(self.at + 1).is_some_and(|placed| placed.token == Token::Word("freeze"))
            {
                self.at += 2;
                continue;
            }
            // Go's `servers...`.
            if (0..3).all(|ahead| self.is_sign_at(ahead, ".")) {
                self.at += 3;
                continue;
            }
            is_whole = false;
            if matches!(token, Token::Sign(".") | Token::Sign("->")) {
                self.at += 1;
            }
            let before = self.at;
            self.simple();
            if self.at == before {
                self.at += 1;
            }
        }
        if is_whole { value } else { Value::Unknown }
    }

    /// A value that no operator follows.
    pub(super) fn simple(&mut self) -> Value<'t> {
        if self.depth >= DEEPEST {
            self.at += 1;
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.bracketed();
        self.depth -= 1;
        value
    }

    fn bracketed(&mut self) -> Value<'t> {
        let Some(token) = self.peek().cloned() else { return Value::Unknown };
        match token {
            Token::Text(text) => {
                self.at += 1;
                Value::Text(text)
            }
            Token::Word("new") => {
                self.at += 1;
                self.simple()
            }
            Token::Word(word) => {
                self.at += 1;
                if self.takes("(") {
                    return Value::Call(word, self.items(")"));
                }
                // Java's `int[] {…}`; Go's `memcache.ServerList {…}` has no brackets.
                if self.is_sign_at(0, "[") && self.is_sign_at(1, "]") && self.is_sign_at(2, "{") {
                    self.at += 3;
                    return Value::List(self.items("}"));
                }
                Value::Word(word)
            }
            Token::Sign("(") => match self.list(")") {
                // Brackets around one value alone make no list of it, where no comma stands behind it.
                Value::List(mut items)
                    if items.len() == 1 && !self.is_behind_comma() && items[0].key.is_none() =>
                {
                    items.pop().map_or(Value::Unknown, |item| item.value)
                }
                list => list,
            },
            Token::Sign("{") => self.list("}"),
            // Go's `[]string{…}`.
            Token::Sign("[") if self.is_sign_at(1, "]") && self.is_sign_at(3, "{") => {
                self.at += 4;
                Value::List(self.items("}"))
            }
            Token::Sign("[") => self.list("]"),
            // Signs that say nothing of a value's text: PHP's `\Memcached`, C's `&`.
            Token::Sign("\\" | "&" | "*") => {
                self.at += 1;
                self.simple()
            }
            Token::Sign(_) => Value::Unknown,
        }
    }

    fn list(&mut self, end: &str) -> Value<'t> {
        self.at += 1;
        Value::List(self.items(end))
    }

    /// Whether a comma stands before the bracket that was just read.
    fn is_behind_comma(&self) -> bool {
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at));
        matches!(before, Some(Placed { token: Token::Sign(","), .. }))
    }

    fn is_sign_at(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Placed { token: Token::Sign(other), .. }) if *other == sign)
    }
}

/// How deep brackets may stand in each other.
const DEEPEST: usize = 64;
