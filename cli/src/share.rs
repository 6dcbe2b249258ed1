//! Shares of the keys: whose they ought to be, and how they are written.

use memring_core::{Weight, plan::Precision, scheme::Weights};
use serde_json::{Value, json};

use crate::{sample::Known, scheme_args::Placed, visible::Visible};

/// The share that each server would have if shares followed the weights, as far as the scheme heeds weights at all.
pub(crate) fn fair(placed: &Placed<'_>) -> Vec<f64> {
    let heeded = |weight: Weight| match placed.scheme().weights {
        Weights::Ignored => 1.0,
        Weights::ZeroIsOne => weight.real().max(1.0),
        Weights::Whole | Weights::Positive | Weights::PositiveReal => weight.real(),
    };
    let weights: Vec<_> = placed.servers().iter().map(|server| heeded(server.weight)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// A share as operators read it: `12.34 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", clean(share * 100.0, 0.005))
}

/// A change of a share, with its sign: `+1.20 %`.
pub(crate) fn signed_percent(change: f64) -> String {
    format!("{:+.2} %", clean(change * 100.0, 0.005))
}

/// A share as pictures have it: `12.3 %`, and `0.12 %` where less would say nothing.
pub(crate) fn rounded(share: f64) -> String {
    let digits = if share < 0.00995 { 2 } else { 1 };
    format!("{:.digits$} %", share * 100.0)
}

/// A change as pictures have it, in points: `−1.2`.
pub(crate) fn signed_points(change: f64) -> String {
    format!("{:+.1}", clean(change * 100.0, 0.05)).replace('-', "−")
}

/// `number`, but zero where it would be printed as a zero with a sign.
fn clean(number: f64, least: f64) -> f64 {
    if number.abs() < least { 0.0 } else { number }
}

/// A share for machines: enough digits for any hash of 32 bits, and no noise behind them.
pub(crate) fn number(share: f64) -> Value {
    json!((share * 1e12).round() / 1e12)
}

/// How well shares about `share` are known, in words: "all shares are …".
pub(crate) fn precision(known: &Known, share: f64) -> String {
    match known {
        Known::Own { path, keys } => format!("those of the {keys} keys of {}", Visible::line(path)),
        Known::Of(Precision::Exact) => "exact".to_owned(),
        &Known::Of(precision @ Precision::Sampled { keys }) => {
            let error = 2.0 * precision.standard_error(share);
            format!("sampled with {keys} keys, ± {} (two standard errors)", percent(error))
        }
    }
}

/// The same for machines.
pub(crate) fn precision_object(known: &Known, share: f64) -> Value {
    match known {
        Known::Own { keys, .. } => json!({ "kind": "counted", "keys": keys }),
        Known::Of(Precision::Exact) => json!({ "kind": "exact" }),
        &Known::Of(precision @ Precision::Sampled { keys }) => json!({
            "kind": "sampled",
            "keys": keys,
            "standard_error": number(precision.standard_error(share)),
        }),
    }
}

/// A weight for machines: whole where it was written whole.
pub(crate) fn weight(weight: Weight) -> Value {
    match weight {
        Weight::Whole(weight) => json!(weight),
        Weight::Real(weight) => json!(weight),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_change_has_no_sign() {
        assert_eq!(signed_percent(-1e-9), "+0.00 %");
        assert_eq!(signed_percent(-0.0123), "-1.23 %");
        assert_eq!(percent(1.0), "100.00 %");
    }
}
