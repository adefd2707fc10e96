//! Threads of which each waits for the next, as a picture.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::html;

use super::Link;

const WIDTH: usize = 120;
const HEIGHT: usize = 34;
/// Between two boxes.
const GAP: usize = 190;
const MARGIN: usize = 16;
/// More would be wider than a page.
const MOST: usize = 5;
/// Of a name, so many characters find room.
const NAME: usize = 15;
const LABEL: usize = 24;

/// The picture as an address of its data. `None` when there is nothing to draw, or too much.
pub(super) fn draw(chain: &[Link], is_circle: bool) -> Option<String> {
    if chain.is_empty() || chain.len() > MOST {
        return None;
    }
    let outside = chain
        .last()
        .and_then(|link| link.end.clone())
        .filter(|_| !is_circle);
    if chain.len() == 1 && outside.is_none() {
        return None;
    }
    let mut names: Vec<&str> = chain.iter().map(|link| link.name.as_str()).collect();
    names.extend(outside.as_deref());
    let svg = svg(&names, chain, is_circle);
    Some(format!(
        "data:image/svg+xml;base64,{}",
        STANDARD.encode(svg)
    ))
}

fn svg(names: &[&str], chain: &[Link], is_circle: bool) -> String {
    let step = WIDTH + GAP;
    let width = MARGIN * 2 + step * names.len() - GAP;
    let height = MARGIN * 2 + HEIGHT + if is_circle { 46 } else { 0 };
    let left = |index: usize| MARGIN + index * step;
    let middle = MARGIN + HEIGHT / 2;
    let below = MARGIN + HEIGHT;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox=(format!("0 0 {width} {height}")) font-family="sans-serif" font-size="13" {
            defs {
                marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                    path d="M0 0 L10 5 L0 10 z" fill="#333" {}
                }
            }
            // Of its own colour, so that it can be read in every theme.
            rect width=(width) height=(height) rx="6" fill="#fff" stroke="#bbb" {}
            @for (index, name) in names.iter().enumerate() {
                rect x=(left(index)) y=(MARGIN) width=(WIDTH) height=(HEIGHT) rx="5" fill="#e8f0f8" stroke="#333" {}
                text x=(left(index) + WIDTH / 2) y=(middle + 5) text-anchor="middle" fill="#111" { (cut(name, NAME)) }
            }
            @for (index, link) in chain.iter().enumerate().take(names.len() - 1) {
                path d=(format!("M{} {middle} H{}", left(index) + WIDTH, left(index + 1) - 2))
                    stroke="#333" stroke-width="1.5" marker-end="url(#tip)" {}
                text x=(left(index) + WIDTH + GAP / 2) y=(middle - 6) text-anchor="middle" fill="#111" { (cut(&link.waits_for, LABEL)) }
            }
            @if let Some(last) = chain.last().filter(|_| is_circle) {
                path d=(format!("M{} {below} v22 H{} V{}", left(chain.len() - 1) + WIDTH / 2, left(0) + WIDTH / 2, below + 2))
                    fill="none" stroke="#333" stroke-width="1.5" marker-end="url(#tip)" {}
                text x=(width / 2) y=(below + 38) text-anchor="middle" fill="#111" { (cut(&last.waits_for, LABEL)) }
            }
        }
    }
    .into_string()
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
