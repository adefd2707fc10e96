//! Tells the crate which platform it is compiled for: cells run on the same one.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=INTERLEAVE_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
