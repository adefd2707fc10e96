//! What the kernel says about itself, and its heartbeat.

use serde_json::json;

use crate::{client::Channel, launch};

#[test]
fn the_kernel_introduces_itself_on_both_channels() {
    let mut client = launch::here();
    for channel in [Channel::Shell, Channel::Control] {
        assert_eq!(
            client.ask(channel, "kernel_info_request", json!({})),
            json!({
                "status": "ok",
                "protocol_version": "5.5",
                "implementation": "interleave",
                "implementation_version": "1.2.3",
                "language_info": {
                    "name": "rust",
                    "version": "1.95.0",
                    "mimetype": "text/rust",
                    "file_extension": ".rs",
                    "pygments_lexer": "rust",
                    "codemirror_mode": "rust",
                },
                "banner": "hello",
                "help_links": [{"text": "Book", "url": "https://doc.rust-lang.org/book/"}],
                "debugger": false,
                "supported_features": [],
            })
        );
    }
    client.finish();
}

#[test]
fn the_heartbeat_echoes_whatever_comes() {
    let mut client = launch::here();
    for bytes in [&b"ping"[..], b"", b"\x00\xff", &[7; 10_000]] {
        assert_eq!(client.beat(bytes), [bytes.to_vec()]);
    }
    client.finish();
}

#[test]
fn the_heart_beats_while_a_cell_runs() {
    let mut client = launch::here();
    let cell = client.send_cell("spin");
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    assert_eq!(client.beat(b"ping"), [b"ping".to_vec()]);
    let shutdown = client.send(
        Channel::Control,
        "shutdown_request",
        json!({"restart": false}),
    );
    client.reply(Channel::Control, &shutdown);
    client.outputs(&shutdown);
    client.expect(&cell, "error Interrupted");
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.ended();
}

#[test]
fn a_debugger_is_politely_refused() {
    let mut client = launch::here();
    let request = json!({"type": "request", "seq": 7, "command": "attach", "arguments": {}});
    let reply = client.ask(Channel::Control, "debug_request", request);
    assert_eq!(reply["type"], "response");
    assert_eq!(reply["success"], false);
    assert_eq!(
        (&reply["request_seq"], &reply["command"]),
        (&json!(7), &json!("attach"))
    );
    assert!(reply["message"].is_string());
    client.finish();
}
