//! Pictures, written by hand: no fonts, scripts or files from elsewhere, and the same bytes for the same input.

use core::fmt::{self, Write as _};
use std::collections::BTreeSet;

mod colour;
mod ring;

pub(crate) use colour::Colour;
pub(crate) use ring::Ring;

/// A picture that is being drawn. Lengths are in pixels, from the upper left corner.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
    is_part: bool,
}

/// How a text looks; the style sheet knows the classes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Font {
    Title,
    Subtitle,
    /// A figure to be seen from afar.
    Figure,
    /// What is written below it.
    Caption,
    Heading,
    Name,
    Number,
    Note,
}

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// A white picture, described by `title` for readers that cannot see it.
    pub(crate) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self { width, height, body: String::new(), is_part: false };
        svg.push(format_args!("<title>{}</title>", Xml(title)));
        svg.push(format_args!(r#"<rect width="{}" height="{}" fill="{}"/>"#, Px(width), Px(height), PAPER));
        svg
    }

    fn push(&mut self, element: fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// A text with its baseline at `y`.
    pub(crate) fn text(&mut self, x: f64, y: f64, font: Font, anchor: Anchor, colour: Colour, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " middle",
            Anchor::End => " end",
        };
        self.push(format_args!(
            r#"<text class="{}{anchor}" x="{}" y="{}" fill="{colour}">{}</text>"#,
            font.class(),
            Px(x),
            Px(y),
            Xml(text)
        ));
    }

    /// A filled rectangle with round corners; `title` is shown when it is pointed at.
    pub(crate) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        fill: Colour,
        title: &str,
    ) {
        let radius = 2.0_f64.min(width / 2.0).min(height / 2.0);
        self.push(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{fill}"><title>{}</title></rect>"#,
            Px(x),
            Px(y),
            Px(width),
            Px(height),
            Px(radius),
            Xml(title)
        ));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, colour: Colour) {
        self.push(format_args!(
            r#"<path d="M{} {}L{} {}" stroke="{colour}" stroke-width="{}" fill="none"/>"#,
            Px(from.0),
            Px(from.1),
            Px(to.0),
            Px(to.1),
            Px(width)
        ));
    }

    /// A band that flows from the left to the right, as thick as `height`.
    pub(crate) fn band(
        &mut self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        height: f64,
        (fill, opacity): (Colour, f64),
        title: &str,
    ) {
        let middle = Px(f64::midpoint(x0, x1));
        let (x0, x1) = (Px(x0), Px(x1));
        let (top0, end0, top1, end1) = (Px(y0), Px(y0 + height), Px(y1), Px(y1 + height));
        self.push(format_args!(
            r#"<path d="M{x0} {top0}C{middle} {top0} {middle} {top1} {x1} {top1}V{end1}C{middle} {end1} {middle} {end0} {x0} {end0}Z" fill="{fill}" fill-opacity="{opacity}"><title>{}</title></path>"#,
            Xml(title)
        ));
    }

    /// A picture that is a part of a page, which has the style sheet; servers on its rings have their numbers.
    pub(crate) fn part() -> Self {
        Self { width: 0.0, height: 0.0, body: String::new(), is_part: true }
    }

    /// What is between two corners of a part, as an element called `id`; `label` describes it.
    pub(crate) fn finish_part(
        self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        id: &str,
        label: &str,
    ) -> String {
        format!(
            "<svg id=\"{id}\" viewBox=\"{} {} {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            Px(x),
            Px(y),
            Px(width),
            Px(height),
            Xml(label),
            self.body
        )
    }

    /// Everything, as a file.
    pub(crate) fn finish(self) -> String {
        let (width, height) = (Px(self.width), Px(self.height));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<style>{STYLE}</style>
{}</svg>
"#,
            self.body
        )
    }
}

impl Font {
    const fn class(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Subtitle => "sub",
            Self::Figure => "figure",
            Self::Caption => "caption",
            Self::Heading => "heading",
            Self::Name => "name",
            Self::Number => "number",
            Self::Note => "note",
        }
    }
}

/// A length, to a hundredth of a pixel and without zeros at the end.
struct Px(f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An integer has no sign of zero and no digits that nobody sees.
        let hundredths = (self.0 * 100.0).round() as i64;
        if hundredths < 0 {
            f.write_char('-')?;
        }
        let hundredths = hundredths.unsigned_abs();
        write!(f, "{}", hundredths / 100)?;
        match (hundredths % 100 / 10, hundredths % 10) {
            (0, 0) => Ok(()),
            (tenths, 0) => write!(f, ".{tenths}"),
            (tenths, last) => write!(f, ".{tenths}{last}"),
        }
    }
}

/// A text inside an element.
pub(crate) struct Xml<'t>(pub(crate) &'t str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            // XML has no way to say these at all.
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
            _ => f.write_char(character),
        })
    }
}

/// `names` with at most `most` characters each, cut where they can still be told apart, if there is such a place.
pub(crate) fn shortened(names: &[&str], most: usize) -> Vec<String> {
    let letters = most.saturating_sub(1);
    let cut = |name: &str, tail: usize| {
        let len = name.chars().count();
        if len <= most {
            return name.to_owned();
        }
        let (head, skipped) = (letters - tail, len - tail);
        name.chars().take(head).chain(['…']).chain(name.chars().skip(skipped)).collect()
    };
    let all: BTreeSet<_> = names.iter().collect();
    // First of all near the end: hosts differ in their first part and share domain and port.
    let mut tails = (letters / 4..=letters).chain(0..letters / 4);
    let apart =
        |&tail: &usize| all.iter().map(|name| cut(name, tail)).collect::<BTreeSet<_>>().len() == all.len();
    let tail = tails.find(apart).unwrap_or(letters / 4);
    names.iter().map(|name| cut(name, tail)).collect()
}

/// The ground of a picture.
pub(crate) const PAPER: Colour = Colour::rgb(0xff, 0xff, 0xff);
/// What is to be read first.
pub(crate) const INK: Colour = Colour::rgb(0x1b, 0x25, 0x33);
/// What is to be read second.
pub(crate) const FAINT_INK: Colour = Colour::rgb(0x6b, 0x76, 0x85);
/// Lines and grounds.
pub(crate) const RULE: Colour = Colour::rgb(0xe3, 0xe7, 0xec);
/// Keys that move.
pub(crate) const MOVING: Colour = Colour::rgb(0xe0, 0x6a, 0x2c);
/// Keys that stay.
pub(crate) const STAYING: Colour = Colour::rgb(0x3a, 0x6e, 0xa5);

const STYLE: &str = "
text{font-family:Inter,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}
.title{font-size:25px;font-weight:700}
.sub{font-size:14px}
.figure{font-size:42px;font-weight:700}
.caption{font-size:13px}
.heading{font-size:12px;font-weight:700;letter-spacing:.08em}
.name{font-size:13px}
.number{font-size:13px;font-weight:700}
.note{font-size:11.5px}
.middle{text-anchor:middle}
.end{text-anchor:end}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short_and_have_no_noise() {
        for (length, written) in
            [(0.0, "0"), (-0.001, "0"), (12.5, "12.5"), (0.049, "0.05"), (-3.25, "-3.25"), (7.0, "7")]
        {
            assert_eq!(Px(length).to_string(), written);
        }
    }

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        assert_eq!(Xml("a<b>&\"\u{7}").to_string(), "a&lt;b&gt;&amp;&quot;\u{fffd}");
    }

    #[test]
    fn long_names_are_cut_where_they_agree() {
        let hosts = ["cache-1.eu.example.net:11211", "cache-2.eu.example.net:11211", "größer"];
        assert_eq!(shortened(&hosts, 17), ["cache-1.eu.e…1211", "cache-2.eu.e…1211", "größer"]);
        let ports = ["/run/memcached/of/the/shop.1", "/run/memcached/of/the/shop.2"];
        assert_eq!(shortened(&ports, 9), ["/run/m….1", "/run/m….2"]);
        let late = ["one.prefix.for.all-1.example.net", "one.prefix.for.all-2.example.net"];
        assert_eq!(shortened(&late, 17), ["one…1.example.net", "one…2.example.net"]);
    }
}
