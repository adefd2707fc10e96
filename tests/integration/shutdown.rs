//! The end of a kernel.

use std::sync::{Arc, Barrier};

use interleave_kernel::{
    evaluator::{
        Cell, Completions, Controls, Evaluator, Inspection, Interrupt, Outcome, OutputSink,
        scripted,
    },
    server::Signal,
};
use serde_json::json;

use crate::{
    client::{Channel, Client},
    launch,
};

fn shut_down(client: &mut Client, channel: Channel, restart: bool) {
    let id = client.send(channel, "shutdown_request", json!({"restart": restart}));
    let reply = client.reply(channel, &id).content;
    assert_eq!(reply, json!({"status": "ok", "restart": restart}));
    assert!(client.outputs(&id).is_empty());
}

#[test]
fn an_idle_kernel_ends_by_either_channel_and_says_whether_it_is_restarted() {
    for channel in [Channel::Shell, Channel::Control] {
        for restart in [false, true] {
            let mut client = launch::here();
            shut_down(&mut client, channel, restart);
            client.ended();
        }
    }
}

#[test]
fn a_busy_kernel_answers_everyone_before_it_ends() {
    let mut client = launch::here();
    let running = client.spin();
    let waiting = client.send_cell("print never");
    client.synchronize(Channel::Shell);
    shut_down(&mut client, Channel::Control, true);
    client.expect(&waiting, "status busy");
    client.expect(&waiting, "status idle");
    client.expect(&running, "error Interrupted");
    client.expect(&running, "status idle");
    let reply = client.reply(Channel::Shell, &waiting).content;
    assert_eq!(reply["status"], "aborted");
    let reply = client.reply(Channel::Shell, &running).content;
    assert_eq!(reply["ename"], "Interrupted");
    client.ended();
}

#[test]
fn a_cell_can_end_the_kernel() {
    let mut client = launch::here();
    let executed = client.execute("print bye\nquit");
    assert_eq!(executed.reply["status"], "ok");
    client.ended();
}

#[test]
fn a_wish_from_outside_ends_the_kernel() {
    let client = launch::here();
    client.kernel.wish(Signal::Stop);
    client.ended();
}

#[test]
fn the_program_ends_after_its_reply() {
    let client = launch::process();
    client.finish();
    let mut client = launch::process();
    client.execute("print hello");
    shut_down(&mut client, Channel::Shell, true);
    client.ended();
}

#[test]
fn sigterm_ends_the_program_in_order() {
    let mut client = launch::process();
    let cell = client.spin();
    client.kernel.signal(rustix::process::Signal::TERM);
    client.expect(&cell, "error Interrupted");
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.ended();
}

/// An evaluator that does not listen.
struct Stubborn(Arc<Barrier>);

impl Evaluator for Stubborn {
    fn execute(&mut self, _: &Cell, _: &OutputSink) -> Outcome {
        self.0.wait();
        Outcome::Finished
    }

    fn complete(&mut self, _: &str, _: usize) -> Completions {
        Completions::default()
    }

    fn inspect(&mut self, _: &str, _: usize) -> Option<Inspection> {
        None
    }
}

#[derive(Debug)]
struct Deaf;

impl Interrupt for Deaf {
    fn interrupt(&self) {}

    fn shut_down(&self) {}
}

#[test]
fn a_cell_that_does_not_end_is_left_behind() {
    let end = Arc::new(Barrier::new(2));
    let controls = Controls {
        interrupt: Arc::new(Deaf),
        is_complete: scripted::start().0.is_complete,
    };
    let evaluator = Arc::clone(&end);
    let factory = move || -> anyhow::Result<Box<dyn Evaluator>> {
        Ok(Box::new(Stubborn(Arc::clone(&evaluator))))
    };
    let mut client = launch::here_with((controls, Box::new(factory)), None);
    let cell = client.send_cell("");
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    shut_down(&mut client, Channel::Control, false);
    client.expect(&cell, "status idle");
    assert_eq!(
        client.reply(Channel::Shell, &cell).content["status"],
        "aborted"
    );
    client.ended();
    end.wait();
}
