//! Builds the kernel again when the sources change that it carries for the cells.

fn main() {
    for directory in ["prelude", "protocol", "logo", "build.rs"] {
        println!("cargo::rerun-if-changed={directory}");
    }
}
