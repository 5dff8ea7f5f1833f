//! Radar charts as inline SVG. The same figures stand in the table beside each chart.

use askama::Template;
use pki_scoring::official::Score;

use crate::words;

/// A chart with one axis for each module or category.
#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) description: String,
    width: u32,
    height: u32,
    rings: Vec<Ring>,
    spokes: Vec<(String, String)>,
    centre: (String, String),
    /// The widest first, so that the others lie on it.
    shapes: Vec<Shape>,
    labels: Vec<Label>,
}

struct Ring {
    points: String,
    number: u8,
    at: (String, String),
}

struct Shape {
    class: &'static str,
    points: String,
    dots: Vec<(String, String)>,
}

struct Label {
    href: String,
    anchor: &'static str,
    x: String,
    y: String,
    lines: Vec<(String, &'static str)>,
}

/// One axis.
pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    pub(super) href: String,
    pub(super) confirmed: Score,
    pub(super) provisional: Score,
    /// What the evidence leaves possible.
    pub(super) highest: Score,
}

/// Draws a chart of this size; `radius` is where level 5 lies.
pub(super) fn radar(title: &str, axes: &[Axis<'_>], size: (u32, u32), radius: f64) -> Chart {
    let (width, height) = size;
    let (x, y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let count = u32::try_from(axes.len().max(1)).map_or(1.0, f64::from);
    let direction = |at: usize| {
        let at = u32::try_from(at).map_or(0.0, f64::from);
        let angle = std::f64::consts::TAU * at / count - std::f64::consts::FRAC_PI_2;
        (angle.cos(), angle.sin())
    };
    let point = |at: usize, level: f64| {
        let (dx, dy) = direction(at);
        let reach = radius * level / 5.0;
        (short(x + dx * reach), short(y + dy * reach))
    };
    let polygon = |level: &dyn Fn(usize) -> f64| {
        let points: Vec<String> = (0..axes.len())
            .map(|at| {
                let (x, y) = point(at, level(at));
                format!("{x},{y}")
            })
            .collect();
        points.join(" ")
    };
    let shape = |class: &'static str, of: &dyn Fn(&Axis<'_>) -> Score| {
        let level = |at: usize| of(&axes[at]).raw.unwrap_or(0.0);
        let rated = (0..axes.len()).filter(|at| of(&axes[*at]).assessed > 0);
        Shape {
            class,
            points: polygon(&level),
            dots: rated.map(|at| point(at, level(at))).collect(),
        }
    };
    let label = |(at, axis): (usize, &Axis<'_>)| {
        let (dx, dy) = direction(at);
        let mut lines: Vec<(String, &'static str)> =
            broken(axis.name).into_iter().map(|line| (line, "name")).collect();
        let figure = |score: &Score| {
            let raw = words::average(score).filter(|_| score.assessed > 0);
            raw.unwrap_or_else(|| "–".to_owned())
        };
        let figures = format!("{} / {}", figure(&axis.confirmed), figure(&axis.provisional));
        lines.push((figures, "figures"));
        let more = u32::try_from(lines.len().saturating_sub(1)).map_or(0.0, f64::from);
        // Above the chart the last line has to clear it, below the first, beside it the middle.
        let rise = more * 14.0 * (1.0 - dy) / 2.0;
        Label {
            href: axis.href.clone(),
            anchor: if dx > 0.15 {
                "start"
            } else if dx < -0.15 {
                "end"
            } else {
                "middle"
            },
            x: short(x + dx * (radius + 12.0)),
            y: short(y + dy * (radius + 18.0 + 8.0 * dy.abs().powi(8)) - rise + 4.0),
            lines,
        }
    };
    let description: Vec<String> = axes
        .iter()
        .map(|axis| {
            let figure = |score: &Score| {
                let raw = words::average(score).filter(|_| score.assessed > 0);
                raw.unwrap_or_else(|| "not assessed".to_owned())
            };
            format!(
                "{}: confirmed {}, provisional {}, possible {}",
                axis.name,
                figure(&axis.confirmed),
                figure(&axis.provisional),
                figure(&axis.highest)
            )
        })
        .collect();
    Chart {
        title: title.to_owned(),
        description: description.join("; "),
        width,
        height,
        rings: (1..=5)
            .map(|number| Ring {
                points: polygon(&|_| f64::from(number)),
                number,
                at: (short(x + 4.0), short(y - radius * f64::from(number) / 5.0 - 2.0)),
            })
            .collect(),
        spokes: (0..axes.len()).map(|at| point(at, 5.0)).collect(),
        centre: (short(x), short(y)),
        shapes: vec![
            Shape { dots: Vec::new(), ..shape("highest", &|axis| axis.highest) },
            shape("provisional", &|axis| axis.provisional),
            shape("confirmed", &|axis| axis.confirmed),
        ],
        labels: axes.iter().enumerate().map(label).collect(),
    }
}

/// One decimal: more would show the last bits of sine and cosine, which differ between machines.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// A name in lines of about 14 characters.
fn broken(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 14 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
