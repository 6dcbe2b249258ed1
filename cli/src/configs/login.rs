//! Whether a configuration has a user and a password, which no reading keeps.

/// Kinds whose servers are URLs, or begin with `USER:PASSWORD@`.
const URLS: &[&str] = &["symfony", "rails", "dalli", "memjs", "env", "list", "pecl-ini"];

/// What begins a login elsewhere: a call, an argument or a setting.
const WORDS: &[&str] = &[
    "setSaslAuthData",
    "sess_sasl_username",
    "AuthDescriptor(",
    "addAuthInfo(",
    "username:",
    "username=",
    "\"username\"",
    "'username'",
];

/// Whether `text`, of the kind so called, has a login.
pub(super) fn is_in(text: &str, kind: &str) -> bool {
    let is_between = |char: char| char.is_whitespace() || "'\"`,;()[]{}<>=".contains(char);
    let is_url = |word: &str| {
        let login = word.rsplit_once('@').filter(|(_, host)| !host.is_empty()).map(|(login, _)| login);
        let login = login.map(|login| login.split_once("://").map_or(login, |(_, login)| login));
        login
            .and_then(|login| login.split_once(':'))
            .is_some_and(|(user, password)| !user.is_empty() && !password.is_empty())
    };
    // A name in a remark is none.
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']));
    let words = || WORDS.iter().any(|word| text.contains(word));
    (URLS.contains(&kind) && lines.flat_map(|line| line.split(is_between)).any(is_url)) || words()
}
