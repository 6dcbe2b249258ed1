//! Names that are near to one that is not known, for its error.

/// What to say of the names that there are: those near to `name`, or all of `known`.
pub(crate) fn offer(name: &str, known: &[&str]) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let distance = |known: &str| {
        let differ = strsim::damerau_levenshtein(&lower, known);
        let has_other = lower.len() > 2 && (known.contains(&*lower) || lower.contains(known));
        (has_other || differ * 3 <= known.len()).then_some(differ)
    };
    let mut near: Vec<_> = known.iter().filter_map(|known| Some((distance(known)?, *known))).collect();
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().take(OFFERED).map(|(_, known)| known).collect();
    match near.is_empty() {
        true => format!("there are {}", known.join(", ")),
        false => format!("near to it is {}", near.join(", ")),
    }
}

/// Most names that an error offers.
const OFFERED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_offered_or_else_all() {
        let known = ["twemproxy", "nginx", "php-ini", "php-array"];
        assert_eq!(offer("tweemproxy", &known), "near to it is twemproxy");
        assert_eq!(offer("PHP_ini", &known), "near to it is php-ini");
        assert_eq!(offer("php", &known), "near to it is php-ini, php-array");
        assert_eq!(offer("zzz", &known), "there are twemproxy, nginx, php-ini, php-array");
    }
}
