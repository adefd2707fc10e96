//! The session alone: events in, actions out.

use serde_json::json;

use super::*;
use crate::{
    evaluator::Completions,
    wire::{Channel, Parent},
};

/// A session and the requests it got, numbered.
struct Bench {
    session: Session,
    sent: usize,
}

impl Bench {
    fn starting() -> Self {
        let session = Session::new(KernelInfo::default(), |_| Completeness::Complete);
        Self { session, sent: 0 }
    }

    fn ready() -> Self {
        let mut bench = Self::starting();
        let started = bench.event(Event::EvaluatorStarted(Ok(())));
        assert_eq!(started, ["status starting"]);
        bench
    }

    fn request(&mut self, msg_type: &str, content: serde_json::Value) -> Vec<String> {
        self.sent += 1;
        let incoming = Incoming {
            parent: Parent {
                header: format!("{}", self.sent).into(),
                ..Parent::default()
            },
            in_reply_to: None,
            request: Request::parse(msg_type, content.to_string().as_bytes()),
        };
        self.event(Event::Request(Channel::Shell, incoming))
    }

    fn execute(&mut self, code: &str) -> Vec<String> {
        self.request("execute_request", json!({"code": code}))
    }

    fn finish(&mut self, outcome: Outcome) -> Vec<String> {
        self.event(Event::Done(Done::Executed(Executed {
            outcome,
            result: None,
            page: None,
            expressions: [].into(),
        })))
    }

    fn event(&mut self, event: Event) -> Vec<String> {
        let actions = self.session.handle(event);
        actions.iter().map(describe).collect()
    }
}

/// An action in a word or two, with the number of the request it belongs to.
fn describe(action: &Action) -> String {
    match action {
        Action::Publish(None, content) => said(content),
        Action::Publish(Some(parent), content) => format!("{} {}", number(parent), said(content)),
        Action::Reply(to, content) => format!("{} {}", number(&to.parent), said(content)),
        Action::Evaluate(Job::Execute { cell, .. }) => format!("run [{}]", cell.number),
        Action::Evaluate(_) => "look".into(),
        Action::Interrupt => "interrupt".into(),
        Action::Record { line, .. } => format!("record {line}"),
        Action::RecordOutput { line, .. } => format!("record output {line}"),
        Action::SearchHistory(..) => "search".into(),
        Action::Stop => "stop".into(),
    }
}

fn number(parent: &Parent) -> String {
    String::from_utf8_lossy(&parent.header).into_owned()
}

fn said(content: &JupyterMessageContent) -> String {
    let json = serde_json::to_value(content).unwrap();
    let detail = json.get("status").or(json.get("execution_state"));
    match detail.and_then(|detail| detail.as_str()) {
        Some(detail) => format!("{} {detail}", content.message_type()),
        None => content.message_type().into(),
    }
}

fn mistake() -> Outcome {
    Outcome::Failed(failure("E0382", "use of moved value"))
}

#[test]
fn a_cell_is_announced_run_and_answered() {
    let mut bench = Bench::ready();
    assert_eq!(
        bench.execute("x"),
        ["1 status busy", "record 1", "1 execute_input", "run [1]"]
    );
    assert_eq!(
        bench.finish(Outcome::Finished),
        ["1 execute_reply ok", "1 status idle"]
    );
}

#[test]
fn every_request_but_work_is_answered_at_once_between_busy_and_idle() {
    let replies = [
        (
            "kernel_info_request",
            json!({}),
            Some("kernel_info_reply ok"),
        ),
        (
            "is_complete_request",
            json!({"code": ""}),
            Some("is_complete_reply complete"),
        ),
        ("comm_info_request", json!({}), Some("comm_info_reply ok")),
        (
            "comm_open",
            json!({"comm_id": "c", "target_name": "t"}),
            Some("comm_close"),
        ),
        ("comm_msg", json!({"comm_id": "c"}), None),
        ("comm_close", json!({"comm_id": "c"}), None),
        (
            "debug_request",
            json!({"command": "attach", "seq": 7}),
            Some("debug_reply"),
        ),
        (
            "execute_request",
            json!({"code": 7}),
            Some("execute_reply error"),
        ),
        ("inspect_request", json!([]), Some("inspect_reply error")),
        ("history_request", json!({}), Some("history_reply error")),
        ("dance_request", json!({}), None),
    ];
    let mut busy = Bench::ready();
    busy.execute("running");
    for bench in [&mut Bench::starting(), &mut busy] {
        bench.session.actions.clear();
        for (msg_type, content, reply) in &replies {
            let actions = bench.request(msg_type, content.clone());
            let number = bench.sent;
            let mut expected = vec![format!("{number} status busy")];
            expected.extend(reply.map(|reply| format!("{number} {reply}")));
            expected.push(format!("{number} status idle"));
            assert_eq!(actions, expected, "{msg_type}");
        }
    }
}

#[test]
fn work_waits_for_the_evaluator_and_for_its_turn() {
    let mut bench = Bench::starting();
    assert_eq!(bench.execute("x"), ["status starting"]);
    let look = json!({"code": "", "cursor_pos": 0});
    assert!(bench.request("complete_request", look).is_empty());
    assert_eq!(
        bench.event(Event::EvaluatorStarted(Ok(()))).last().unwrap(),
        "run [1]"
    );
    assert_eq!(
        bench.finish(Outcome::Finished),
        [
            "1 execute_reply ok",
            "1 status idle",
            "2 status busy",
            "look"
        ]
    );
    assert_eq!(
        bench.event(Event::Done(Done::Completed(Completions::default()))),
        ["2 complete_reply ok", "2 status idle"]
    );
}

#[test]
fn a_failure_aborts_the_cells_behind_it_and_nothing_else() {
    let mut bench = Bench::ready();
    bench.execute("wrong");
    bench.execute("aborted");
    bench.request("inspect_request", json!({"code": "", "cursor_pos": 0}));
    bench.execute("aborted");
    assert_eq!(
        bench.finish(mistake()),
        [
            "1 error",
            "1 execute_reply error",
            "1 status idle",
            "2 status busy",
            "2 execute_reply aborted",
            "2 status idle",
            "4 status busy",
            "4 execute_reply aborted",
            "4 status idle",
            "3 status busy",
            "look",
        ]
    );
}

#[test]
fn a_tolerated_failure_aborts_nothing() {
    let mut bench = Bench::ready();
    bench.request(
        "execute_request",
        json!({"code": "", "stop_on_error": false}),
    );
    bench.execute("next");
    assert_eq!(bench.finish(mistake()).last().unwrap(), "run [2]");
}

#[test]
fn silent_cells_and_those_without_history_do_not_count() {
    let mut bench = Bench::ready();
    let silent = json!({"code": "", "silent": true});
    assert_eq!(
        bench.request("execute_request", silent),
        ["1 status busy", "run [0]"]
    );
    assert_eq!(
        bench.finish(mistake()),
        ["1 execute_reply error", "1 status idle"]
    );
    let unstored = json!({"code": "", "store_history": false});
    assert_eq!(
        bench.request("execute_request", unstored),
        ["2 status busy", "2 execute_input", "run [0]"]
    );
    bench.finish(Outcome::Finished);
    assert_eq!(bench.execute("").last().unwrap(), "run [1]");
}

#[test]
fn a_panic_is_answered_and_work_waits_for_the_next_evaluator() {
    let mut bench = Bench::ready();
    bench.request(
        "execute_request",
        json!({"code": "", "stop_on_error": false}),
    );
    bench.execute("next");
    let message = "index out of bounds".into();
    assert_eq!(
        bench.event(Event::Done(Done::Panicked { message })),
        ["1 error", "1 execute_reply error", "1 status idle"]
    );
    assert_eq!(
        bench.event(Event::EvaluatorStarted(Ok(()))).last().unwrap(),
        "run [2]"
    );
}

#[test]
fn without_an_evaluator_each_cell_fails() {
    let mut bench = Bench::starting();
    bench.execute("waiting");
    let reason = Err("cargo is not installed".into());
    let expected = [
        "1 status busy",
        "record 1",
        "1 execute_input",
        "1 error",
        "1 execute_reply error",
        "1 status idle",
    ];
    assert_eq!(bench.event(Event::EvaluatorStarted(reason)), expected);
    assert_eq!(bench.execute("later").last().unwrap(), "2 status idle");
}

#[test]
fn an_interrupt_during_start_up_gives_up_what_waits() {
    let mut bench = Bench::starting();
    bench.execute("waiting");
    assert_eq!(
        bench.event(Event::Interrupt),
        [
            "interrupt",
            "1 status busy",
            "1 execute_reply aborted",
            "1 status idle"
        ]
    );
}

#[test]
fn a_shutdown_answers_everyone_and_stops_once() {
    let mut bench = Bench::ready();
    bench.execute("running");
    bench.execute("waiting");
    assert_eq!(
        bench.request("shutdown_request", json!({"restart": true})),
        [
            "3 status busy",
            "3 shutdown_reply ok",
            "3 status idle",
            "2 status busy",
            "2 execute_reply aborted",
            "2 status idle",
            "stop",
        ]
    );
    assert!(bench.event(Event::Stop).is_empty());
    assert!(bench.execute("too late").is_empty());
    assert_eq!(
        bench.event(Event::EvaluatorGone),
        ["1 execute_reply aborted", "1 status idle"]
    );
}

#[test]
fn quitting_is_a_success_and_the_end() {
    let mut bench = Bench::ready();
    bench.execute(":quit");
    assert_eq!(
        bench.finish(Outcome::Quit),
        ["1 execute_reply ok", "1 status idle", "stop"]
    );
}
