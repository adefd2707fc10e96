//! What each message costs before anything is done about it: cutting, signing, reading, writing.
//!
//! `cargo bench --bench wire`

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use interleave_kernel::wire::{Codec, Frames, Signer};
use jupyter_protocol::{JupyterMessageContent, StreamContent};
use serde_json::json;

const KEY: &str = "7f1c9a5e-2b64-4d0e-9a83-5c1d2e3f4a5b";

/// As many bytes as a long cell has.
const CELL: usize = 4096;

/// A request to run a cell, as a front end sends it.
fn execute_request() -> Vec<Bytes> {
    let header = json!({
        "msg_id": "9d2f0c1e_1", "session": "9d2f0c1e", "username": "student",
        "date": "2026-01-01T00:00:00.000000Z", "msg_type": "execute_request", "version": "5.4",
    });
    let content = json!({
        "code": "x".repeat(CELL), "silent": false, "store_history": true,
        "user_expressions": {}, "allow_stdin": true, "stop_on_error": true,
    });
    let part = |value: &serde_json::Value| Bytes::from(value.to_string());
    let signed = [
        part(&header),
        part(&json!({})),
        part(&json!({})),
        part(&content),
    ];
    let mut parts = vec![
        Bytes::from_static(b"identity"),
        Bytes::from_static(b"<IDS|MSG>"),
        Bytes::new(),
    ];
    parts.extend(signed);
    let mut frames = Frames::parse(&parts).expect("the message is well-formed");
    frames.signature = Bytes::from(Signer::new(KEY).sign(&frames));
    frames.into_parts()
}

fn wire(criterion: &mut Criterion) {
    let parts = execute_request();
    let frames = Frames::parse(&parts).expect("the message is well-formed");
    let signer = Signer::new(KEY);
    let codec = Codec::new(KEY);
    let incoming = codec.decode(&parts).expect("the message is signed");
    let stream = JupyterMessageContent::StreamContent(StreamContent::stdout("a line\n"));

    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Elements(1));
    group.bench_function("frames", |bencher| {
        bencher.iter(|| Frames::parse(black_box(&parts)))
    });
    group.bench_function("sign", |bencher| {
        bencher.iter(|| signer.sign(black_box(&frames)))
    });
    group.bench_function("verify", |bencher| {
        bencher.iter(|| signer.verify(black_box(&frames)))
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| codec.decode(black_box(&parts)))
    });
    group.bench_function("publish", |bencher| {
        bencher.iter(|| codec.publish(Some(&incoming.parent), black_box(&stream)));
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
