//! Prints a notebook with the pictures of the tests, to look at them in JupyterLab:
//! `cargo run -p interleave-lanes --example gallery > gallery.ipynb`.

#[path = "../tests/scenes/mod.rs"]
mod scenes;

use interleave_lanes::{Picture, Trace};
use serde_json::{Value, json};

fn main() {
    let scenes = scenes::all();
    let cells = scenes.iter().map(|(name, trace)| cell(name, trace));
    let notebook = json!({
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": cells.collect::<Value>(),
    });
    println!("{notebook}");
}

fn cell(name: &str, trace: &Trace) -> Value {
    let picture = Picture::of(trace);
    let data = json!({ "text/html": picture.to_html(), "text/plain": picture.to_ascii(100) });
    let output = json!({ "output_type": "display_data", "metadata": {}, "data": data });
    json!({
        "cell_type": "code",
        "id": name.replace(' ', "-"),
        "execution_count": 5,
        "metadata": { "trusted": true },
        "source": format!("// {name}\n{}", trace.sources[0].code),
        "outputs": [output],
    })
}
