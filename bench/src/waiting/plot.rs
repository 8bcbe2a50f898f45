//! The picture of the guide: how calls and memory grow with the number of deployments.

use std::fmt::Write;

use super::{Outcome, SIZES, WAITERS, Waiter, table::name};
use crate::{figures::count, plot::STYLE};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 330.0;
const TOP: f64 = 50.0;
/// A tenfold of deployments, and of calls.
const DECADES: (f64, f64) = (190.0, 46.0);

pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>Calls to AWS while deployments are waited for</title>
<style>{STYLE} .l1 {{ stroke: #d4572a }} .l2 {{ stroke: #0a7ea4 }} .l3 {{ stroke: #8c959f }} polyline {{ fill: none; stroke-width: 2.5 }}</style>
<text x="8" y="20">calls to AWS while deployments are waited for</text>"#
    );
    axes(&mut svg);
    for (place, waiter) in WAITERS.into_iter().enumerate() {
        line(&mut svg, outcomes, waiter, place);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String) {
    for deployments in SIZES {
        let x = across(deployments);
        let _ = writeln!(
            svg,
            r#"<text class="small" x="{x:.0}" y="{:.0}" text-anchor="middle">{deployments}</text>"#,
            BOTTOM + 18.0
        );
    }
    for power in 0..=6 {
        let y = BOTTOM - f64::from(power) * DECADES.1;
        let _ = writeln!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{:.0}" y1="{y:.0}" y2="{y:.0}" stroke-dasharray="2 4"/>
<text class="small" x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
            WIDTH - 20.0,
            LEFT - 8.0,
            y + 4.0,
            10_u64.pow(power),
        );
    }
    let _ = writeln!(
        svg,
        r#"<text class="small" x="{:.0}" y="{:.0}" text-anchor="end">deployments at once</text>"#,
        WIDTH - 20.0,
        BOTTOM + 36.0
    );
}

fn line(svg: &mut String, outcomes: &[Outcome], waiter: Waiter, place: usize) {
    let mut points: Vec<(f64, f64)> = outcomes
        .iter()
        .filter(|outcome| outcome.waiter == waiter)
        .map(|outcome| (across(outcome.deployments), up(outcome.calls)))
        .collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let joined: Vec<_> = points.iter().map(|(x, y)| format!("{x:.0},{y:.0}")).collect();
    let class = format!("l{}", place + 1);
    let left = LEFT + count(place) * 190.0;
    let _ = writeln!(
        svg,
        r#"<polyline class="{class}" points="{}"/>
<line class="{class}" stroke-width="2.5" x1="{left}" x2="{:.0}" y1="{y:.0}" y2="{y:.0}"/><text class="small" x="{:.0}" y="{:.0}">{}</text>"#,
        joined.join(" "),
        left + 20.0,
        left + 26.0,
        TOP - 10.0,
        name(waiter),
        y = TOP - 14.0,
    );
}

fn across(deployments: usize) -> f64 {
    LEFT + 30.0 + count(deployments).log10() * DECADES.0
}

fn up(calls: usize) -> f64 {
    BOTTOM - count(calls.max(1)).log10() * DECADES.1
}
