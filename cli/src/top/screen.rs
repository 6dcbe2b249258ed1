//! The terminal that `memring top` draws on.

use core::time::Duration;
use std::{io, time::Instant};

use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{self, Event, KeyCode, KeyModifiers},
    layout::{Alignment, Constraint, Layout},
    style::{Style, Stylize as _},
    text::{Line, Text},
    widgets::{Row, Table},
};

use super::sample::{HEADING, Rates, Sample};
use crate::visible::Visible;

/// Draws what `look` sees, every `interval`, until somebody wants it to end.
pub(super) fn show(interval: Duration, look: impl FnMut() -> Vec<Sample>) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let shown = refresh(&mut terminal, interval, look);
    ratatui::try_restore()?;
    shown
}

fn refresh(
    terminal: &mut DefaultTerminal,
    interval: Duration,
    mut look: impl FnMut() -> Vec<Sample>,
) -> io::Result<()> {
    let mut last = look();
    loop {
        let now = look();
        let rates = Rates::between(&last, &now);
        last = now;
        terminal.draw(|frame| draw(frame, &rates))?;
        let next = Instant::now() + interval;
        loop {
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() || !event::poll(left)? {
                break;
            }
            match event::read()? {
                Event::Key(key) if key.code == KeyCode::Char('q') || key.code == KeyCode::Esc => {
                    return Ok(());
                }
                // The terminal sends no signal while it is drawn on.
                Event::Key(key)
                    if key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL =>
                {
                    return Ok(());
                }
                Event::Resize(..) => {
                    terminal.draw(|frame| draw(frame, &rates))?;
                }
                _ => {}
            }
        }
    }
}

fn draw(frame: &mut Frame<'_>, rates: &[Rates]) {
    let [above, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    let lines: Vec<_> = rates.iter().map(Rates::cells).collect();
    let widths = (0..HEADING.len()).map(|column| {
        let cells = lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count());
        let heading = HEADING.get(column).map_or(0, |heading| heading.len());
        Constraint::Length(u16::try_from(cells.fold(heading, usize::max)).unwrap_or(u16::MAX))
    });
    let cell = |column: usize, text: String| {
        Text::from(text).alignment(if column == 0 { Alignment::Left } else { Alignment::Right })
    };
    let row = |cells: Vec<String>| {
        Row::new(cells.into_iter().enumerate().map(|(column, text)| cell(column, text)).collect::<Vec<_>>())
    };
    let rows = lines.iter().zip(rates).map(|(line, server)| match server.error {
        Some(_) => row(line.to_vec()).style(Style::new().red()),
        None => row(line.to_vec()),
    });
    let heading = row(HEADING.map(str::to_owned).to_vec()).style(Style::new().bold());
    frame.render_widget(Table::new(rows, widths).header(heading).column_spacing(2), above);
    let said = rates.iter().find_map(|server| server.error.as_deref());
    let said = said.map_or_else(|| "q: end".to_owned(), |error| Visible::line(error).to_string());
    frame.render_widget(Line::from(said).dim(), below);
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;

    #[test]
    fn each_server_has_a_line_and_a_failure_is_said_below() {
        let mut away = Sample::new("two", Instant::now());
        away.error = Some("stats on two: timed out".to_owned());
        let mut there = Sample::new("one", Instant::now());
        there.note(b"curr_items", b"42");
        let samples = [there, away];
        let rates = Rates::between(&samples, &samples);
        let mut terminal = Terminal::new(TestBackend::new(90, 5)).unwrap();
        terminal.draw(|frame| draw(frame, &rates)).unwrap();
        let drawn = terminal.backend().to_string();
        let lines: Vec<_> = drawn.lines().collect();
        assert!(lines[0].contains("server") && lines[0].contains("connections"), "{drawn}");
        assert!(lines[1].contains("one") && lines[1].contains("42") && lines[2].contains("two"), "{drawn}");
        assert!(lines[4].contains("stats on two: timed out"), "{drawn}");
    }
}
