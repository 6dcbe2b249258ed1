//! The public functions that the link proof need not contain, and why.

const REASONS: &[(&str, &str)] = &[
    ("ketama::ring", "only constants call it: the compiler runs it, not a program"),
    ("<Scheme as Debug>::fmt", "the standard library's Debug of a text can panic, as far as a compiler sees"),
    ("<Placement as Debug>::fmt", "as a scheme's"),
    ("<Live as Debug>::fmt", "as a scheme's"),
    ("<View as Debug>::fmt", "as a scheme's"),
    ("<Login as Debug>::fmt", "as a scheme's"),
];

/// The table's name for `function`, if it is excused.
pub fn reason(function: &str) -> Option<&'static str> {
    names().find(|name| *name == function)
}

/// Everything that is excused.
pub fn names() -> impl Iterator<Item = &'static str> {
    REASONS.iter().map(|(name, _)| *name)
}
