//! The picture of a spread: a bar for each server, a mark where its weight would have it end, and the ring.

mod many;

use super::{Load, Spread};
use crate::{
    share::{percent, rounded, signed_points},
    svg::{Anchor, Colour, FAINT_INK, Font, INK, MOVING, RULE, Ring, STAYING, Svg, shortened},
};

/// Draws the spread.
pub(super) fn draw(spread: &Spread<'_>) -> String {
    let count = spread.loads.len();
    if count > MOST_BARS {
        return many::draw(spread);
    }
    let row = (TALLEST / count as f64).clamp(LOWEST, ROW);
    let tall = count as f64 * row;
    let title = format!("Who has how much: {count} servers");
    let mut svg = Svg::new(WIDTH, TOP + tall + FOOT, &title);
    let names: Vec<_> = spread.loads.iter().map(|load| load.server.name).collect();
    let names = shortened(&names, NAME);
    head(&mut svg, spread, &names, &title);
    ring(&mut svg, spread);
    let bars: Vec<_> =
        (0..).zip(&spread.loads).zip(&names).map(|((place, load), name)| (place, load, &**name)).collect();
    draw_bars(&mut svg, spread, &bars, (TOP, row));
    let key = match spread.heeds_weights() {
        true => "Bars are shares of all keys; the mark is where a server's weight would have it end.",
        false => "Bars are shares of all keys; the mark is where an even share ends.",
    };
    svg.text(MARGIN, TOP + tall + FOOT - 26.0, Font::Note, Anchor::Start, FAINT_INK, key);
    svg.finish()
}

fn head(svg: &mut Svg, spread: &Spread<'_>, names: &[String], title: &str) {
    svg.text(MARGIN, 58.0, Font::Title, Anchor::Start, INK, title);
    let subtitle = format!("{} · {}", spread.title, spread.known.0);
    svg.text(MARGIN, 82.0, Font::Subtitle, Anchor::Start, FAINT_INK, &subtitle);
    let Some((most, least)) = spread.extremes() else { return };
    let [most_of, least_of] = spread.captions();
    let figures = [(most, MOVING, most_of), (least, STAYING, least_of)];
    for (x, ((load, excess), colour, caption)) in [MARGIN, MARGIN + 420.0].into_iter().zip(figures) {
        let figure = format!("{} %", signed_points(excess));
        svg.text(x, 146.0, Font::Figure, Anchor::Start, colour, &figure);
        let is_it = |(other, _): &(&Load<'_>, _)| other.server.name == load.server.name;
        let name = spread.loads.iter().zip(names).find(is_it).map_or("", |(_, name)| name);
        svg.text(x, 168.0, Font::Caption, Anchor::Start, FAINT_INK, &format!("{caption}: {name}"));
    }
}

fn ring(svg: &mut Svg, spread: &Spread<'_>) {
    let Some(ring) = Ring::of(spread.placed) else { return };
    let ((x, y), count) = ((WIDTH - MARGIN - 95.0, 130.0), spread.loads.len());
    svg.ring((x, y), 84.0, (&ring, spread.placed), |server| Colour::cool(server.get(), count));
    svg.text(x, y + 4.5, Font::Number, Anchor::Middle, INK, &format!("{count} servers"));
}

/// A bar for each of some servers, with its place in the list and its name, below each other from `top`.
fn draw_bars(svg: &mut Svg, spread: &Spread<'_>, bars: &[(usize, &Load<'_>, &str)], (top, row): (f64, f64)) {
    let heading = top - 22.0;
    svg.text(LEFT - 14.0, heading, Font::Heading, Anchor::End, FAINT_INK, "SERVER");
    svg.text(LEFT, heading, Font::Heading, Anchor::Start, FAINT_INK, "SHARE");
    svg.text(WEIGHTS, heading, Font::Heading, Anchor::End, FAINT_INK, "WEIGHT");
    svg.text(WIDTH - MARGIN, heading, Font::Heading, Anchor::End, FAINT_INK, "TO WEIGHT");
    let full = spread.loads.iter().map(|load| load.share.max(load.fair)).fold(0.0, f64::max);
    let (mut top, thick) = (top, (row * 0.6).round());
    for &(place, load, name) in bars {
        let (width, mark) = (LONGEST * load.share / full, LEFT + LONGEST * load.fair / full);
        let baseline = top + thick / 2.0 + 4.5;
        let title = format!("{}: {}", load.server.name, percent(load.share));
        svg.text(LEFT - 14.0, baseline, Font::Name, Anchor::End, INK, name);
        svg.rect((LEFT, top), (LONGEST, thick), RULE, &title);
        svg.rect((LEFT, top), (width, thick), Colour::cool(place, spread.loads.len()), &title);
        svg.line((mark, top - 3.0), (mark, top + thick + 3.0), 2.0, INK);
        svg.text(LEFT + LONGEST + 66.0, baseline, Font::Number, Anchor::End, INK, &rounded(load.share));
        let weight = load.server.weight.real().to_string();
        svg.text(WEIGHTS, baseline, Font::Name, Anchor::End, FAINT_INK, &weight);
        let excess =
            load.excess().map_or_else(|| "–".to_owned(), |excess| format!("{} %", signed_points(excess)));
        svg.text(WIDTH - MARGIN, baseline, Font::Name, Anchor::End, INK, &excess);
        top += row;
    }
}

const WIDTH: f64 = 1280.0;
const MARGIN: f64 = 48.0;
/// Where the bars begin, below title, figures and ring.
const TOP: f64 = 290.0;
const FOOT: f64 = 66.0;
/// Height of one server where there are few, least height, and of all of them where there are many.
const ROW: f64 = 34.0;
const LOWEST: f64 = 17.0;
const TALLEST: f64 = 1700.0;
/// Most servers that have a bar each.
const MOST_BARS: usize = 100;
/// The left end of the bars and the length of the longest one.
const LEFT: f64 = 300.0;
const LONGEST: f64 = 640.0;
/// The right end of the column of weights.
const WEIGHTS: f64 = 1120.0;
/// Characters of a name.
const NAME: usize = 32;
