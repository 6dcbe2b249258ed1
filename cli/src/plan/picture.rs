//! The picture of a change: rings before and after, and the flow from old servers to new ones.

use std::collections::BTreeMap;

use memring_core::ServerIndex;

use super::{Change, Side};
use crate::{
    scheme_args::indexes,
    share::{self, percent, rounded, signed_points},
    svg::{Anchor, Colour, FAINT_INK, Font, INK, MOVING, RULE, Ring, STAYING, Svg, shortened},
};

/// Draws the change.
pub(super) fn draw(change: &Change<'_>) -> String {
    let rows = change.old.servers().len().max(change.new.servers().len());
    let tall = (rows as f64 * ROW).max(SHORTEST);
    let title = title(change);
    let mut svg = Svg::new(WIDTH, FLOW_TOP + tall + FOOT, &title);
    let colours = colours(change);
    head(&mut svg, change, &title);
    rings(&mut svg, change, &colours);
    flow(&mut svg, change, &colours, tall);
    let key = "Each band is a share of all keys. Grey stays where it is; what moves has the colour of where it goes. \
               Servers: cool colours are in both lists, warm ones are new, grey ones leave.";
    svg.text(MARGIN, FLOW_TOP + tall + FOOT - 26.0, Font::Note, Anchor::Start, FAINT_INK, key);
    svg.finish()
}

fn title(change: &Change<'_>) -> String {
    let (old, new) = (change.old.servers().len(), change.new.servers().len());
    if change.old.names() == change.new.names() {
        format!("What moves on {old} servers")
    } else {
        format!("What moves: {old} → {new} servers")
    }
}

/// Title, figures, and a bar of both.
fn head(svg: &mut Svg, change: &Change<'_>, title: &str) {
    let schemes = if change.old.title == change.new.title {
        change.old.title.clone()
    } else {
        format!("{} → {}", change.old.title, change.new.title)
    };
    let known = share::precision(change.plan.precision(), change.plan.moved());
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
fn flow(svg: &mut Svg, change: &Change<'_>, colours: &Colours<'_>, tall: f64) {
    let rows = change.old.servers().len().max(change.new.servers().len());
    let full = tall - GAP * (rows - 1) as f64;
    let old = column(&change.old.shares, tall, full);
    let new = column(&change.new.shares, tall, full);
    bands(svg, change, colours, (&old, &new), full);

    let heading = FLOW_TOP - 22.0;
    svg.text(LEFT, heading, Font::Heading, Anchor::End, FAINT_INK, "BEFORE");
    svg.text(RIGHT, heading, Font::Heading, Anchor::Start, FAINT_INK, "AFTER");
    svg.text(WIDTH - MARGIN, heading, Font::Heading, Anchor::End, FAINT_INK, "CHANGE");
    for ((block, index), name) in old.iter().zip(indexes(change.old.placed)).zip(labels(&change.old)) {
        let title = format!("{}: {}", change.old.name(index), percent(block.share));
        svg.rect((LEFT, block.top), (BLOCK, block.height), colours.of(&change.old, index), &title);
        leader(svg, (LEFT - 10.0, block.label), (LEFT, block.middle()));
        let baseline = block.label + 4.5;
        svg.text(LEFT - 14.0, baseline, Font::Number, Anchor::End, INK, &rounded(block.share));
        svg.text(LEFT - 72.0, baseline, Font::Name, Anchor::End, INK, &name);
    }
    for ((block, index), name) in new.iter().zip(indexes(change.new.placed)).zip(labels(&change.new)) {
        let title = format!("{}: {}", change.new.name(index), percent(block.share));
        let corner = (RIGHT - BLOCK, block.top);
        svg.rect(corner, (BLOCK, block.height), colours.of(&change.new, index), &title);
        leader(svg, (RIGHT + 10.0, block.label), (RIGHT, block.middle()));
        let baseline = block.label + 4.5;
        svg.text(RIGHT + 58.0, baseline, Font::Number, Anchor::End, INK, &rounded(block.share));
        svg.text(RIGHT + 72.0, baseline, Font::Name, Anchor::Start, INK, &name);
        let more = block.share - change.old.share_of(change.new.name(index));
        svg.text(WIDTH - MARGIN, baseline, Font::Name, Anchor::End, FAINT_INK, &signed_points(more));
    }
}

/// The names, as far as there is space for them.
fn labels(side: &Side<'_>) -> Vec<String> {
    let names: Vec<_> = side.servers().iter().map(|server| server.name).collect();
    shortened(&names, NAME)
}

/// What stays lies behind what moves.
fn bands(
    svg: &mut Svg,
    change: &Change<'_>,
    colours: &Colours<'_>,
    (old, new): (&[Block], &[Block]),
    full: f64,
) {
    let mut ends: Vec<_> = new.iter().map(|block| block.top).collect();
    let mut moving = Vec::new();
    for ((from, source), block) in indexes(change.old.placed).zip(change.old.servers()).zip(old) {
        let mut begin = block.top;
        for ((to, target), end) in indexes(change.new.placed).zip(change.new.servers()).zip(&mut ends) {
            let share = change.plan.share(from, to);
            let height = share * full;
            if height < THINNEST {
                begin += height;
                *end += height;
                continue;
            }
            let ends = ((LEFT + BLOCK, begin), (RIGHT - BLOCK, *end));
            if change.stays(from, to) {
                let title = format!("{} keeps {}", source.name, percent(share));
                svg.band(ends.0, ends.1, height, (KEPT, 1.0), &title);
            } else {
                let title = format!("{} → {}: {}", source.name, target.name, percent(share));
                moving.push((ends, height, colours.of(&change.new, to), title));
            }
            begin += height;
            *end += height;
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
    share: f64,
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

/// Stacks the servers of one side in the middle of `tall`, where all keys are `full` high.
fn column(shares: &[f64], tall: f64, full: f64) -> Vec<Block> {
    let gaps = GAP * shares.len().saturating_sub(1) as f64;
    let mut top = FLOW_TOP + (tall - full - gaps) / 2.0;
    let mut blocks = Vec::new();
    let mut lowest = f64::MIN;
    for &share in shares {
        let height = (share * full).max(THINNEST_BLOCK);
        let label = (top + height / 2.0).max(lowest + LABEL);
        blocks.push(Block { share, top, height, label });
        top += share * full + GAP;
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
struct Colours<'a>(BTreeMap<&'a str, Colour>);

impl Colours<'_> {
    fn of(&self, side: &Side<'_>, server: ServerIndex) -> Colour {
        self.0.get(side.name(server)).copied().unwrap_or(RULE)
    }
}

fn colours<'a>(change: &Change<'a>) -> Colours<'a> {
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
/// Height of one server, and the least height of the flow.
const ROW: f64 = 34.0;
const SHORTEST: f64 = 380.0;
/// The distance of two labels at least.
const LABEL: f64 = 17.0;
/// A band that is thinner is not drawn, a block that would be is made this thick.
const THINNEST: f64 = 0.05;
const THINNEST_BLOCK: f64 = 1.5;
/// Characters of a name.
const NAME: usize = 30;
/// The bar below the figures.
const BAR: f64 = 620.0;
/// The colour of what stays.
const KEPT: Colour = Colour::rgb(0xd9, 0xdf, 0xe7);
