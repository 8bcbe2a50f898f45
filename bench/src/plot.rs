//! The picture of the guide: how much of everything the others take, as multiples of ours.

use std::fmt::Write;

use crate::{
    figures::{Figures, Kind, Row},
    plugin::NAMES,
};

const ROWS: [(Row, &str); 9] = [
    (Row::Port, "start to the port line"),
    (Row::FirstCheck, "start to the first Check"),
    (Row::PortCpu, "processor time of a start"),
    (Row::Idle, "memory, idle"),
    (Row::Loaded, "memory, after the load"),
    (Row::Size, "size of the binary"),
    (Row::Cpu(Kind::Check, 64), "processor time of a Check"),
    (Row::Cpu(Kind::DiffUnchanged, 64), "processor time of a Diff"),
    (Row::Large, "Check of 100 MB"),
];

const WIDTH: f64 = 760.0;
/// Where the value 1 is: to the left of it stands what is less than ours.
const ONE: f64 = 270.0;
/// A tenfold.
const DECADE: f64 = 170.0;
const BAR: f64 = 13.0;
const TOP: f64 = 56.0;
const GROUP: f64 = 58.0;

/// Follows the reader's colours.
pub(crate) const STYLE: &str = "
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .small { font-size: 11px; fill: #57606a }
    .axis { stroke: #8c959f; stroke-width: 1 }
    .p1 { fill: #0a7ea4 } .p2 { fill: #5b8c2a } .p3 { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 } .small { fill: #9198a1 } .axis { stroke: #6e7681 }
        .p1 { fill: #39b5dd } .p2 { fill: #8cc152 } .p3 { fill: #7d8590 }
    }
";

pub(crate) fn render(figures: &Figures) -> String {
    let rows: Vec<_> = ROWS.into_iter().filter(|(row, _)| figures.spread(*row, 0).is_some()).collect();
    let height = rows.iter().fold(TOP, |height, _| height + GROUP);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">
<title>What other plugins take, as multiples of lambda-rollout</title>
<style>{STYLE}</style>"#
    );
    legend(&mut svg);
    axis(&mut svg, height);
    let mut top = TOP;
    for (row, name) in rows {
        let _ = writeln!(svg, r#"<text x="8" y="{:.0}">{name}</text>"#, top + 1.5 * BAR + 4.0);
        for other in 1..NAMES.len() {
            if let Some(ratio) = figures.ratio(row, other) {
                bar(&mut svg, top, other, 1.0 / ratio);
            }
            top += BAR + 1.0;
        }
        top += GROUP - 3.0 * (BAR + 1.0);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    let _ = writeln!(svg, r#"<text x="8" y="20">lambda-rollout = 1 ×</text>"#);
    let mut left = ONE;
    for (class, name) in NAMES.iter().enumerate().skip(1) {
        let _ = writeln!(
            svg,
            r#"<rect class="p{class}" x="{left}" y="9" width="12" height="12"/><text x="{:.0}" y="20">{name}</text>"#,
            left + 18.0
        );
        left += 110.0;
    }
}

/// The powers of ten, and a line where ours is.
fn axis(svg: &mut String, height: f64) {
    for (power, text) in [(0.0, "1 ×"), (1.0, "10 ×"), (2.0, "100 ×")] {
        let x = ONE + power * DECADE;
        let dashes = if power > 0.0 { r#" stroke-dasharray="2 4""# } else { "" };
        let _ = writeln!(
            svg,
            r#"<text class="small" x="{x}" y="42" text-anchor="middle">{text}</text>
<line class="axis" x1="{x}" x2="{x}" y1="48" y2="{height}"{dashes}/>"#
        );
    }
}

fn bar(svg: &mut String, top: f64, class: usize, multiple: f64) {
    let length = multiple.log10() * DECADE;
    let (left, width) = if length < 0.0 { (ONE + length, -length) } else { (ONE, length) };
    let digits = usize::from(multiple < 10.0);
    let _ = writeln!(
        svg,
        r#"<rect class="p{class}" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{BAR}"/><text class="small" x="{:.1}" y="{:.1}">{multiple:.digits$}</text>"#,
        width.max(1.0),
        left.max(ONE) + length.max(0.0) + 5.0,
        top + BAR - 3.0
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_as_much_is_a_decade_long() {
        let mut figures = Figures::default();
        figures.note(Row::Port, 0, 2.0);
        figures.note(Row::Port, 1, 20.0);
        let svg = render(&figures);
        let bar = format!(r#"class="p1" x="{ONE:.1}" y="{TOP:.1}" width="{DECADE:.1}""#);
        assert!(svg.contains(&bar), "{svg}");
        assert!(svg.contains("start to the port line") && !svg.contains("memory, idle"));
    }
}
