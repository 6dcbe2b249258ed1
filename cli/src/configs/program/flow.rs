//! What runs when: branches, functions, and what is changed or taken in from elsewhere.

use super::{
    super::tokens::{Placed, Token},
    Program, last_name,
};

impl<'t> Program<'t> {
    /// The line of the first word behind which a part of the program runs only at times. What is asked of an error, or of who
    /// has started a Python program, decides nothing here.
    pub(in super::super) fn branch(&self) -> Option<usize> {
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

    /// The line where `a ? b : c` chooses in a statement that has one of `names` in it. Of languages that end statements by
    /// a semicolon.
    pub(in super::super) fn choice_of(&self, names: &[&str]) -> Option<usize> {
        let sign = |at: usize, signs: &[&str]| matches!(self.tokens.get(at), Some(Placed { token: Token::Sign(sign), .. }) if signs.contains(sign));
        let is_end = |at: &usize| sign(*at, &[";", "{", "}"]);
        // Of types, `<?>` and `<? extends X>` choose nothing.
        let is_choice = |at: &usize| sign(*at, &["?"]) && !sign(at.wrapping_sub(1), &["<", ","]);
        let decides = |at: &usize| {
            let (least, most) = (at.saturating_sub(LONGEST_STATEMENT), at.saturating_add(LONGEST_STATEMENT));
            let from = (least..*at).rev().find(is_end).unwrap_or(least);
            let most = most.min(self.tokens.len());
            let to = (*at..most).find(is_end).unwrap_or(most);
            self.tokens[from..to]
                .iter()
                .any(|placed| matches!(placed.token, Token::Word(word) if names.contains(&last_name(word))))
        };
        (0..self.tokens.len()).filter(is_choice).find(decides).map(|at| self.tokens[at].line)
    }

    /// The line where a list or a table takes in what is elsewhere: `...name`, `**name`.
    pub(in super::super) fn spread(&self) -> Option<usize> {
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
    pub(in super::super) fn scopes(&self) -> Vec<usize> {
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
    pub(in super::super) fn branch_around(&self, calls: &[usize], but: &[&str]) -> Option<usize> {
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
    pub(in super::super) fn made(&self, class: &str) -> impl Iterator<Item = (&'t str, usize)> {
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
    pub(in super::super) fn change(&self) -> Option<usize> {
        let names = [
            "append",
            "extend",
            "push",
            "unshift",
            "insert",
            "update",
            "add_server",
            "addServer",
            "set_servers",
            "remove_server",
        ];
        let call = self.calls().find(|call| names.contains(&call.name)).map(|call| call.line);
        let sign = |placed: &Placed<'t>, sign: &str| matches!(placed.token, Token::Sign(is) if is == sign);
        let shovel = self.tokens.windows(2).find(|two| two.iter().all(|placed| sign(placed, "<")));
        // A name, a key in brackets, and one `=`.
        let entry = self.tokens.windows(7).find(|seven| {
            let [before, name, open, _, close, equals, next] = seven else { return false };
            // The type of a name stands behind a colon.
            if sign(before, ":") {
                return false;
            }
            // Those of pylibmc's client are read.
            let is_named = matches!(name.token, Token::Word(word) if last_name(word) != "behaviors");
            is_named && sign(open, "[") && sign(close, "]") && sign(equals, "=") && !sign(next, "=")
        });
        let lines = [shovel.and_then(|two| two.first()), entry.and_then(|seven| seven.get(1))];
        let lines = lines.into_iter().flatten().map(|placed| placed.line);
        lines.chain(call).min()
    }
}

/// How many tokens of a statement are looked at on each side of a choice.
const LONGEST_STATEMENT: usize = 1000;
