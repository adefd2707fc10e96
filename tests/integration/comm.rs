//! Comms: this kernel has none, and says so.

use serde_json::json;

use crate::{client::Channel, launch};

#[test]
fn an_opened_comm_is_closed_at_once() {
    let mut client = launch::here();
    let open = json!({"comm_id": "c1", "target_name": "jupyter.widget", "data": {}});
    let id = client.send(Channel::Shell, "comm_open", open);
    let [close] = &client.outputs(&id)[..] else {
        panic!("not one message");
    };
    assert_eq!(close.kind(), "comm_close");
    assert_eq!(close.content, json!({"comm_id": "c1", "data": {}}));
    for (msg_type, content) in [
        ("comm_msg", json!({"comm_id": "c1", "data": {"x": 1}})),
        ("comm_close", json!({"comm_id": "c1", "data": {}})),
    ] {
        let id = client.send(Channel::Shell, msg_type, content);
        assert!(client.outputs(&id).is_empty());
    }
    client.finish();
}

#[test]
fn no_comm_is_open() {
    let mut client = launch::here();
    for content in [json!({}), json!({"target_name": "jupyter.widget"})] {
        assert_eq!(
            client.ask(Channel::Shell, "comm_info_request", content),
            json!({"status": "ok", "comms": {}})
        );
    }
    client.finish();
}
