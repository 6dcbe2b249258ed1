//! The rows of the picture of a change: a server each, or of long lists some neighbours together.

use std::collections::BTreeMap;

use memring_core::ServerIndex;

use super::{Change, Side};
use crate::{scheme_args::indexes, svg::shortened};

/// The rows of both lists, and what goes from each to each.
pub(super) struct Rows {
    pub(super) old: Vec<Row>,
    pub(super) new: Vec<Row>,
    /// Of each row of the old list, the rows of the new list that it has keys in common with, in order.
    pub(super) flows: Vec<BTreeMap<usize, Flow>>,
}

/// Some servers of one list that are drawn together.
pub(super) struct Row {
    /// The first of them.
    pub(super) first: ServerIndex,
    pub(super) count: usize,
    pub(super) share: f64,
    /// How much more that is than what the same servers have in the old list.
    pub(super) more: f64,
    pub(super) label: String,
    /// What it is called where there is space.
    pub(super) title: String,
}

/// What goes from one row to another.
#[derive(Clone, Copy, Default)]
pub(super) struct Flow {
    /// The share that stays on its server.
    pub(super) stays: f64,
    pub(super) moves: f64,
}

impl Rows {
    pub(super) fn of(change: &Change<'_>) -> Self {
        let longest = change.old.servers().len().max(change.new.servers().len());
        let together = if longest > MOST_ALONE { longest.div_ceil(MOST_TOGETHER) } else { 1 };
        let (old_rows, old) = rows(change, &change.old, &BTreeMap::new(), together);
        let by_name = change.old.servers().iter().map(|server| server.name).zip(old_rows.iter().copied());
        let by_name: BTreeMap<_, _> = if together > 1 { by_name.collect() } else { BTreeMap::new() };
        let (new_rows, new) = rows(change, &change.new, &by_name, together);
        let mut flows = vec![BTreeMap::<usize, Flow>::new(); old.len()];
        for (from, to, share) in change.plan.shares() {
            let (Some(&row), Some(&other)) = (old_rows.get(from.get()), new_rows.get(to.get())) else {
                continue;
            };
            let Some(flows) = flows.get_mut(row) else { continue };
            let flow = flows.entry(other).or_default();
            if change.stays(from, to) { flow.stays += share } else { flow.moves += share }
        }
        Self { old, new, flows }
    }

    /// The number of rows of the longer list.
    pub(super) fn longest(&self) -> usize {
        self.old.len().max(self.new.len())
    }

    /// Whether a row has several servers.
    pub(super) fn are_together(&self) -> bool {
        self.old.iter().chain(&self.new).any(|row| row.count > 1)
    }
}

/// The row of each server of a list, and the rows. What is one row of the other list, `by_name`, is one row here, too.
fn rows(
    change: &Change<'_>,
    side: &Side<'_>,
    by_name: &BTreeMap<&str, usize>,
    together: usize,
) -> (Vec<usize>, Vec<Row>) {
    let stay = change.new.names();
    let (mut numbers, mut members) = (Vec::new(), Vec::<Vec<ServerIndex>>::new());
    // Rows of the other list that have a row here; and the row that is being filled with servers of one kind.
    let (mut known, mut open) = (BTreeMap::new(), None);
    for (index, server) in indexes(side.placed).zip(side.servers()) {
        let kind = stay.contains(server.name);
        let row = match by_name.get(server.name) {
            Some(other) => *known.entry(*other).or_insert(members.len()),
            None => match open {
                Some((row, same))
                    if same == kind && members.get(row).is_some_and(|row: &Vec<_>| row.len() < together) =>
                {
                    row
                }
                _ => members.len(),
            },
        };
        if row == members.len() {
            members.push(Vec::new());
        }
        if !by_name.contains_key(server.name) {
            open = Some((row, kind));
        }
        if let Some(members) = members.get_mut(row) {
            members.push(index);
        }
        numbers.push(row);
    }
    let firsts: Vec<_> = members.iter().filter_map(|members| members.first().copied()).collect();
    let names: Vec<_> = firsts.iter().map(|first| side.name(*first)).collect();
    let labels = shortened(&names, if together > 1 { NAME - 6 } else { NAME });
    let rows = members.iter().zip(firsts).zip(labels).map(|((members, first), label)| {
        let share = |server: &ServerIndex| side.shares.get(server.get()).copied().unwrap_or(0.0);
        let names: std::collections::BTreeSet<_> = members.iter().map(|server| side.name(*server)).collect();
        let before: f64 = names.iter().map(|name| change.old.share_of(name)).sum();
        let share: f64 = members.iter().map(share).sum();
        let (label, title) = match members.as_slice() {
            [.., last] if members.len() > 1 => (
                format!("{label} +{}", members.len() - 1),
                format!("{} to {}, {} servers", side.name(first), side.name(*last), members.len()),
            ),
            _ => (label, side.name(first).to_owned()),
        };
        Row { first, count: members.len(), share, more: share - before, label, title }
    });
    (numbers, rows.collect())
}

/// The longest list of which each server has a row, and about how many rows a longer one has.
const MOST_ALONE: usize = 100;
const MOST_TOGETHER: usize = 50;

/// Characters of a name.
const NAME: usize = 30;
