//! Charts as pictures drawn on the server: lengths in whole hundredths of a percent across and whole
//! pixels down, so that they are as wide as there is room and need neither script nor style.

use askama::Template;

/// Pixels of the drawing, its top margin, and those below it for names.
const HEIGHT: i128 = 160;
const TOP: i128 = 12;
const BELOW: i128 = 24;
/// Pixels of a line of bars, and where in it the bar is.
const LINE: i128 = 40;
const BAR: i128 = 22;
/// Names below columns, at the most.
const NAMES: usize = 4;
/// Lines behind columns, at the most.
const TICKS: i128 = 4;

/// A value of a chart, with what it is called and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// The value; `None` = unknown.
    pub value: Option<i128>,
    /// A second one that is drawn from the same line, mostly below nothing.
    pub other: Option<i128>,
    /// In words, for who points at it.
    pub tip: String,
}

/// What a chart is called, and what it says to whoever does not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Tells it from the others on the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What there is to be seen.
    pub about: String,
}

/// A drawn rectangle.
struct Box {
    x: String,
    y: String,
    width: String,
    height: String,
    below: bool,
    tip: String,
}

struct Tick {
    y: i128,
    text_y: i128,
    text: String,
    zero: bool,
}

struct Name {
    x: String,
    text: String,
}

/// Columns side by side, in the order of time.
#[derive(Template)]
#[template(path = "part/columns.html")]
struct Columns {
    said: Said,
    height: i128,
    names_y: i128,
    ticks: Vec<Tick>,
    boxes: Vec<Box>,
    names: Vec<Name>,
}

struct Row {
    name: String,
    text: String,
    text_y: i128,
    bar_y: i128,
    width: String,
    below: bool,
}

/// Bars below one another, each with its name and value.
#[derive(Template)]
#[template(path = "part/bars.html")]
struct Bars {
    said: Said,
    height: i128,
    rows: Vec<Row>,
}

/// Draws columns; `written` is how a value of the scale is written.
pub fn columns(said: Said, points: &[Point], written: impl Fn(i128) -> String) -> askama::Result<String> {
    let values = || points.iter().flat_map(|point| [point.value, point.other]).flatten();
    let (least, most) = (values().min().unwrap_or(0).min(0), values().max().unwrap_or(0).max(0));
    let step = step(most - least);
    // The scale ends with a line.
    let low = least.div_euclid(step) * step;
    let high = (-((-most).div_euclid(step)) * step).max(low + step);
    let span = high - low;
    let y = |value: i128| TOP + (high - value) * HEIGHT / span;
    let lines = (0..=(span / step)).map(|at| low + at * step);
    let ticks = lines
        .map(|value| Tick { y: y(value), text_y: y(value) + 4, text: written(value), zero: value == 0 })
        .collect();
    let slot = 10_000 / points.len().max(1) as i128;
    let mut boxes = Vec::new();
    let mut names = Vec::new();
    let every = points.len().div_ceil(NAMES).max(1);
    for (at, point) in points.iter().enumerate() {
        let left = at as i128 * 10_000 / points.len() as i128;
        for value in [point.value, point.other].into_iter().flatten().filter(|value| *value != 0) {
            let (top, bottom) = (y(value.max(0)), y(value.min(0)));
            boxes.push(Box {
                x: percent(left + slot / 8),
                y: top.to_string(),
                width: percent(slot - slot / 4),
                // What is there is seen, however little it is.
                height: (bottom - top).max(1).to_string(),
                below: value < 0,
                tip: point.tip.clone(),
            });
        }
        // Counted from the end, so that the latest has its name.
        if (points.len() - 1 - at).is_multiple_of(every) {
            // It ends where its column ends: the last would not fit in the middle.
            names.push(Name { x: percent(left + slot * 7 / 8), text: point.name.clone() });
        }
    }
    let height = TOP + HEIGHT + BELOW;
    Columns { said, height, names_y: height - 6, ticks, boxes, names }.render()
}

/// Draws bars; `written` is how a value is written, known or not.
pub fn bars(
    said: Said,
    points: &[Point],
    written: impl Fn(Option<i128>) -> String,
) -> askama::Result<String> {
    let longest = points.iter().filter_map(|point| point.value).map(i128::abs).max().unwrap_or(0).max(1);
    let row = |(at, point): (i128, &Point)| {
        let value = point.value.unwrap_or(0);
        let length = value.abs() * 10_000 / longest;
        Row {
            name: shortened(&point.name),
            text: written(point.value),
            text_y: at * LINE + 15,
            bar_y: at * LINE + BAR,
            width: percent(if value == 0 { 0 } else { length.max(30) }),
            below: value < 0,
        }
    };
    let rows: Vec<Row> = (0..).zip(points).map(row).collect();
    Bars { said, height: (rows.len() as i128 * LINE).max(1), rows }.render()
}

/// The distance of lines: one, two or five with noughts, so that there are few of them.
fn step(span: i128) -> i128 {
    let mut unit = 1;
    loop {
        for step in [unit, 2 * unit, 5 * unit] {
            if span <= step * TICKS {
                return step;
            }
        }
        unit *= 10;
    }
}

/// Hundredths of a percent as the drawing takes them.
fn percent(hundredths: i128) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// A name that leaves room for the value beside it.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 26;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    format!("{}…", name.chars().take(LONGEST - 1).collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(Option<i128>, Option<i128>)]) -> Vec<Point> {
        let point = |(at, (value, other)): (usize, &(Option<i128>, Option<i128>))| Point {
            name: format!("n{at}"),
            value: *value,
            other: *other,
            tip: format!("<tip {at}>"),
        };
        values.iter().enumerate().map(point).collect()
    }

    fn said() -> Said {
        Said { id: "c".to_owned(), title: "T".to_owned(), about: "A & B".to_owned() }
    }

    #[test]
    fn lines_are_few_and_round() {
        for (span, expected) in
            [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2), (9, 5), (20, 5), (21, 10), (90_000, 50_000)]
        {
            assert_eq!(step(span), expected, "{span}");
        }
    }

    #[test]
    fn columns_stand_on_nothing_and_hang_below_it() {
        let html = columns(said(), &points(&[(Some(100), Some(-50)), (None, None), (Some(0), None)]), |v| {
            v.to_string()
        });
        let html = html.unwrap();
        // From −50 to 100 in steps of 50: nothing is two thirds down, at 12 + 106.
        assert_eq!(html.matches("<rect").count(), 2, "{html}");
        assert!(html.contains("y=\"12\" width=\"25.00%\" height=\"106\""), "{html}");
        assert!(html.contains("class=\"below\"") && html.contains("y=\"118\""), "{html}");
        assert!(
            html.contains("role=\"img\"") && html.contains("A &#38; B") && !html.contains("<tip"),
            "{html}"
        );
    }

    #[test]
    fn bars_keep_to_their_length_and_the_unknown_has_none() {
        let html = bars(said(), &points(&[(Some(200), None), (Some(50), None), (None, None)]), |value| {
            value.map_or_else(|| "–".to_owned(), |value| value.to_string())
        });
        let html = html.unwrap();
        assert!(html.contains("width=\"100.00%\"") && html.contains("width=\"25.00%\""), "{html}");
        assert!(html.contains("width=\"0.00%\"") && html.contains(">–<"), "{html}");
        assert_eq!(shortened(&"ж".repeat(40)).chars().count(), 26);
    }
}
