//! The order of requests, and what becomes of those behind a failure.

use serde_json::json;

use crate::{client::Channel, launch};

#[test]
fn cells_behind_a_failed_one_are_not_run() {
    let mut client = launch::here();
    let failing = client.send_cell("input ready?\nfail E0308 mismatched types");
    let aborted = [
        client.send_cell("print never"),
        client.send_cell("print never"),
    ];
    let look = json!({"code": "print", "cursor_pos": 1});
    let inspected = client.send(Channel::Shell, "inspect_request", look);
    client.expect(&failing, "status busy");
    client.expect(&failing, "execute_input");
    // All of them are in the kernel's queue when this is answered.
    client.synchronize(Channel::Shell);
    let question = client.receive(Channel::Stdin);
    client.answer(&question, "input_reply", json!({"value": "yes"}));

    client.expect(&failing, "stream yes\n");
    client.expect(&failing, "error E0308");
    client.expect(&failing, "status idle");
    for cell in &aborted {
        client.expect(cell, "status busy");
        client.expect(cell, "status idle");
    }
    assert!(client.outputs(&inspected).is_empty());

    assert_eq!(
        client.reply(Channel::Shell, &failing).content["status"],
        "error"
    );
    for cell in &aborted {
        let reply = client.reply(Channel::Shell, cell).content;
        assert_eq!(reply["status"], "aborted");
        assert!(reply.get("ename").is_none());
    }
    let reply = client.reply(Channel::Shell, &inspected).content;
    assert_eq!(reply["found"], true);

    let next = client.execute("print next");
    assert_eq!(next.reply["status"], "ok");
    assert_eq!(next.reply["execution_count"], 2);
    client.finish();
}

#[test]
fn a_tolerated_failure_lets_the_next_cell_run() {
    let mut client = launch::here();
    let request = json!({"code": "fail E no", "stop_on_error": false});
    let failing = client.send(Channel::Shell, "execute_request", request);
    let next = client.send_cell("print next");
    client.outputs(&failing);
    client.outputs(&next);
    client.reply(Channel::Shell, &failing);
    assert_eq!(client.reply(Channel::Shell, &next).content["status"], "ok");
    client.finish();
}

#[test]
fn questions_about_the_kernel_do_not_wait_behind_a_cell() {
    let mut client = launch::here();
    let cell = client.spin();
    for channel in [Channel::Shell, Channel::Control] {
        client.ask(channel, "kernel_info_request", json!({}));
        client.ask(channel, "is_complete_request", json!({"code": "print"}));
        client.ask(channel, "comm_info_request", json!({}));
        let tail = json!({"hist_access_type": "tail", "n": 9, "output": false, "raw": true});
        client.ask(channel, "history_request", tail);
    }
    client.ask(Channel::Control, "interrupt_request", json!({}));
    client.expect(&cell, "error Interrupted");
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.finish();
}
