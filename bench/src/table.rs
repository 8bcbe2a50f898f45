//! The figures as Markdown, and their place in the guide.

use std::{fmt::Write, fs, path::Path};

use crate::{
    Result,
    figures::{Figures, Kind, Row, Spread},
    plugin::NAMES,
};

/// A figure's name, and how many digits are worth showing.
type Line = (Row, &'static str, usize);

const START: [Line; 6] = [
    (Row::Port, "start to the port line, ms", 1),
    (Row::PortCpu, "processor time until the port line, ms", 1),
    (Row::Ready, "start to the end of Configure, ms", 1),
    (Row::Configure, "Configure, ms", 2),
    (Row::FirstCheck, "start to the first Check answered, ms", 1),
    (Row::End, "interrupt to gone, ms", 1),
];

const MEMORY: [Line; 7] = [
    (Row::Size, "size of the binary, MiB", 1),
    (Row::Idle, "memory, idle, MiB", 1),
    (Row::Configured, "memory, configured, MiB", 1),
    (Row::Loaded, "memory after the load below, MiB", 1),
    (Row::Peak, "memory at its peak, MiB", 1),
    (Row::Large, "Check of 100 MB, s", 2),
    (Row::LargePeak, "memory at its peak then, MiB", 0),
];

pub(crate) fn render(figures: &Figures) -> String {
    let mut text = String::new();
    write_table(&mut text, figures, "start and end", &START);
    write_table(&mut text, figures, "size and memory", &MEMORY);
    for (kind, name) in [
        (Kind::Check, "Check"),
        (Kind::DiffUnchanged, "Diff, nothing changed"),
        (Kind::DiffChanged, "Diff, changed"),
    ] {
        let lines = [1, 64].map(|at_once| lines(kind, at_once)).concat();
        write_table(&mut text, figures, name, &lines);
    }
    text
}

fn lines(kind: Kind, at_once: usize) -> [Line; 4] {
    let names = if at_once == 1 {
        [
            "1 at a time: requests per s",
            "1 at a time: median, ms",
            "1 at a time: slowest of 100, ms",
            "1 at a time: processor time, µs",
        ]
    } else {
        [
            "64 at once: requests per s",
            "64 at once: median, ms",
            "64 at once: slowest of 100, ms",
            "64 at once: processor time, µs",
        ]
    };
    [
        (Row::PerSecond(kind, at_once), names[0], 0),
        (Row::Median(kind, at_once), names[1], 2),
        (Row::Slowest(kind, at_once), names[2], 2),
        (Row::Cpu(kind, at_once), names[3], 1),
    ]
}

fn write_table(text: &mut String, figures: &Figures, title: &str, lines: &[Line]) {
    let [ours, others @ ..] = NAMES;
    let ratios = others.map(|other| format!("to {other}"));
    let head = [vec![title, ours], others.to_vec(), ratios.iter().map(String::as_str).collect()].concat();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n| {} |\n| --- |{}", head.join(" | "), " ---: |".repeat(head.len() - 1));
    for (row, name, digits) in lines {
        let values = (0..NAMES.len()).map(|plugin| shown(figures.spread(*row, plugin), *digits));
        let ratios =
            (1..NAMES.len()).map(|other| figures.ratio(*row, other).map_or("–".to_owned(), multiple));
        let cells: Vec<String> = values.chain(ratios).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
}

fn shown(spread: Option<Spread>, digits: usize) -> String {
    let Some(Spread { least, median, most }) = spread else { return "–".to_owned() };
    let (least, median, most) = (number(least, digits), number(median, digits), number(most, digits));
    if least == most { median } else { format!("{median} ({least}–{most})") }
}

/// With a mark between thousands.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

/// Ours as a part, or as a multiple, of the other's.
fn multiple(ratio: f64) -> String {
    if ratio < 0.95 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.1} ×") }
}

/// Puts the tables of a part between its marks.
pub(crate) fn insert(guide: &Path, part: &str, tables: &str) -> Result<()> {
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let text = fs::read_to_string(guide)?;
    let missing = || format!("{} has no place for the tables of {part}", guide.display());
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    fs::write(guide, format!("{before}{begin}{tables}{end}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        let cases = [(1234.4, 0, "1,234"), (0.126, 2, "0.13"), (70_000.0, 1, "70,000.0"), (999.0, 0, "999")];
        for (value, digits, expected) in cases {
            assert_eq!(number(value, digits), expected);
        }
        assert_eq!((multiple(0.1), multiple(3.04)), ("1/10.0".to_owned(), "3.0 ×".to_owned()));
    }
}
