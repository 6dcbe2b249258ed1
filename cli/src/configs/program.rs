//! Values in programs: the calls, lists and tables that a configuration in Python, PHP, Ruby, JavaScript, Go, Java, Lua or
//! JSON is made of. Nothing is run: what a program computes is an [`Unknown`](Value::Unknown) value, and its reader says so.

use std::borrow::Cow;

use super::{
    ConfigError,
    tokens::{Notation, Placed, Token, tokens},
};

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
    tokens: Vec<Placed<'t>>,
}

impl<'t> Program<'t> {
    pub(super) fn read(text: &'t str, notation: Notation) -> Result<Self, ConfigError> {
        let unended =
            |error: super::tokens::Unended| ConfigError::at(error.line, "a text in quotes does not end");
        Ok(Self { tokens: tokens(text, notation).map_err(unended)? })
    }

    /// The text as one value: JSON, or a list that was pasted alone.
    pub(super) fn value(&self) -> Item<'t> {
        Parser { tokens: &self.tokens, at: 0, depth: 0 }.item()
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
        let table = |at: usize| Parser { tokens: &self.tokens, at: at + 1, depth: 0 }.item().value;
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

    /// The line of the first word behind which a part of the program runs only at times. What is asked of an error, or of who
    /// has started a Python program, decides nothing here.
    pub(super) fn branch(&self) -> Option<usize> {
        let words = ["if", "else", "elif", "elsif", "unless", "switch", "case"];
        let is_it = |two: &&[Placed<'t>]| match two {
            [
                Placed { token: Token::Word("if"), .. },
                Placed { token: Token::Word("err" | "__name__"), .. },
            ] => false,
            [Placed { token: Token::Word(word), .. }, ..] => words.contains(word),
            _ => false,
        };
        self.tokens.windows(2).find(is_it).map(|two| two[0].line)
    }

    /// The line where a list or a table takes in what is elsewhere: `...name`, `**name`.
    pub(super) fn spread(&self) -> Option<usize> {
        let sign = |at: usize| match self.tokens.get(at).map(|placed| &placed.token) {
            Some(Token::Sign(sign)) => *sign,
            _ => "",
        };
        let is_name = |at: usize| matches!(self.tokens.get(at), Some(Placed { token: Token::Word(_), .. }));
        let is_it = |&at: &usize| {
            let has_dots = (1..4).all(|ahead| sign(at + ahead) == ".") && is_name(at + 4);
            let has_stars = sign(at + 1) == "*" && sign(at + 2) == "*" && is_name(at + 3);
            ["{", "[", "(", ","].contains(&sign(at)) && (has_dots || has_stars)
        };
        (0..self.tokens.len()).find(is_it).map(|at| self.tokens[at].line)
    }

    /// The scope that each token stands in: 0 outside of all functions, else a number for each body of one. Of languages that
    /// begin a function by this word.
    pub(super) fn scopes(&self) -> Vec<usize> {
        let (mut open, mut last, mut is_next) = (vec![0], 0, false);
        let scopes = self.tokens.iter().map(|Placed { token, .. }| {
            let scope = open.last().copied().unwrap_or(0);
            match token {
                Token::Word("function") => is_next = true,
                // A method without a body.
                Token::Sign(";") => is_next = false,
                Token::Sign("{") => {
                    last += usize::from(is_next);
                    open.push(if is_next { last } else { scope });
                    is_next = false;
                }
                Token::Sign("}") => drop(open.pop()),
                _ => {}
            }
            scope
        });
        scopes.collect()
    }

    /// The line of the first branch or loop that has one of the calls `at` these tokens in it, and whose condition has none of
    /// the names `but`. Of languages with brackets around conditions and braces around what they decide.
    pub(super) fn branch_around(&self, calls: &[usize], but: &[&str]) -> Option<usize> {
        let has_call = |from: usize, to: usize| calls.iter().any(|at| (from..to).contains(at));
        let decided = (0..self.tokens.len()).find(|&at| {
            let Token::Word(word) = self.tokens[at].token else { return false };
            if !["if", "else", "elseif", "switch", "match", "for", "foreach", "while"].contains(&word) {
                return false;
            }
            let condition = at + 1..self.behind(at + 1, "(", ")");
            let names = self.tokens.get(condition.clone()).unwrap_or_default();
            let is_usual = names
                .iter()
                .any(|placed| matches!(placed.token, Token::Word(word) if but.contains(&last_name(word))));
            let end = match self.tokens.get(condition.end).map(|placed| &placed.token) {
                Some(Token::Sign("{")) => self.behind(condition.end, "{", "}"),
                // `if (…):`, up to its `endif`.
                Some(Token::Sign(":")) => self.find(
                    condition.end,
                    |token| matches!(token, Token::Word(word) if word.starts_with("end")),
                ),
                _ => self.find(condition.end, |token| *token == Token::Sign(";")),
            };
            !is_usual && has_call(condition.end, end)
        });
        // `$x && $m->addServer(…)`
        let is_guard = |at: &usize| {
            let before =
                at.checked_sub(1).and_then(|before| self.tokens.get(before)).map(|placed| &placed.token);
            matches!(before, Some(Token::Sign("&&" | "||" | "?" | ":") | Token::Word("and" | "or" | "xor")))
        };
        let decided = decided.or_else(|| calls.iter().copied().find(is_guard));
        decided.map(|at| self.tokens[at].line)
    }

    /// The token behind the bracket that closes the one at `at`; `at` if there stands none.
    fn behind(&self, at: usize, open: &str, close: &str) -> usize {
        let mut depth = 0;
        for (number, Placed { token, .. }) in self.tokens.iter().enumerate().skip(at) {
            match token {
                Token::Sign(sign) if *sign == open => depth += 1,
                Token::Sign(sign) if *sign == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return if number == at { at } else { number + 1 };
            }
        }
        self.tokens.len()
    }

    /// The first token from `at` on that `is_it`, or the end.
    fn find(&self, at: usize, is_it: impl Fn(&Token<'t>) -> bool) -> usize {
        let found = self.tokens.iter().skip(at).position(|placed| is_it(&placed.token));
        found.map_or(self.tokens.len(), |ahead| at + ahead)
    }

    /// What each `new CLASS` is assigned to, and its line; nothing where it is handed on at once. Of the last name of the class.
    pub(super) fn made(&self, class: &str) -> impl Iterator<Item = (&'t str, usize)> {
        (0..self.tokens.len()).filter_map(move |at| {
            let token = |at: usize| self.tokens.get(at).map(|placed| &placed.token);
            let name = if token(at + 1) == Some(&Token::Sign("\\")) { at + 2 } else { at + 1 };
            let is_it = token(at) == Some(&Token::Word("new")) && token(name) == Some(&Token::Word(class));
            let owner = match (at.checked_sub(2).and_then(token), at.checked_sub(1).and_then(token)) {
                (Some(Token::Word(owner)), Some(Token::Sign("="))) => *owner,
                _ => "",
            };
            is_it.then(|| (owner, self.tokens[at].line))
        })
    }

    /// The line of the first call or assignment that changes a list, a table or a client that is there already.
    pub(super) fn change(&self) -> Option<usize> {
        let names = ["append", "extend", "push", "unshift", "insert", "update", "add_server", "addServer"];
        let call = self.calls().find(|call| names.contains(&call.name)).map(|call| call.line);
        let sign = |placed: &Placed<'t>, sign: &str| matches!(placed.token, Token::Sign(is) if is == sign);
        let shovel = self.tokens.windows(2).find(|two| two.iter().all(|placed| sign(placed, "<")));
        // A name, a key in brackets, and one `=`.
        let entry = self.tokens.windows(6).find(|six| {
            let [name, open, _, close, equals, next] = six else { return false };
            // Those of pylibmc's client are read.
            let is_named = matches!(name.token, Token::Word(word) if last_name(word) != "behaviors");
            is_named && sign(open, "[") && sign(close, "]") && sign(equals, "=") && !sign(next, "=")
        });
        let lines =
            [shovel, entry].into_iter().flatten().filter_map(|tokens| tokens.first()).map(|first| first.line);
        lines.chain(call).min()
    }

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
    pub(super) fn assigned(&self, name: &str) -> Option<Item<'t>> {
        Some(self.behind_name(name)?.list_without_brackets())
    }

    /// The same of one of several in a table, which ends at its comma.
    pub(super) fn entry(&self, name: &str) -> Option<Item<'t>> {
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
    pub(super) fn resolved(&self, value: Value<'t>) -> Value<'t> {
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
    pub(super) fn property(&self, name: &str) -> Option<Value<'t>> {
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
    pub(super) fn constant(&self, name: &str) -> Option<Value<'t>> {
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

/// How deep brackets may stand in each other.
const DEEPEST: usize = 64;

struct Parser<'p, 't> {
    tokens: &'p [Placed<'t>],
    at: usize,
    depth: usize,
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
    fn items(&mut self, end: &str) -> Vec<Item<'t>> {
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
    fn list_without_brackets(&mut self) -> Item<'t> {
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
    fn item(&mut self) -> Item<'t> {
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
    fn simple(&mut self) -> Value<'t> {
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
