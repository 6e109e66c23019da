//! Draws horizontal bars as SVG.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
/// The right edge of the labels.
const LABELS: f64 = 300.0;
/// The room for the value behind the longest bar.
const VALUES: f64 = 150.0;
const TOP: f64 = 52.0;
const STEP: f64 = 30.0;
const BAR: f64 = 18.0;

/// The colours, in light and dark. The bars of this crate are in colour, the others in grey.
const STYLE: &str = "\
    text { font: 14px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 16px }
    .value { fill: #59636e }
    .axis { stroke: #d1d9e0 }
    .bar { fill: #afb8c1 }
    .own { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .value { fill: #9198a1 }
      .axis { stroke: #3d444d }
      .bar { fill: #656c76 }
      .own { fill: #4493f8 }
    }";

/// Draws one bar for each label and value, from the top. Labels that begin with `accent` are this crate's.
///
/// # Panics
///
/// Panics if a value is not a number.
pub(super) fn draw(title: &str, unit: &str, accent: &str, bars: &[(String, String)]) -> String {
    let number =
        |text: &str| -> f64 { text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is not a number")) };
    let longest = bars.iter().map(|(_, value)| number(value)).fold(f64::MIN_POSITIVE, f64::max);
    let height = TOP + STEP * bars.len() as f64 + 8.0;
    let mut svg = String::new();
    let text: Vec<String> = bars.iter().map(|(label, value)| format!("{label}: {value} {unit}")).collect();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n  <title id=\"title\">{}</title>\n  <desc id=\"desc\">{}</desc>\n  \
         <style>\n{STYLE}\n  </style>\n  <text class=\"title\" x=\"12\" y=\"28\">{}</text>",
        escaped(title),
        escaped(&text.join("; ")),
        escaped(title),
    );
    for (index, (label, value)) in bars.iter().enumerate() {
        let middle = TOP + STEP * index as f64 + STEP / 2.0;
        let length = (WIDTH - LABELS - VALUES) * number(value) / longest;
        let class = if label.starts_with(accent) { "bar own" } else { "bar" };
        let _ = writeln!(
            svg,
            "  <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n  <rect class=\"{class}\" x=\"{LABELS}\" y=\"{}\" \
             width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\n  <text class=\"value\" x=\"{:.1}\" y=\"{}\">{} {}</text>",
            LABELS - 10.0,
            middle + 5.0,
            escaped(label),
            middle - BAR / 2.0,
            LABELS + length + 8.0,
            middle + 5.0,
            escaped(value),
            escaped(unit),
        );
    }
    let _ = writeln!(svg, "  <path class=\"axis\" d=\"M{LABELS} {TOP}V{}\"/>\n</svg>", height - 8.0);
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
