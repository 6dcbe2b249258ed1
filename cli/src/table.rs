//! Columns of text that line up.
//!
//! How wide a text is on a terminal is for `unicode-width` to say. The rest are forty lines of our own: comfy-table and tabled
//! are about borders, styles and wrapping, all of which would have to be switched off, so that less would not be written.

use core::fmt;

use unicode_width::UnicodeWidthStr as _;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of cells; the first row may be a heading. Displayed with two blanks between columns and none at the end.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; columns beyond those of `columns` stand right.
    pub(crate) fn new(columns: impl Into<Vec<Align>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(|column| self.width(column)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = if place == 0 { "" } else { "  " };
                let padding = " ".repeat(width - cell.width());
                let (before, behind) = match self.columns.get(place) {
                    Some(Align::Left) => ("", &*padding),
                    Some(Align::Right) | None => (&*padding, ""),
                };
                line.extend([gap, before, cell, behind]);
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_where_their_text_does() {
        let mut table = Table::new([Align::Left, Align::Right, Align::Left]);
        table.row(["server", "share", "note"]);
        table.row(["a", "7 %", ""]);
        table.row(["größer", "100 %", "x"]);
        assert_eq!(table.to_string(), "server  share  note\na         7 %\ngrößer  100 %  x\n");
        let mut wide = Table::new([Align::Left, Align::Left]);
        wide.row(["緩存", "x"]);
        wide.row(["abcd", "y"]);
        assert_eq!(wide.to_string(), "緩存  x\nabcd  y\n");
    }
}
