//! Checks that the charts of docs/PERFORMANCE.md show the numbers of its tables, and that the page has them.

#[path = "../../benches/charts/mod.rs"]
mod drawing;

use std::fs;

use drawing::CHARTS;

use super::pages::{root, text};

#[test]
fn the_charts_are_what_the_tables_give() {
    let page = text("docs/PERFORMANCE.md");
    let mut old = Vec::new();
    for chart in CHARTS {
        let (file, drawn) = (format!("docs/images/{}.svg", chart.name), chart.draw(&page));
        assert!(page.contains(&format!("](images/{}.svg)", chart.name)), "the page does not show {file}");
        if std::env::var_os("CHARTS").is_some_and(|mode| mode == "write") {
            fs::write(root().join(&file), drawn).unwrap();
        } else if fs::read_to_string(root().join(&file)).ok().as_deref() != Some(&drawn) {
            old.push(file);
        }
    }
    assert!(old.is_empty(), "draw them again with `CHARTS=write cargo test --test it charts`: {old:?}");
}

#[test]
fn a_bar_is_as_long_as_its_value_and_in_colour_if_it_is_ours() {
    let page = "\n## Beside the peers\n\n| SDK, batch | events/s |\n|---|--:|\n| tracklane, 100 | 2,000 |\n\
                | other & more | 1,000 |\n\n## Next\n";
    let drawn = CHARTS.iter().find(|chart| chart.name == "peers").unwrap().draw(page);
    assert!(drawn.contains("class=\"bar own\" x=\"300\" y=\"58\" width=\"350.0\""), "{drawn}");
    assert!(drawn.contains("class=\"bar\" x=\"300\" y=\"88\" width=\"175.0\""), "{drawn}");
    assert!(drawn.contains(">other &amp; more</text>") && drawn.contains(">1,000 events/s</text>"), "{drawn}");
    assert!(drawn.contains("prefers-color-scheme: dark"));
}
