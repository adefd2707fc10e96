//! iopub: who subscribes is told from when on nothing is missed, and gets what it asked for.

use serde_json::json;
use zeromq::{Socket, SocketRecv, SubSocket};

use crate::{
    client::{Client, RUNTIME},
    launch::{self, Kernel},
};

#[test]
fn every_subscription_is_welcomed() {
    let mut first = launch::here();
    // It waits for its own welcome when it connects.
    let second = Client::connect(first.connection.clone(), Kernel::Shared);
    // Both subscribed to everything, so the first hears the second one's welcome, too.
    let welcome = first.iopub();
    assert_eq!(welcome.kind(), "iopub_welcome");
    assert_eq!(welcome.topic, [b""]);
    second.disconnect();
    first.finish();
}

#[test]
fn a_topic_is_the_type_of_its_messages() {
    let mut client = launch::here();
    let mut streams = SubSocket::new();
    let url = client.connection.iopub_url();
    let subscribed = async {
        streams.connect(&url).await.unwrap();
        streams.subscribe("stream").await.unwrap();
        streams.recv().await.unwrap().into_vec()
    };
    let welcome = RUNTIME.block_on(subscribed);
    assert_eq!(welcome[0], "stream");
    assert_eq!(client.iopub().content, json!({"subscription": "stream"}));
    client.execute("result 1\nprint 2\nfail E 3");
    let next = RUNTIME.block_on(streams.recv()).unwrap();
    assert_eq!(next.get(0).unwrap(), "stream");
    client.finish();
}

#[test]
fn the_kernel_goes_on_when_a_subscriber_vanishes() {
    let mut first = launch::here();
    for _ in 0..3 {
        let second = Client::connect(first.connection.clone(), Kernel::Shared);
        second.disconnect();
        assert_eq!(first.iopub().kind(), "iopub_welcome");
        assert_eq!(first.execute("burst 100").reply["status"], "ok");
    }
    first.finish();
}

#[test]
fn the_kernel_goes_on_when_a_client_vanishes_before_its_reply() {
    let mut first = launch::here();
    let mut second = Client::connect(first.connection.clone(), Kernel::Shared);
    assert_eq!(first.iopub().kind(), "iopub_welcome");
    let cell = second.send_cell("input anyone?");
    // It was asked, and leaves without an answer.
    second.receive(crate::client::Channel::Stdin);
    second.disconnect();
    first.expect(&cell, "status busy");
    first.expect(&cell, "execute_input");
    first
        .kernel
        .wish(interleave_kernel::server::Signal::Interrupt);
    first.expect(&cell, "error Interrupted");
    first.expect(&cell, "status idle");
    assert_eq!(first.execute("print next").reply["status"], "ok");
    first.finish();
}
