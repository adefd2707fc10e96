//! Cells: what is shown, what is replied, what counts.

use std::sync::mpsc;

use interleave_kernel::evaluator::{Evaluator, scripted};
use serde_json::{Value, json};

use crate::{
    client::{Channel, Executed},
    launch,
    message::Message,
};

fn summaries(outputs: &[Message]) -> Vec<String> {
    outputs.iter().map(Message::summary).collect()
}

fn content<'a>(executed: &'a Executed, kind: &str) -> &'a Value {
    let found = executed.outputs.iter().find(|output| output.kind() == kind);
    &found.expect("the output was shown").content
}

#[test]
fn the_first_cell_is_number_one_and_its_code_is_shown_to_all() {
    let mut client = launch::here();
    let first = client.execute("print one");
    assert_eq!(summaries(&first.outputs), ["execute_input", "stream one\n"]);
    assert_eq!(
        *content(&first, "execute_input"),
        json!({"code": "print one", "execution_count": 1})
    );
    assert_eq!(
        first.reply,
        json!({"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}})
    );
    assert_eq!(client.execute("").reply["execution_count"], 2);
    client.finish();
}

#[test]
fn a_value_carries_the_number_of_its_cell() {
    let mut client = launch::here();
    let text = client.execute("result 4");
    assert_eq!(
        *content(&text, "execute_result"),
        json!({"execution_count": 1, "data": {"text/plain": "4"}, "metadata": {}, "transient": {}})
    );
    let json = client.execute(r#"result application/vnd.dataresource+json {"data": [1]}"#);
    assert_eq!(
        content(&json, "execute_result")["data"],
        json!({"application/vnd.dataresource+json": {"data": [1]}})
    );
    client.finish();
}

#[test]
fn displays_can_be_updated_and_cleared() {
    let mut client = launch::here();
    let executed = client.execute("display d 0%\nprint working\nclear wait\nupdate d 100%\nclear");
    assert_eq!(
        summaries(&executed.outputs),
        [
            "execute_input",
            "display_data",
            "stream working\n",
            "clear_output",
            "update_display_data",
            "clear_output"
        ]
    );
    let bundle = |text| json!({"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": "d"}});
    assert_eq!(executed.outputs[1].content, bundle("0%"));
    assert_eq!(executed.outputs[3].content, json!({"wait": true}));
    assert_eq!(executed.outputs[4].content, bundle("100%"));
    assert_eq!(executed.outputs[5].content, json!({"wait": false}));
    client.finish();
}

#[test]
fn a_failure_is_shown_and_replied_with_all_its_words() {
    let mut client = launch::here();
    let executed = client.execute("print before\nfail E0382 use of moved value\nprint after");
    assert_eq!(
        summaries(&executed.outputs),
        ["execute_input", "stream before\n", "error E0382"]
    );
    let mut words = json!({
        "ename": "E0382",
        "evalue": "use of moved value",
        "traceback": ["E0382: use of moved value"],
    });
    assert_eq!(*content(&executed, "error"), words);
    words["status"] = "error".into();
    words["execution_count"] = 1.into();
    words["payload"] = json!([]);
    words["user_expressions"] = json!({});
    assert_eq!(executed.reply, words);
    client.finish();
}

#[test]
fn a_silent_cell_shows_nothing_and_does_not_count() {
    let mut client = launch::here();
    let code = "print a\nresult b\ndisplay c d\nfail E f";
    let silent = client.execute_request(json!({"code": code, "silent": true}));
    assert!(silent.outputs.is_empty(), "{:?}", silent.outputs);
    assert_eq!(silent.reply["status"], "error");
    assert_eq!(silent.reply["execution_count"], 0);
    let unstored = client.execute_request(json!({"code": "print a", "store_history": false}));
    assert_eq!(
        summaries(&unstored.outputs),
        ["execute_input", "stream a\n"]
    );
    assert_eq!(unstored.reply["execution_count"], 0);
    assert_eq!(client.execute("").reply["execution_count"], 1);
    client.finish();
}

#[test]
fn user_expressions_are_evaluated_silently_after_the_cell() {
    let mut client = launch::here();
    let expressions = json!({"good": "print unseen\nresult 7", "bad": "fail E no", "none": ""});
    let request = json!({"code": "print seen", "user_expressions": expressions});
    let executed = client.execute_request(request.clone());
    assert_eq!(
        summaries(&executed.outputs),
        ["execute_input", "stream seen\n"]
    );
    let error = json!({"status": "error", "ename": "E", "evalue": "no", "traceback": ["E: no"]});
    assert_eq!(
        executed.reply["user_expressions"],
        json!({
            "good": {"status": "ok", "data": {"text/plain": "7"}, "metadata": {}},
            "bad": error,
            "none": {"status": "ok", "data": {}, "metadata": {}},
        })
    );
    client.finish();
}

#[test]
fn the_kernel_outlives_a_panic_of_its_evaluator() {
    let mut client = launch::here();
    let executed = client.execute("print before\npanic");
    assert_eq!(
        summaries(&executed.outputs),
        ["execute_input", "stream before\n", "error KernelPanic"]
    );
    assert_eq!(executed.reply["ename"], "KernelPanic");
    let words = executed.reply["evalue"].as_str().unwrap();
    assert!(words.contains("the script asked for it"), "{words}");
    let next = client.execute("print alive");
    assert_eq!(
        summaries(&next.outputs),
        ["execute_input", "stream alive\n"]
    );
    assert_eq!(next.reply["execution_count"], 2);
    client.finish();
}

#[test]
fn each_cell_says_why_there_is_no_evaluator() {
    let (controls, _) = scripted::start();
    let factory = || Err(anyhow::anyhow!("permission denied").context("cannot run cargo"));
    let mut client = launch::here_with((controls, Box::new(factory)), None);
    for number in 1..3 {
        let executed = client.execute("print hello");
        assert_eq!(
            summaries(&executed.outputs),
            ["execute_input", "error EvaluatorUnavailable"]
        );
        assert_eq!(executed.reply["ename"], "EvaluatorUnavailable");
        assert_eq!(
            executed.reply["evalue"],
            "cannot run cargo: permission denied"
        );
        assert_eq!(executed.reply["execution_count"], number);
    }
    client.finish();
}

#[test]
fn the_kernel_answers_before_its_evaluator_is_ready() {
    let (controls, mut build) = scripted::start();
    let (release, released) = mpsc::channel::<()>();
    let factory = move || -> anyhow::Result<Box<dyn Evaluator>> {
        released.recv()?;
        build()
    };
    let mut client = launch::here_with((controls, Box::new(factory)), None);
    let cell = client.send_cell("print at last");
    let info = client.ask(Channel::Shell, "kernel_info_request", json!({}));
    assert_eq!(info["status"], "ok");
    release.send(()).unwrap();
    assert_eq!(
        summaries(&client.outputs(&cell)),
        ["execute_input", "stream at last\n"]
    );
    client.reply(Channel::Shell, &cell);
    client.finish();
}
