//! Messages that are wrong: dropped or answered, and the next good one still works.

use serde_json::{Value, json};

use crate::{
    client::{Channel, Client},
    launch,
    message::{frames, sign},
};

const CHANNELS: [Channel; 2] = [Channel::Shell, Channel::Control];

fn header(msg_type: &str) -> Vec<u8> {
    let header = json!({"msg_id": "m1", "session": "s", "username": "u", "msg_type": msg_type});
    header.to_string().into_bytes()
}

fn parts(parts: [&[u8]; 4]) -> Vec<Vec<u8>> {
    parts.map(<[u8]>::to_vec).to_vec()
}

/// A multipart with its name.
type Named = (&'static str, Vec<Vec<u8>>);

/// Multiparts that nobody can be answered for.
fn hopeless(key: &str) -> Vec<Named> {
    [wrong_around(key), wrong_inside(key)].concat()
}

/// Their frames or their signatures are wrong.
fn wrong_around(key: &str) -> Vec<Named> {
    let good = parts([&header("kernel_info_request"), b"{}", b"{}", b"{}"]);
    let delimiter = b"<IDS|MSG>".to_vec();
    let unsigned = |signature: &[u8]| {
        let mut message = vec![delimiter.clone(), signature.to_vec()];
        message.extend(good.clone());
        message
    };
    vec![
        ("one empty frame", vec![vec![]]),
        ("one frame of nonsense", vec![vec![0xff; 100]]),
        ("no delimiter", good.clone()),
        ("delimiter alone", vec![delimiter.clone()]),
        (
            "delimiter and signature",
            vec![delimiter.clone(), vec![b'a'; 64]],
        ),
        ("one part short", frames(key, &good[..3])),
        ("no signature", unsigned(b"")),
        ("wrong signature", unsigned(&[b'0'; 64])),
        (
            "signature of another key",
            unsigned(sign("other", &good).as_bytes()),
        ),
        (
            "signature that is no hexadecimal",
            unsigned("é".repeat(32).as_bytes()),
        ),
    ]
}

/// They are signed, and what is signed is wrong.
fn wrong_inside(key: &str) -> Vec<Named> {
    let info = header("kernel_info_request");
    let signed = |parts: [&[u8]; 4]| frames(key, &self::parts(parts));
    let deep = "[".repeat(100_000).into_bytes();
    vec![
        ("empty header", signed([b"", b"{}", b"{}", b"{}"])),
        (
            "header of another shape",
            signed([b"[1]", b"{}", b"{}", b"{}"]),
        ),
        (
            "header without type",
            signed([br#"{"msg_id": "m"}"#, b"{}", b"{}", b"{}"]),
        ),
        (
            "header that is no UTF-8",
            signed([b"\xff\xfe", b"{}", b"{}", b"{}"]),
        ),
        (
            "header with a field, of no use here, that is no UTF-8",
            signed([
                b"{\"msg_id\": \"m\", \"msg_type\": \"kernel_info_request\", \"date\": \"\xff\"}",
                b"{}",
                b"{}",
                b"{}",
            ]),
        ),
        (
            "parent header that is no JSON",
            signed([&info, b"{", b"{}", b"{}"]),
        ),
        (
            "metadata that is no JSON",
            signed([&info, b"{}", b"meta", b"{}"]),
        ),
        (
            "metadata without a bottom",
            signed([&info, b"{}", &deep, b"{}"]),
        ),
    ]
}

#[test]
fn hopeless_messages_are_dropped() {
    let mut client = launch::here();
    for (name, message) in hopeless(&client.connection.key) {
        for channel in CHANNELS {
            client.send_frames(channel, message.clone());
            let info = client.ask(channel, "kernel_info_request", json!({}));
            assert_eq!(info["status"], "ok", "after {name} on {channel:?}");
        }
    }
    client.finish();
}

#[test]
fn hopeless_answers_leave_the_question_open() {
    let mut client = launch::here();
    let cell = client.send_cell("input ?");
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    let question = client.receive(Channel::Stdin);
    for (_, message) in hopeless(&client.connection.key) {
        client.send_frames(Channel::Stdin, message);
    }
    client.answer(&question, "input_reply", json!({"value": "patience"}));
    client.expect(&cell, "stream patience\n");
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.finish();
}

/// Sends a content under a header that says `msg_type`, and gives the reply's content.
fn malformed(client: &mut Client, channel: Channel, msg_type: &str, content: &[u8]) -> Value {
    let message = parts([&header(msg_type), b"{}", b"{}", content]);
    let message = frames(&client.connection.key, &message);
    client.send_frames(channel, message);
    let reply = client.reply(channel, "m1");
    assert_eq!(reply.kind(), msg_type.replace("_request", "_reply"));
    assert!(client.outputs("m1").is_empty());
    reply.content
}

#[test]
fn contents_that_do_not_fit_are_answered_with_an_error() {
    let contents: [&[u8]; 6] = [b"", b"{", b"[]", b"null", b"\xff", b"\"text\""];
    let kinds = [
        "execute",
        "complete",
        "inspect",
        "is_complete",
        "history",
        "shutdown",
    ];
    let mut client = launch::here();
    for kind in kinds {
        for (content, channel) in contents.iter().zip(CHANNELS.into_iter().cycle()) {
            let msg_type = format!("{kind}_request");
            let reply = malformed(&mut client, channel, &msg_type, content);
            assert_eq!(reply["status"], "error", "{kind}");
            assert_eq!(reply["ename"], "MalformedRequest", "{kind}");
            assert!(reply["evalue"].as_str().unwrap().starts_with(&msg_type));
            assert!(reply["traceback"].is_array());
        }
    }
    for (kind, content) in [
        ("execute", json!({"code": 1})),
        ("execute", json!({})),
        ("complete", json!({"code": "", "cursor_pos": -1})),
        ("inspect", json!({"code": ""})),
        ("history", json!({"hist_access_type": "dance"})),
        ("history", json!({"hist_access_type": "tail", "n": 1e99})),
        ("shutdown", json!({"restart": "maybe"})),
    ] {
        let content = content.to_string();
        let msg_type = format!("{kind}_request");
        let reply = malformed(&mut client, Channel::Shell, &msg_type, content.as_bytes());
        assert_eq!(reply["ename"], "MalformedRequest", "{kind} {content}");
    }
    assert_eq!(client.execute("print next").reply["execution_count"], 1);
    client.finish();
}

#[test]
fn what_has_no_reply_gets_none_but_busy_and_idle() {
    let mut client = launch::here();
    for msg_type in ["dance_request", "status", "input_reply", "comm_open", ""] {
        let id = client.send(Channel::Shell, msg_type, json!({}));
        assert!(client.outputs(&id).is_empty(), "{msg_type}");
    }
    client.finish();
}

#[test]
fn buffers_and_unknown_fields_are_no_fault() {
    let mut client = launch::here();
    let parts = parts([
        &header("kernel_info_request"),
        br#"{"unknown": [1]}"#,
        br#"{"cellId": "c", "deletedCells": []}"#,
        br#"{"unknown": null}"#,
    ]);
    let mut message = frames(&client.connection.key, &parts);
    message.extend([b"buffer".to_vec(), vec![]]);
    client.send_frames(Channel::Shell, message);
    assert_eq!(client.reply(Channel::Shell, "m1").content["status"], "ok");
    client.outputs("m1");
    client.finish();
}

#[test]
fn a_parent_header_is_the_request_s_own() {
    let mut client = launch::here();
    let id = client.send(Channel::Shell, "kernel_info_request", json!({}));
    let reply = client.reply(Channel::Shell, &id);
    assert_eq!(reply.parent["date"], "2026-01-02T03:04:05+01:00");
    assert_eq!(reply.parent.get("subshell_id"), Some(&Value::Null));
    assert_ne!(reply.header["session"], reply.parent["session"]);
    client.outputs(&id);
    client.finish();
}
