//! Names that are near to one that is not known, for its error.

use memring_client::file::near;

/// What to say of the names that there are: those near to `name`, or all of `known`.
pub(crate) fn offer(name: &str, known: &[&str]) -> String {
    match &*near(name, known) {
        [] => format!("there are {}", known.join(", ")),
        near => format!("near to it is {}", near.join(", ")),
    }
}

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
