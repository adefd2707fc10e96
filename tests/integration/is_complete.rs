//! Whether code is ready to run, for consoles.

use serde_json::json;

use crate::{client::Channel, launch};

#[test]
fn the_three_answers() {
    let mut client = launch::here();
    let cases = [
        ("print 1", json!({"status": "complete"})),
        (
            "print \\",
            json!({"status": "incomplete", "indent": "    "}),
        ),
        ("@@", json!({"status": "invalid"})),
    ];
    for (code, answer) in cases {
        let reply = client.ask(Channel::Shell, "is_complete_request", json!({"code": code}));
        assert_eq!(reply, answer, "{code}");
    }
    client.finish();
}
