//! Interrupts: by message, and by signal.

use interleave_kernel::server::Signal;
use serde_json::json;

use crate::{
    client::{Channel, Client},
    launch,
};

fn is_interrupted(client: &mut Client, cell: &str) {
    client.expect(cell, "error Interrupted");
    client.expect(cell, "status idle");
    let reply = client.reply(Channel::Shell, cell).content;
    assert_eq!(reply["status"], "error");
    assert_eq!(reply["ename"], "Interrupted");
}

#[test]
fn a_message_stops_the_cell_and_the_kernel_goes_on() {
    let mut client = launch::here();
    let cell = client.spin();
    let reply = client.ask(Channel::Control, "interrupt_request", json!({}));
    assert_eq!(reply, json!({"status": "ok"}));
    is_interrupted(&mut client, &cell);
    assert_eq!(client.execute("print next").reply["status"], "ok");
    client.finish();
}

#[test]
fn an_interrupt_of_nothing_does_nothing() {
    let mut client = launch::here();
    client.ask(Channel::Control, "interrupt_request", json!({}));
    assert_eq!(client.execute("print next").reply["status"], "ok");
    client.finish();
}

#[test]
fn a_wish_from_outside_stops_the_cell() {
    let mut client = launch::here();
    let cell = client.spin();
    client.kernel.wish(Signal::Interrupt);
    is_interrupted(&mut client, &cell);
    client.finish();
}

#[test]
fn sigint_stops_the_cell_and_not_the_program() {
    let mut client = launch::process();
    let cell = client.spin();
    client.kernel.signal(rustix::process::Signal::INT);
    is_interrupted(&mut client, &cell);
    assert_eq!(client.execute("print next").reply["status"], "ok");
    client.finish();
}
