//! The picture of a change: rings before and after, and the flow from old servers to new ones.

use std::collections::BTreeMap;

use memring_core::ServerIndex;

use super::{
    Change, Side,
    rows::{Row, Rows},
};
use crate::{
    share::{self, percent, rounded, signed_points},
    svg::{Anchor, Colour, FAINT_INK, Font, INK, MOVING, RULE, Ring, STAYING, Svg},
};

/// Draws the change.
pub(super) fn draw(change: &Change<'_>) -> String {
    let rows = Rows::of(change);
    let (row, tall) = heights(&rows);
    let title = title(change);
    let mut svg = Svg::new(WIDTH, FLOW_TOP + tall + FOOT, &title);
    let colours = colours(change);
    head(&mut svg, change, &title);
    rings(&mut svg, change, &colours);
    flow(&mut svg, change, (&rows, &colours), tall, row);
    let key = "Each band is a share of all keys. Grey stays where it is; what moves has the colour of where it goes. \
               Servers: cool colours are in both lists, warm ones are new, grey ones leave.";
    svg.text(MARGIN, FLOW_TOP + tall + FOOT - 26.0, Font::Note, Anchor::Start, FAINT_INK, key);
    if rows.are_together() {
        let note =
            "Of so many servers, neighbours are drawn together: +2 are the two behind the one that is named.";
        svg.text(MARGIN, FLOW_TOP + tall + FOOT - 10.0, Font::Note, Anchor::Start, FAINT_INK, note);
    }
    svg.finish()
}

/// The flow alone, as a part of a page.
pub(super) fn flow_alone(change: &Change<'_>) -> String {
    let (mut svg, rows) = (Svg::part(), Rows::of(change));
    let (row, tall) = heights(&rows);
    flow(&mut svg, change, (&rows, &colours(change)), tall, row);
    let label = format!("{}, as bands from the servers before to those after", title(change));
    let top = FLOW_TOP - 40.0;
    svg.finish_part((LEFT - 300.0, top), (WIDTH - LEFT + 300.0, tall + 60.0), "flow", &label)
}

/// The ring of one side, if its scheme has one, as a part of a page called `name`.
pub(super) fn ring_alone(change: &Change<'_>, side: &Side<'_>, name: &str) -> Option<String> {
    let (ring, colours, mut svg) = (Ring::of(side.placed)?, colours(change), Svg::part());
    svg.ring((100.0, 100.0), 84.0, (&ring, side.placed), |server| colours.of(side, server));
    svg.text(100.0, 104.5, Font::Number, Anchor::Middle, INK, name);
    let label = format!("the circle of hashes {name} the change, in the colours of its servers");
    Some(svg.finish_part((0.0, 0.0), (200.0, 200.0), &format!("ring-{name}"), &label))
}

/// The height of a row and of all: those of long lists stand closer, as close as their labels may.
fn heights(rows: &Rows) -> (f64, f64) {
    let row = (TALLEST / rows.longest() as f64).clamp(LABEL, ROW);
    (row, (rows.longest() as f64 * row).max(SHORTEST))
}

pub(super) fn title(change: &Change<'_>) -> String {
    let (old, new) = (change.old.servers().len(), change.new.servers().len());
    if change.old.names() == change.new.names() {
        format!("What moves on {old} servers")
    } else {
        format!("What moves: {old} → {new} servers")
    }
}

/// The schemes before and after.
pub(super) fn schemes(change: &Change<'_>) -> String {
    if change.old.title == change.new.title {
        change.old.title.clone()
    } else {
        format!("{} → {}", change.old.title, change.new.title)
    }
}

/// Title, figures, and a bar of both.
fn head(svg: &mut Svg, change: &Change<'_>, title: &str) {
    let schemes = schemes(change);
    let known = share::precision(&change.known, change.plan.moved());
    svg.text(MARGIN, 58.0, Font::Title, Anchor::Start, INK, title);
    let subtitle = format!("{schemes} · {known}");
    svg.text(MARGIN, 82.0, Font::Subtitle, Anchor::Start, FAINT_INK, &subtitle);

    let (kept, moved, ideal) = (change.plan.kept(), change.plan.moved(), change.ideal());
    let figures = [
        (kept, STAYING, "stays: hit rate to expect"),
        (moved, MOVING, "moves to another server"),
        (ideal, FAINT_INK, "ideal: shares by weight alone"),
    ];
    for (place, (share, colour, caption)) in (0_u8..).zip(figures) {
        let x = MARGIN + f64::from(place) * 216.0;
        svg.text(x, 146.0, Font::Figure, Anchor::Start, colour, &rounded(share));
        svg.text(x, 168.0, Font::Caption, Anchor::Start, FAINT_INK, caption);
    }
    let (left, top, height) = (MARGIN, 192.0, 12.0);
    let split = left + BAR * kept;
    svg.rect((left, top), (BAR * kept, height), STAYING, &format!("stays: {}", percent(kept)));
    svg.rect((split, top), (BAR * moved, height), MOVING, &format!("moves: {}", percent(moved)));
    let tick = left + BAR * ideal;
    svg.line((tick, top - 5.0), (tick, top + height + 5.0), 2.0, INK);
    svg.text(tick, top + height + 20.0, Font::Note, Anchor::Middle, FAINT_INK, "ideal");
}

/// The two rings, for schemes that have rings.
fn rings(svg: &mut Svg, change: &Change<'_>, colours: &Colours<'_>) {
    for (side, x, name) in [(&change.old, 880.0, "before"), (&change.new, 1112.0, "after")] {
        let Some(ring) = Ring::of(side.placed) else { continue };
        let y = 130.0;
        svg.ring((x, y), 84.0, (&ring, side.placed), |server| colours.of(side, server));
        svg.text(x, y - 2.0, Font::Number, Anchor::Middle, INK, name);
        let servers = format!("{} servers", side.servers().len());
        svg.text(x, y + 17.0, Font::Note, Anchor::Middle, FAINT_INK, &servers);
    }
}

/// The flow from left to right.
fn flow(svg: &mut Svg, change: &Change<'_>, (rows, colours): (&Rows, &Colours<'_>), tall: f64, row: f64) {
    let gap = GAP * row / ROW;
    let full = tall - gap * (rows.longest() - 1) as f64;
    let old = column(&rows.old, tall, full, gap);
    let new = column(&rows.new, tall, full, gap);
    bands(svg, change, (rows, colours), (&old, &new), full);

    let heading = FLOW_TOP - 22.0;
    svg.text(LEFT, heading, Font::Heading, Anchor::End, FAINT_INK, "BEFORE");
    svg.text(RIGHT, heading, Font::Heading, Anchor::Start, FAINT_INK, "AFTER");
    svg.text(WIDTH - MARGIN, heading, Font::Heading, Anchor::End, FAINT_INK, "CHANGE");
    for (block, row) in old.iter().zip(&rows.old) {
        let title = format!("{}: {}", row.title, percent(row.share));
        svg.rect((LEFT, block.top), (BLOCK, block.height), colours.of(&change.old, row.first), &title);
        leader(svg, (LEFT - 10.0, block.label), (LEFT, block.middle()));
        let baseline = block.label + 4.5;
        svg.text(LEFT - 14.0, baseline, Font::Number, Anchor::End, INK, &rounded(row.share));
        svg.text(LEFT - 72.0, baseline, Font::Name, Anchor::End, INK, &row.label);
    }
    for (block, row) in new.iter().zip(&rows.new) {
        let title = format!("{}: {}", row.title, percent(row.share));
        let corner = (RIGHT - BLOCK, block.top);
        svg.rect(corner, (BLOCK, block.height), colours.of(&change.new, row.first), &title);
        leader(svg, (RIGHT + 10.0, block.label), (RIGHT, block.middle()));
        let baseline = block.label + 4.5;
        svg.text(RIGHT + 58.0, baseline, Font::Number, Anchor::End, INK, &rounded(row.share));
        svg.text(RIGHT + 72.0, baseline, Font::Name, Anchor::Start, INK, &row.label);
        svg.text(WIDTH - MARGIN, baseline, Font::Name, Anchor::End, FAINT_INK, &signed_points(row.more));
    }
}

/// What stays lies behind what moves.
fn bands(
    svg: &mut Svg,
    change: &Change<'_>,
    (rows, colours): (&Rows, &Colours<'_>),
    (old, new): (&[Block], &[Block]),
    full: f64,
) {
    let mut ends: Vec<_> = new.iter().map(|block| block.top).collect();
    let mut moving = Vec::new();
    for ((flows, source), block) in rows.flows.iter().zip(&rows.old).zip(old) {
        let mut begin = block.top;
        for (&to, flow) in flows {
            let (Some(target), Some(end)) = (rows.new.get(to), ends.get_mut(to)) else { continue };
            for (share, stays) in [(flow.stays, true), (flow.moves, false)] {
                let height = share * full;
                let ends = ((LEFT + BLOCK, begin), (RIGHT - BLOCK, *end));
                begin += height;
                *end += height;
                if height < THINNEST {
                    continue;
                }
                if stays {
                    let title = format!("{} keeps {}", source.title, percent(share));
                    svg.band(ends.0, ends.1, height, (KEPT, 1.0), &title);
                } else {
                    let title = format!("{} → {}: {}", source.title, target.title, percent(share));
                    moving.push((ends, height, colours.of(&change.new, target.first), title));
                }
            }
        }
    }
    for ((from, to), height, colour, title) in moving {
        svg.band(from, to, height, (colour, 0.55), &title);
    }
}

/// A line from a label to its block, where the two are not side by side.
fn leader(svg: &mut Svg, from: (f64, f64), to: (f64, f64)) {
    if (from.1 - to.1).abs() > 3.0 {
        svg.line(from, to, 1.0, RULE);
    }
}

/// A server of a column.
struct Block {
    top: f64,
    height: f64,
    /// Where the middle of its label is.
    label: f64,
}

impl Block {
    fn middle(&self) -> f64 {
        self.top + self.height / 2.0
    }
}

/// Stacks the rows of one side in the middle of `tall`, where all keys are `full` high.
fn column(rows: &[Row], tall: f64, full: f64, gap: f64) -> Vec<Block> {
    let gaps = gap * rows.len().saturating_sub(1) as f64;
    let mut top = FLOW_TOP + (tall - full - gaps) / 2.0;
    let mut blocks = Vec::new();
    let mut lowest = f64::MIN;
    for &Row { share, .. } in rows {
        let height = (share * full).max(THINNEST_BLOCK);
        let label = (top + height / 2.0).max(lowest + LABEL);
        blocks.push(Block { top, height, label });
        top += share * full + gap;
        lowest = label;
    }
    // Where small servers pushed labels below the end, they move up together.
    let mut highest = FLOW_TOP + tall - LABEL / 2.0;
    for block in blocks.iter_mut().rev() {
        block.label = block.label.min(highest);
        highest = block.label - LABEL;
    }
    blocks
}

/// The colour of each server, by its name.
pub(super) struct Colours<'a>(BTreeMap<&'a str, Colour>);

impl Colours<'_> {
    pub(super) fn of(&self, side: &Side<'_>, server: ServerIndex) -> Colour {
        self.0.get(side.name(server)).copied().unwrap_or(RULE)
    }
}

pub(super) fn colours<'a>(change: &Change<'a>) -> Colours<'a> {
    let (old, new) = (change.old.names(), change.new.names());
    let mut colours = BTreeMap::new();
    let mut paint = |names: Vec<&'a str>, colour: fn(usize, usize) -> Colour| {
        let count = names.len();
        colours.extend(names.into_iter().enumerate().map(|(place, name)| (name, colour(place, count))));
    };
    let names = |side: &Side<'a>| side.servers().iter().map(|server| server.name);
    paint(names(&change.old).filter(|name| new.contains(name)).collect(), Colour::cool);
    paint(names(&change.old).filter(|name| !new.contains(name)).collect(), Colour::grey);
    paint(names(&change.new).filter(|name| !old.contains(name)).collect(), Colour::warm);
    Colours(colours)
}

const WIDTH: f64 = 1280.0;
const MARGIN: f64 = 48.0;
/// Where the flow begins, below title, figures and rings.
const FLOW_TOP: f64 = 300.0;
const FOOT: f64 = 76.0;
/// The outer edges of the two columns of blocks.
const LEFT: f64 = 372.0;
const RIGHT: f64 = 872.0;
/// The width of a block, and the gap between two.
const BLOCK: f64 = 14.0;
const GAP: f64 = 7.0;
/// Height of one row where there are few, and of all of them where there are many; and the least height of the flow.
const ROW: f64 = 34.0;
const TALLEST: f64 = 1700.0;
const SHORTEST: f64 = 380.0;
/// The distance of two labels at least.
const LABEL: f64 = 17.0;
/// A band that is thinner is not drawn, a block that would be is made this thick.
const THINNEST: f64 = 0.05;
const THINNEST_BLOCK: f64 = 1.5;
/// The bar below the figures.
const BAR: f64 = 620.0;
/// The colour of what stays.
const KEPT: Colour = Colour::rgb(0xd9, 0xdf, 0xe7);
