//! The picture of a spread over many servers: all of them as one curve, and bars for those at its ends.

use super::{
    super::{Load, Spread},
    FOOT, MARGIN, TOP, WIDTH, draw_bars, head, ring,
};
use crate::{
    share::{percent, signed_points},
    svg::{Anchor, FAINT_INK, Font, INK, MOVING, RULE, STAYING, Svg, shortened},
};

/// Draws the spread.
pub(super) fn draw(spread: &Spread<'_>) -> String {
    let count = spread.loads.len();
    let title = format!("Who has how much: {count} servers");
    let lists = 2.0 * (ENDS as f64 * ROW) + BETWEEN;
    let mut svg = Svg::new(WIDTH, BARS + lists + FOOT, &title);
    let names: Vec<_> = spread.loads.iter().map(|load| load.server.name).collect();
    let names = shortened(&names, super::NAME);
    head(&mut svg, spread, &names, &title);
    ring(&mut svg, spread);

    let mut sorted: Vec<(usize, &Load<'_>, &str)> =
        (0..).zip(&spread.loads).zip(&names).map(|((place, load), name)| (place, load, &**name)).collect();
    sorted.sort_by(|(_, one, _), (_, other, _)| excess(other).total_cmp(&excess(one)));
    curve(&mut svg, spread, &sorted);
    let (most, least) = (sorted.get(..ENDS), sorted.get(count - ENDS..));
    draw_bars(&mut svg, spread, most.unwrap_or_default(), (BARS, ROW));
    let below = BARS + ENDS as f64 * ROW + BETWEEN;
    draw_bars(&mut svg, spread, least.unwrap_or_default(), (below, ROW));
    let key = "Bars are shares of all keys, for the servers with the most and the least for their weight; the mark is where a \
               server's weight would have it end.";
    svg.text(MARGIN, BARS + lists + FOOT - 26.0, Font::Note, Anchor::Start, FAINT_INK, key);
    svg.finish()
}

/// How much more than its weight a server has, and nothing if it has no weight.
fn excess(load: &Load<'_>) -> f64 {
    load.excess().unwrap_or(0.0)
}

/// All servers, the one with the most for its weight first.
fn curve(svg: &mut Svg, spread: &Spread<'_>, sorted: &[(usize, &Load<'_>, &str)]) {
    let (left, wide) = (MARGIN + 60.0, WIDTH - 2.0 * MARGIN - 60.0);
    let reach = sorted.iter().map(|(_, load, _)| excess(load).abs()).fold(0.01, f64::max);
    let (top, zero) = (TOP, TOP + TALL / 2.0);
    let heading = "SHARE TO WEIGHT, OF ALL SERVERS IN THAT ORDER";
    svg.text(MARGIN, top - 22.0, Font::Heading, Anchor::Start, FAINT_INK, heading);
    for (part, y) in [(1.0, top), (0.0, zero), (-1.0, top + TALL)] {
        svg.line((left, y), (left + wide, y), 1.0, RULE);
        let label = format!("{} %", signed_points(part * reach));
        svg.text(left - 10.0, y + 4.5, Font::Note, Anchor::End, FAINT_INK, &label);
    }
    let step = wide / sorted.len() as f64;
    for (x, (_, load, name)) in (0_u32..).zip(sorted) {
        let height = excess(load) / reach * TALL / 2.0;
        let colour = if height > 0.0 { MOVING } else { STAYING };
        let corner = (left + f64::from(x) * step, if height > 0.0 { zero - height } else { zero });
        // Where there are more servers than pixels, few of them are to be told apart.
        if step > 0.4 || x % 8 == 0 {
            let title = format!("{name}: {}", percent(load.share));
            svg.rect(corner, (step.max(0.4) + 0.3, height.abs().max(0.5)), colour, &title);
        }
    }
    let [most_of, least_of] = spread.captions();
    svg.text(left + wide, top + TALL + 20.0, Font::Note, Anchor::End, INK, least_of);
    svg.text(left, top + TALL + 20.0, Font::Note, Anchor::Start, INK, most_of);
}

/// Height of the curve.
const TALL: f64 = 260.0;
/// Where the bars begin.
const BARS: f64 = TOP + TALL + 90.0;
/// How many servers of each end have bars, how high they are, and what is between the two lists.
const ENDS: usize = 15;
const ROW: f64 = 22.0;
const BETWEEN: f64 = 60.0;
