//! Inspection.

use serde_json::json;

use crate::{client::Channel, launch};

#[test]
fn a_known_word_is_explained() {
    let mut client = launch::here();
    for (code, cursor) in [("print x", 0), ("print x", 5), ("🦀 print", 4)] {
        let request = json!({"code": code, "cursor_pos": cursor, "detail_level": 0});
        assert_eq!(
            client.ask(Channel::Shell, "inspect_request", request),
            json!({
                "status": "ok",
                "found": true,
                "data": {"text/plain": "print: a line on standard output"},
                "metadata": {},
            })
        );
    }
    client.finish();
}

#[test]
fn an_unknown_word_is_not_found() {
    let mut client = launch::here();
    assert_eq!(
        client.ask(
            Channel::Shell,
            "inspect_request",
            json!({"code": "zzz", "cursor_pos": 1})
        ),
        json!({"status": "ok", "found": false, "data": {}, "metadata": {}})
    );
    client.finish();
}
