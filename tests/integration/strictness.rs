//! The client itself: it fails when it should.

use serde_json::json;

use crate::{
    client::Channel,
    launch,
    message::{Message, frames},
};

#[test]
#[should_panic(expected = "left unread on iopub")]
fn an_output_that_nobody_read_fails_the_test() {
    let mut client = launch::here();
    let cell = client.send_cell("print unread");
    client.reply(Channel::Shell, &cell);
    let shutdown = client.send(Channel::Control, "shutdown_request", json!({}));
    client.reply(Channel::Control, &shutdown);
    client.ended();
}

#[test]
#[should_panic(expected = "another request")]
fn a_reply_without_its_outputs_fails_the_test() {
    let mut client = launch::here();
    let cell = client.send_cell("print unread");
    client.reply(Channel::Shell, &cell);
    client.outputs("another request");
}

#[test]
#[should_panic(expected = "the test has to call finish()")]
fn a_client_that_is_forgotten_fails_the_test() {
    launch::here();
}

#[test]
#[should_panic(expected = "signature")]
fn a_message_signed_with_another_key_fails_the_test() {
    let parts = ["{}"; 4].map(|part| part.as_bytes().to_vec());
    Message::check(&frames("another", &parts), "key");
}
