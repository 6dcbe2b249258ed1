//! What else a program does with a name: reads what it stands for, changes it, or hands it to something that may change it.

use super::{
    super::tokens::{Notation, Placed, Token},
    Program, last_name,
};

/// A use of a name by which it may stand for something else than what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It surely does. The line.
    Changes(usize),
    /// Nobody can tell from this text. The line, and what has the name.
    MayChange(usize, String),
}

impl Use {
    pub(super) const fn line(&self) -> usize {
        match self {
            Self::Changes(line) | Self::MayChange(line, _) => *line,
        }
    }
}

/// What the text does with a name at one place.
enum Found<'t> {
    Nothing,
    Use(Use),
    /// It is given to this one.
    Alias(&'t str),
}

impl<'t> Program<'t> {
    /// The first use of `name` that changes what it stands for, or else the first that may. A text or a number, which
    /// `is_plain`, changes only where the name is given another.
    pub(super) fn odd_use(&self, name: &str, is_plain: bool) -> Option<Use> {
        let mut uncertain = None;
        // The same list has other names where one is given to another.
        let mut names = vec![name];
        let mut next = 0;
        while let Some(&name) = names.get(next) {
            next += 1;
            for (at, placed) in self.tokens.iter().enumerate() {
                let Token::Word(word) = placed.token else { continue };
                let Some(rest) = behind_name(word, name) else { continue };
                match self.use_at(at, rest, name, is_plain) {
                    Found::Use(change @ Use::Changes(_)) => return Some(change),
                    Found::Use(other) => uncertain = uncertain.or(Some(other)),
                    Found::Alias(other) if names.len() < MOST_ALIASES && !names.contains(&other) => {
                        names.push(other);
                    }
                    Found::Alias(other) if !names.contains(&other) => {
                        uncertain = uncertain.or_else(|| Some(Use::MayChange(placed.line, other.to_owned())));
                    }
                    Found::Alias(_) | Found::Nothing => {}
                }
            }
        }
        uncertain
    }

    /// What the word at `at` does, which has `rest` behind the name.
    fn use_at(&self, at: usize, rest: &str, name: &str, is_plain: bool) -> Found<'t> {
        let line = self.tokens[at].line;
        let changes = Found::Use(Use::Changes(line));
        if rest.is_empty() && (self.is_loop_variable(at) || self.is_parameter(at) || self.is_unpacked(at)) {
            return changes;
        }
        if self.is_word(at.wrapping_sub(1), &["del", "delete"]) {
            return changes;
        }
        // `foreach ($s as &$x)`
        let is_reference = self.is_sign(at.wrapping_sub(1), &["&"]) && self.notation == Notation::PHP;
        if is_reference || (self.is_word(at + 1, &["as"]) && self.is_sign(at + 2, &["&"])) {
            return changes;
        }
        let (end, method) = self.chain(at, last_name(rest));
        let is_whole = end == at + 1 && method.is_empty();
        if (self.is_assigned(end) && !is_whole)
            || self.is_one_of_several(at, end)
            || self.is_reckoned(at, end)
        {
            return changes;
        }
        if !method.is_empty() {
            return self.method_use(end, method, name, is_plain, line).map_or(Found::Nothing, Found::Use);
        }
        if is_plain { Found::Nothing } else { self.argument_use(at, end, name) }
    }

    /// Where what stands in brackets and behind points ends, which is of the word at `at`, and the last name there.
    fn chain<'w>(&self, at: usize, method: &'w str) -> (usize, &'w str)
    where
        't: 'w,
    {
        let (mut end, mut method) = (at + 1, method);
        loop {
            if self.is_sign(end, &["["]) {
                end = self.brackets.behind(end);
            } else if self.is_sign(end, &[".", "->"]) && end > at + 1 {
                let Some(Token::Word(word)) = self.tokens.get(end + 1).map(|placed| &placed.token) else {
                    return (end, method);
                };
                (method, end) = (last_name(word), end + 2);
            } else {
                return (end, method);
            }
        }
    }

    /// `name.method(…)`
    fn method_use(&self, end: usize, method: &str, name: &str, is_plain: bool, line: usize) -> Option<Use> {
        let is_ruby = self.notation == Notation::RUBY;
        // `merge!`, and not `!=`.
        let has_mark = is_ruby && self.is_sign(end, &["!"]) && !self.is_sign(end + 1, &["="]);
        if has_mark {
            return Some(Use::Changes(line));
        }
        if (is_ruby && PURE_IN_RUBY.contains(&method)) || READS.contains(&method) {
            return None;
        }
        if CHANGES.contains(&method) && (is_ruby || self.is_sign(end, &["("])) {
            return Some(Use::Changes(line));
        }
        let is_call = self.is_sign(end, &["("]);
        (is_call && !is_plain).then(|| Use::MayChange(line, format!("{name}.{method}(…)")))
    }

    /// The name as an argument, or as the value of another name.
    fn argument_use(&self, at: usize, end: usize, name: &str) -> Found<'t> {
        let line = self.tokens[at].line;
        if let Some(open) = self.brackets.around(at).filter(|&open| self.is_sign(open, &["("])) {
            let Some(Token::Word(path)) = open.checked_sub(1).map(|at| &self.tokens[at].token) else {
                return Found::Nothing;
            };
            let call = last_name(path);
            return match call {
                _ if READS.contains(&call) || WORDS.contains(&call) || UNDERSTOOD.contains(&call) => {
                    Found::Nothing
                }
                _ if CHANGES.contains(&call) => Found::Use(Use::Changes(line)),
                // PHP hands over a copy unless the function says otherwise.
                _ if self.notation == Notation::PHP && !call.starts_with("array_") => {
                    match self.takes_references(call) {
                        true => Found::Use(Use::Changes(line)),
                        false => Found::Nothing,
                    }
                }
                _ => Found::Use(Use::MayChange(line, format!("{call}({name})"))),
            };
        }
        // `other = name` is the same list under another name, but in PHP.
        let is_value = self.is_sign(at.wrapping_sub(1), &["=", ":="]) && end == at + 1;
        match at.checked_sub(2).map(|at| &self.tokens[at].token) {
            Some(Token::Word(other)) if is_value && self.notation != Notation::PHP => {
                Found::Alias(last_name(other))
            }
            _ => Found::Nothing,
        }
    }

    /// The line where a word that `is_it` is given something.
    pub(in super::super) fn assignment_to(&self, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        let found = (0..self.tokens.len()).find(|&at| {
            matches!(self.tokens[at].token, Token::Word(word) if is_it(word)) && self.is_assigned(at + 1)
        });
        found.map(|at| self.tokens[at].line)
    }

    /// Whether one `=` is at `at`, also behind a sign: `+=`, `.=`, `||=`.
    fn is_assigned(&self, at: usize) -> bool {
        self.is_sign(at, &["=", ":="]) && !self.is_sign(at + 1, &["=", ">"])
    }

    /// Whether a sign changes what stands from `at` to `end`: `+=`, `<<`, `++`.
    fn is_reckoned(&self, at: usize, end: usize) -> bool {
        let with_equals = ["+", "-", ".", "|", "*", "/", "||", "&&", "?"];
        let is_twice = |first: usize, second: usize| {
            ["+", "-"].iter().any(|sign| self.is_sign(first, &[sign]) && self.is_sign(second, &[sign]))
        };
        (self.is_sign(end, &with_equals) && self.is_sign(end + 1, &["="]) && !self.is_sign(end + 2, &["="]))
            || (self.is_sign(end, &["<"]) && self.is_sign(end + 1, &["<"]))
            || (self.is_sign(end, &["?"]) && self.is_sign(end + 1, &["?"]) && self.is_sign(end + 2, &["="]))
            || is_twice(end, end + 1)
            || is_twice(at.wrapping_sub(1), at.wrapping_sub(2))
    }

    /// Whether a loop gives the name its values, or a statement that ends with `as NAME`.
    fn is_loop_variable(&self, at: usize) -> bool {
        let before = at.wrapping_sub(1);
        let is_declared = self.is_word(before, &["const", "let", "var"]);
        self.is_word(before, &["for", "as"])
            || (is_declared && self.is_word(at + 1, &["of", "in"]))
            // `foreach ($a as $key => $name)`
            || (self.is_sign(before, &["=>"]) && self.is_word(at.wrapping_sub(3), &["as"]))
            // Java's `for (String name : list)`
            || (self.is_sign(at + 1, &[":"])
                && self.brackets.around(at).is_some_and(|open| self.is_word(open.wrapping_sub(1), &["for"])))
    }

    /// Whether the name is that of a parameter of a function, whose callers say what it is.
    fn is_parameter(&self, at: usize) -> bool {
        let is_c = self.notation == Notation::C;
        // `servers => …`, `|servers|`
        if (is_c && self.is_sign(at + 1, &["=>"]) && !self.is_in_switch(at))
            || (self.is_sign(at.wrapping_sub(1), &["|"]) && self.is_sign(at + 1, &["|", ","]))
        {
            return true;
        }
        let Some(open) = self.brackets.around(at).filter(|&open| self.is_sign(open, &["("])) else {
            return false;
        };
        // What stands behind `=` or `:` is its default or its type.
        if self.is_sign(at.wrapping_sub(1), &["=", ":", "=>"]) {
            return false;
        }
        let close = self.brackets.behind(open);
        let before = open.wrapping_sub(1);
        let functions = ["def", "function", "func", "fn"];
        // Go has the receiver of a method between.
        let receiver = before.checked_sub(1).filter(|&at| self.is_sign(at, &[")"]));
        let receiver = receiver.and_then(|close| self.brackets.around(close)).unwrap_or(before);
        let is_function = |at: usize| self.is_word(at, &functions);
        if is_function(before) || is_function(before.wrapping_sub(1)) || is_function(receiver.wrapping_sub(1))
        {
            return true;
        }
        if !is_c {
            return false;
        }
        let Some(Token::Word(method)) = self.tokens.get(before).map(|placed| &placed.token) else {
            // `(servers) => …`
            return self.is_sign(close, &["=>"]);
        };
        let has_body = self.is_sign(close, &["{"]) || self.is_word(close, &["throws"]);
        // `new Client() { … }` is a class of its own.
        let is_new = self.is_word(before.wrapping_sub(1), &["new"]);
        // A name with a type, of a method with one.
        let is_typed = self.is_sign(at + 1, &[":"]) && self.is_sign(close, &[":"]);
        self.is_sign(close, &["=>"]) || ((has_body || is_typed) && !is_new && !WORDS.contains(method))
    }

    /// Whether `=>` there may belong to a case of Java's `switch`.
    fn is_in_switch(&self, at: usize) -> bool {
        self.is_word(at.wrapping_sub(1), &["case"])
    }

    /// Whether the name stands in brackets on the left of `=`: `[$a, $b] = …`, `const { a } = …`.
    fn is_unpacked(&self, at: usize) -> bool {
        let Some(open) = self.brackets.around(at) else { return false };
        let close = self.brackets.behind(open);
        let before = open.wrapping_sub(1);
        let is_index = matches!(
            self.tokens.get(before).map(|placed| &placed.token),
            Some(Token::Word(word)) if !["const", "let", "var", "list"].contains(word)
        ) || self.is_sign(before, &["]", ")"]);
        !is_index && self.is_assigned(close)
    }

    /// Whether what stands from `at` to `end` is one of several that one `=` gives values: `a, b = …`.
    fn is_one_of_several(&self, at: usize, end: usize) -> bool {
        if self.notation == Notation::C || self.notation == Notation::PHP {
            return false;
        }
        let line = self.tokens[at].line;
        let on_line = |at: &usize| self.tokens.get(*at).is_some_and(|placed| placed.line == line);
        let is_target = |at: &usize| on_line(at) && !self.is_sign(*at, &["(", "{", "="]);
        let before = (0..at).rev().take_while(on_line).take(LONGEST_TARGET);
        let is_first = before.into_iter().all(|at| is_target(&at));
        let equals = (end..end + LONGEST_TARGET).find(|at| !is_target(at)).unwrap_or(end);
        let has_comma = self.is_sign(end, &[","])
            || self.is_sign(at.wrapping_sub(1), &[","]) && on_line(&at.wrapping_sub(1));
        has_comma && is_first && on_line(&equals) && self.is_assigned(equals)
    }

    /// Whether a function of the program that is called so takes any of its arguments by reference.
    fn takes_references(&self, function: &str) -> bool {
        (0..self.tokens.len()).any(|at| {
            let is_it = self.is_word(at, &["function"]) && self.is_word(at + 1, &[function]);
            let open = at + 2;
            is_it && (open..self.brackets.behind(open)).any(|at| self.is_sign(at, &["&"]))
        })
    }

    fn is_sign(&self, at: usize, signs: &[&str]) -> bool {
        matches!(self.tokens.get(at), Some(Placed { token: Token::Sign(sign), .. }) if signs.contains(sign))
    }

    fn is_word(&self, at: usize, words: &[&str]) -> bool {
        matches!(self.tokens.get(at), Some(Placed { token: Token::Word(word), .. }) if words.contains(word))
    }
}

/// What stands behind `name` in a word that has it: `.append` of `self.servers.append`.
fn behind_name<'w>(word: &'w str, name: &str) -> Option<&'w str> {
    let is_letter = |char: char| char.is_alphanumeric() || char == '_';
    if name.starts_with(['$', '@']) {
        let rest = word.strip_prefix(name)?;
        return (!rest.starts_with(is_letter)).then_some(rest);
    }
    word.match_indices(name).find_map(|(at, _)| {
        let rest = &word[at + name.len()..];
        let is_whole =
            !word[..at].ends_with(|char| is_letter(char) || char == '$') && !rest.starts_with(is_letter);
        is_whole.then_some(rest)
    })
}

/// How many names of one list are followed.
const MOST_ALIASES: usize = 16;

/// How many tokens are looked at for what one `=` gives values.
const LONGEST_TARGET: usize = 32;

/// Words before a bracket that call nothing.
const WORDS: &[&str] = &[
    "if",
    "while",
    "for",
    "foreach",
    "switch",
    "match",
    "return",
    "and",
    "or",
    "not",
    "in",
    "elif",
    "elseif",
    "case",
    "when",
    "unless",
    "until",
    "await",
    "yield",
    "catch",
    "synchronized",
    "use",
    "array",
    "list",
    "range",
    "print",
    "echo",
    "else",
];

/// Calls and methods that change nothing.
const READS: &[&str] = &[
    "len",
    "count",
    "sizeof",
    "size",
    "length",
    "println",
    "printf",
    "puts",
    "p",
    "pp",
    "log",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "fatal",
    "trace",
    "dumps",
    "dump",
    "encode",
    "stringify",
    "inspect",
    "repr",
    "str",
    "string",
    "format",
    "sprintf",
    "Sprintf",
    "Print",
    "Println",
    "Printf",
    "Fprintln",
    "Fprintf",
    "Errorf",
    "isset",
    "empty",
    "is_array",
    "in_array",
    "implode",
    "join",
    "Join",
    "explode",
    "split",
    "json_encode",
    "var_dump",
    "var_export",
    "print_r",
    "array_map",
    "array_filter",
    "array_values",
    "array_keys",
    "array_merge",
    "array_column",
    "array_slice",
    "array_unique",
    "array_reverse",
    "array_search",
    "array_key_exists",
    "tuple",
    "set",
    "dict",
    "sorted",
    "enumerate",
    "zip",
    "reversed",
    "any",
    "all",
    "sum",
    "min",
    "max",
    "map",
    "filter",
    "isinstance",
    "type",
    "typeof",
    "tostring",
    "ipairs",
    "pairs",
    "isArray",
    "from",
    "of",
    "asList",
    "freeze",
    "copy",
    "deepcopy",
    "get",
    "items",
    "keys",
    "values",
    "forEach",
    "each",
    "find",
    "index",
    "indexOf",
    "includes",
    "contains",
    "include",
    "slice",
    "first",
    "last",
    "to_s",
    "to_a",
    "isEmpty",
    "strip",
    "lower",
    "upper",
    "startswith",
    "startsWith",
    "endswith",
    "endsWith",
    "trim",
    "toString",
    "stream",
    "entries",
    "some",
    "every",
    "reduce",
    "flatMap",
    "dup",
    "clone",
    "assert",
    "equals",
    "hashCode",
    "getServerList",
    "concat",
];

/// Methods that give a new list or table in Ruby, where those that change one have a mark behind them.
const PURE_IN_RUBY: &[&str] = &[
    "sort",
    "sort_by",
    "reverse",
    "shuffle",
    "merge",
    "uniq",
    "compact",
    "flatten",
    "rotate",
    "select",
    "reject",
    "sample",
    "map",
    "any",
    "size",
    "to_h",
    "slice",
    "except",
    "symbolize_keys",
    "zip",
    "take",
    "drop",
];

/// Calls that the readers of the kinds understand.
const UNDERSTOOD: &[&str] = &[
    "Client",
    "ThreadMappedPool",
    "ClientPool",
    "HashClient",
    "PooledClient",
    "ThreadedClient",
    "create_client",
    "Memcached",
    "HashRing",
    "create",
    "New",
    "NewFromServers",
    "SetServers",
    "NewFromSelector",
    "getAddresses",
    "getAddressMap",
    "InetSocketAddress",
    "MemcachedClient",
    "XMemcachedClientBuilder",
    "XMemcachedClient",
    "pool",
    "backend",
    "new",
    "addServer",
    "addServers",
    "setOption",
    "setOptions",
    "createConnection",
    "MemcachedHostAddress",
    "set_servers",
];

/// What changes a list or a table that is there.
pub(super) const CHANGES: &[&str] = &[
    "append",
    "extend",
    "push",
    "unshift",
    "insert",
    "update",
    "add",
    "addAll",
    "pop",
    "remove",
    "removeIf",
    "shift",
    "splice",
    "sort",
    "rsort",
    "usort",
    "uasort",
    "uksort",
    "asort",
    "arsort",
    "ksort",
    "krsort",
    "natsort",
    "natcasesort",
    "reverse",
    "shuffle",
    "clear",
    "replace",
    "store",
    "delete",
    "delete_at",
    "delete_if",
    "keep_if",
    "fill",
    "copyWithin",
    "set_default",
    "setdefault",
    "popitem",
    "put",
    "putAll",
    "Strings",
    "Sort",
    "SortFunc",
    "Slice",
    "SliceStable",
    "Reverse",
    "Shuffle",
    "Delete",
    "array_push",
    "array_unshift",
    "array_splice",
    "array_pop",
    "array_shift",
    "array_walk",
    "array_multisort",
    "unset",
    "settype",
    "assign",
    "defineProperty",
    "rawset",
];
