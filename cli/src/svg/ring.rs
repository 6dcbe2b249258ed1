//! A placement's ring as it is: which server owns which part of the circle of hashes.

use core::{f64::consts::TAU, fmt::Write as _};

use memring_core::ServerIndex;

use super::{Colour, RULE, Svg};
use crate::scheme_args::{Placed, indexes};

/// The owners of a ring at equal distances, hash 0 at the top and clockwise.
#[derive(Debug)]
pub(crate) struct Ring {
    owners: Vec<ServerIndex>,
}

impl Ring {
    /// The ring of `placed`, if its scheme has one of 32-bit points.
    pub(crate) fn of(placed: &Placed<'_>) -> Option<Self> {
        let hash = |tick: u32| ((u64::from(tick) << 32) / u64::from(TICKS)) as u32;
        let owners = (0..TICKS).map(|tick| placed.owner_on_ring(hash(tick))).collect::<Option<_>>()?;
        Some(Self { owners })
    }
}

impl Svg {
    /// Draws `ring` around `(x, y)`; `colour` knows the servers' colours.
    ///
    /// Each server is one dashed circle: that is short, and every viewer can draw it.
    pub(crate) fn ring(
        &mut self,
        (x, y): (f64, f64),
        radius: f64,
        ring: (&Ring, &Placed<'_>),
        colour: impl Fn(ServerIndex) -> Colour,
    ) {
        let (Ring { owners }, placed) = ring;
        // In the units of this group, a tick is one unit long.
        let (unit_radius, scale) = (f64::from(TICKS) / TAU, radius * TAU / f64::from(TICKS));
        let thickness = THICKNESS / scale;
        self.push(format_args!(
            r#"<g transform="translate({x} {y}) rotate(-90) scale({scale:.5})" fill="none" stroke-width="{thickness:.2}">"#,
        ));
        self.push(format_args!(r#"<circle r="{unit_radius:.4}" stroke="{RULE}"/>"#));
        for server in indexes(placed) {
            let Some(dashes) = dashes(owners, server) else { continue };
            let colour = colour(server);
            let number = if self.is_part { format!(r#" data-server="{server}""#) } else { String::new() };
            self.push(format_args!(
                r#"<circle{number} r="{unit_radius:.4}" stroke="{colour}" stroke-dasharray="{dashes}"/>"#
            ));
        }
        self.push(format_args!("</g>"));
    }
}

/// The lengths of dashes and gaps, beginning with a dash; `None` when there is no dash at all.
fn dashes(owners: &[ServerIndex], server: ServerIndex) -> Option<String> {
    let mut dashes = String::new();
    let mut dash = true;
    let mut len = 0;
    for &owner in owners {
        if (owner == server) != dash {
            let _ = write!(dashes, "{len} ");
            (dash, len) = (!dash, 0);
        }
        len += 1;
    }
    let _ = write!(dashes, "{len}{}", if dash { " 0" } else { "" });
    owners.contains(&server).then_some(dashes)
}

/// How finely the circle is looked at.
const TICKS: u32 = 1440;

/// How thick the ring is drawn, in pixels.
const THICKNESS: f64 = 22.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_and_gaps_take_turns() {
        let owners = [0, 0, 1, 0, 2, 2].map(ServerIndex::new);
        assert_eq!(dashes(&owners, ServerIndex::new(0)).as_deref(), Some("2 1 1 2"));
        assert_eq!(dashes(&owners, ServerIndex::new(1)).as_deref(), Some("0 2 1 3"));
        assert_eq!(dashes(&owners, ServerIndex::new(2)).as_deref(), Some("0 4 2 0"));
        assert_eq!(dashes(&owners, ServerIndex::new(3)), None);
    }
}
