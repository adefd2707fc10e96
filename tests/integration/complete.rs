//! Completion: positions are Unicode code points, whatever the text.

use serde_json::{Value, json};

use crate::{client::Channel, launch};

fn choice(text: &str, signature: &str, start: usize, end: usize) -> Value {
    json!({
        "text": text,
        "type": "keyword",
        "signature": signature,
        "start": start,
        "end": end,
    })
}

#[test]
fn choices_come_with_what_jupyterlab_shows_beside_them() {
    let mut client = launch::here();
    let request = json!({"code": "print 1\nepr", "cursor_pos": 11});
    assert_eq!(
        client.ask(Channel::Shell, "complete_request", request),
        json!({
            "status": "ok",
            "matches": ["eprint"],
            "cursor_start": 8,
            "cursor_end": 11,
            "metadata": {
                "_jupyter_types_experimental":
                    [choice("eprint", "a line on standard error", 8, 11)],
            },
        })
    );
    client.finish();
}

#[test]
fn positions_are_code_points() {
    let cases = [
        ("ét", 2, "été", 0..2),
        ("🦀🦀 变", 4, "变量", 3..4),
        ("e\u{301}👨\u{200d}👩 ét!", 8, "été", 6..8),
        ("print 并发\nspi", 12, "spin", 9..12),
        ("spi", 99, "spin", 0..3),
    ];
    let mut client = launch::here();
    for (code, cursor, found, range) in cases {
        let request = json!({"code": code, "cursor_pos": cursor});
        let reply = client.ask(Channel::Shell, "complete_request", request);
        assert_eq!(reply["matches"], json!([found]), "{code}");
        let range = (json!(range.start), json!(range.end));
        assert_eq!(
            (reply["cursor_start"].clone(), reply["cursor_end"].clone()),
            range,
            "{code}"
        );
        let choice = &reply["metadata"]["_jupyter_types_experimental"][0];
        assert_eq!(
            (choice["start"].clone(), choice["end"].clone()),
            range,
            "{code}"
        );
    }
    client.finish();
}

#[test]
fn nothing_found_is_an_empty_list() {
    let mut client = launch::here();
    let request = json!({"code": "zzz", "cursor_pos": 3});
    let reply = client.ask(Channel::Shell, "complete_request", request);
    assert_eq!(reply["matches"], json!([]));
    assert_eq!(reply["status"], "ok");
    client.finish();
}
