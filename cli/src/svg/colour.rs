//! Colours: of what stays, what comes and what goes.

use core::fmt;

/// A colour of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(u8, u8, u8);

impl Colour {
    /// Of red, green and blue.
    pub(crate) const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self(red, green, blue)
    }

    /// Number `place` of `count` cool colours, from green to violet.
    pub(crate) fn cool(place: usize, count: usize) -> Self {
        Self::between((165.0, 265.0), place, count, 0.52)
    }

    /// Number `place` of `count` warm colours, from yellow to red.
    pub(crate) fn warm(place: usize, count: usize) -> Self {
        Self::between((42.0, 8.0), place, count, 0.85)
    }

    /// Number `place` of `count` greys.
    pub(crate) fn grey(place: usize, count: usize) -> Self {
        Self::between((215.0, 215.0), place, count, 0.06)
    }

    /// Neighbours differ in lightness too, so that many of them can be told apart.
    fn between((first, last): (f64, f64), place: usize, count: usize, saturation: f64) -> Self {
        let along = place as f64 / count.saturating_sub(1).max(1) as f64;
        let lightness = if place.is_multiple_of(2) { 0.46 } else { 0.60 };
        Self::hsl(first + (last - first) * along, saturation, lightness)
    }

    /// Of a hue in degrees, and saturation and lightness from 0 to 1.
    fn hsl(hue: f64, saturation: f64, lightness: f64) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |offset: f64| {
            let turn = (offset + hue / 30.0) % 12.0;
            let level = lightness - reach * (turn - 3.0).min(9.0 - turn).clamp(-1.0, 1.0);
            (level * 255.0).round() as u8
        };
        Self(channel(0.0), channel(8.0), channel(4.0))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_are_where_painters_have_them() {
        assert_eq!(Colour::hsl(0.0, 1.0, 0.5).to_string(), "#ff0000");
        assert_eq!(Colour::hsl(120.0, 1.0, 0.5).to_string(), "#00ff00");
        assert_eq!(Colour::hsl(240.0, 1.0, 0.25).to_string(), "#000080");
        assert_eq!(Colour::hsl(77.0, 0.0, 1.0).to_string(), "#ffffff");
    }
}
