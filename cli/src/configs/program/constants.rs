//! What constants and properties of PHP stand for, where a program gives them one value.

use super::{
    super::tokens::{Placed, Token},
    Parser, Program, Value,
};

impl<'t> Program<'t> {
    /// What a property of a class begins with, `private $name = …`, where it is given nothing else; of several classes whose
    /// properties differ, nobody can tell.
    pub(in super::super) fn property(&self, name: &str) -> Option<Value<'t>> {
        let modifiers = ["private", "protected", "public", "static", "var", "readonly"];
        let is_it = |at: &usize| {
            let is_name =
                matches!(self.tokens[*at].token, Token::Word(word) if word.strip_prefix('$') == Some(name));
            // A type may stand between: `private ?array $name`.
            let before = (1..=LONGEST_TYPE).map_while(|back| match self.tokens.get(at.checked_sub(back)?) {
                Some(Placed { token: Token::Word(word), .. }) => Some(*word),
                Some(Placed { token: Token::Sign(sign @ ("?" | "|" | "\\")), .. }) => Some(*sign),
                _ => None,
            });
            is_name && self.is_given_at(*at) && before.into_iter().any(|word| modifiers.contains(&word))
        };
        self.one_of((0..self.tokens.len()).filter(is_it).map(|at| self.value_behind(at)))
    }

    /// The value of a constant: `define('NAME', …)`, `const NAME = …`, or `CLASS::NAME`, which is that of the class. Of one that
    /// is not known here, such as `Memcached::OPT_HASH`, nothing.
    pub(in super::super) fn constant(&self, word: &str) -> Option<Value<'t>> {
        let (class, name) = word.rsplit_once("::").map_or((None, word), |(class, name)| (Some(class), name));
        let classes = self.classes();
        let consts = (0..self.tokens.len()).filter(|&at| {
            matches!(self.tokens[at].token, Token::Word(word) if word == name)
                && self.is_given_at(at)
                && self.is_constant_at(at)
        });
        let consts: Vec<_> =
            consts.map(|at| (classes.get(at).copied().flatten(), self.value_behind(at))).collect();
        match class {
            None => {
                let define = |function: &'static str| {
                    self.calls().filter(move |call| {
                        let first = call.arguments.first().and_then(|first| first.value.text());
                        call.name == function && first == Some(name)
                    })
                };
                let defined = define("define").filter_map(|call| Some(call.arguments.get(1)?.value.clone()));
                let alone =
                    consts.iter().filter(|(class, _)| class.is_none()).map(|(_, value)| value.clone());
                // `defined('NAME') || define('NAME', …)` leaves what was there before.
                let asked = define("defined").map(|_| Value::Unknown);
                self.one_of(defined.chain(alone).chain(asked))
            }
            Some("self" | "static" | "parent") => {
                self.one_of(consts.into_iter().filter(|(class, _)| class.is_some()).map(|(_, value)| value))
            }
            Some(class) => {
                let class = class.rsplit('\\').next().unwrap_or(class);
                let is_here = classes.contains(&Some(class));
                let of_class = consts.into_iter().filter(|(other, _)| *other == Some(class));
                let value = self.one_of(of_class.map(|(_, value)| value));
                // What it inherits is elsewhere.
                value.or_else(|| is_here.then_some(Value::Unknown))
            }
        }
    }

    /// The value that all of these are; if they differ, it must be computed.
    fn one_of(&self, mut values: impl Iterator<Item = Value<'t>>) -> Option<Value<'t>> {
        let first = values.next()?;
        Some(if values.all(|value| value == first) { first } else { Value::Unknown })
    }

    fn is_given_at(&self, at: usize) -> bool {
        matches!(self.tokens.get(at + 1), Some(Placed { token: Token::Sign("="), .. }))
    }

    fn value_behind(&self, at: usize) -> Value<'t> {
        Parser { tokens: &self.tokens, at: at + 2, depth: 0 }.item().value
    }

    /// Whether `const` begins the statement of the token at `at`: `const A = 1, B = 2`, also with a type.
    fn is_constant_at(&self, at: usize) -> bool {
        let before = self.tokens[..at].iter().rev().map(|placed| &placed.token);
        let mut before = before.take_while(|token| !matches!(token, Token::Sign(";" | "{" | "}")));
        before.any(|token| *token == Token::Word("const"))
    }

    /// The class that each token stands in.
    fn classes(&self) -> Vec<Option<&'t str>> {
        let (mut open, mut next) = (vec![None], None);
        let words = ["class", "interface", "trait", "enum"];
        let classes = (0..self.tokens.len()).map(|at| {
            let class = open.last().copied().flatten();
            match self.tokens[at].token {
                Token::Word(word) if words.contains(&word) => {
                    next = match self.tokens.get(at + 1).map(|placed| &placed.token) {
                        Some(Token::Word(name)) => Some(*name),
                        _ => None,
                    };
                }
                Token::Sign("{") => open.push(next.take().or(class)),
                Token::Sign("}") => drop(open.pop()),
                _ => {}
            }
            class
        });
        classes.collect()
    }
}

/// How many tokens stand before the name of a property at most.
const LONGEST_TYPE: usize = 6;
