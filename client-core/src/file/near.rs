//! Names that are near to one that is not known, for errors.

/// The names of `known` that are near to `name`, the nearest first and no more than three: few letters differ, or one has the
/// other in it. Capitals do not count, and `-` is `_`.
///
/// # Examples
/// ```
/// use memring_client::file::near;
///
/// assert_eq!(near("conect-timeout", &["timeout", "connect_timeout"]), ["connect_timeout", "timeout"]);
/// assert!(near("zzz", &["timeout"]).is_empty());
/// ```
#[must_use]
pub fn near<'k>(name: &str, known: &[&'k str]) -> Vec<&'k str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let name = plain(name);
    let distance = |known: &str| {
        let known = plain(known);
        let differ = strsim::damerau_levenshtein(&name, &known);
        let has_other = name.len() > 2 && (known.contains(&*name) || name.contains(&*known));
        (has_other || differ * 3 <= known.len()).then_some(differ)
    };
    let mut near: Vec<_> = known.iter().filter_map(|known| Some((distance(known)?, *known))).collect();
    near.sort_unstable();
    near.truncate(OFFERED);
    near.into_iter().map(|(_, known)| known).collect()
}

/// Most names that an error offers.
const OFFERED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_first() {
        let known = ["servers", "scheme", "timeout", "connect_timeout", "idle_timeout", "ca", "php-ini"];
        for (name, first) in [
            ("sheme", Some("scheme")),
            ("server", Some("servers")),
            ("Timeout", Some("timeout")),
            ("connect-timeout", Some("connect_timeout")),
            ("cafile", Some("ca")),
            ("PHP_ini", Some("php-ini")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(near(name, &known).first().copied(), first, "{name}");
        }
    }
}
