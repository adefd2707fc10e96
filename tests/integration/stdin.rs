//! Input: a cell asks the front end that started it.

use serde_json::json;

use crate::{
    client::{Channel, Client},
    launch,
    message::Message,
};

/// Starts a cell and reads up to its first question.
fn asked(client: &mut Client, code: &str) -> (String, Message) {
    let cell = client.send_cell(code);
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    let question = client.reply(Channel::Stdin, &cell);
    assert_eq!(question.kind(), "input_request");
    (cell, question)
}

/// Reads the rest of a cell that prints `text`.
fn ends_with(client: &mut Client, cell: &str, summary: &str, status: &str) {
    client.expect(cell, summary);
    client.expect(cell, "status idle");
    assert_eq!(client.reply(Channel::Shell, cell).content["status"], status);
}

#[test]
fn what_is_typed_reaches_the_cell() {
    let mut client = launch::here();
    let (cell, question) = asked(&mut client, "input Your name? ");
    assert_eq!(
        question.content,
        json!({"prompt": "Your name? ", "password": false})
    );
    client.answer(
        &question,
        "input_reply",
        json!({"value": "Ferris 🦀", "status": "ok"}),
    );
    ends_with(&mut client, &cell, "stream Ferris 🦀\n", "ok");
    client.finish();
}

#[test]
fn an_answer_need_not_say_what_it_answers() {
    let mut client = launch::here();
    let (cell, question) = asked(&mut client, "password Secret: ");
    assert_eq!(
        question.content,
        json!({"prompt": "Secret: ", "password": true})
    );
    client.send(Channel::Stdin, "input_reply", json!({"value": "xyzzy"}));
    ends_with(&mut client, &cell, "stream xyzzy\n", "ok");
    client.finish();
}

#[test]
fn questions_come_one_after_the_other_and_stale_answers_are_ignored() {
    let mut client = launch::here();
    let (cell, first) = asked(&mut client, "input one\ninput two");
    client.answer(&first, "input_reply", json!({"value": "1"}));
    let second = client.reply(Channel::Stdin, &cell);
    assert_eq!(second.content["prompt"], "two");
    client.answer(&first, "input_reply", json!({"value": "a double click"}));
    client.answer(&second, "input_reply", json!({"value": "2"}));
    let mut text = String::new();
    while text != "1\n2\n" {
        let message = client.iopub();
        assert_eq!(message.parent_id(), cell);
        text += message.content["text"].as_str().unwrap();
        assert!("1\n2\n".starts_with(&text), "{text}");
    }
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.finish();
}

#[test]
fn what_was_printed_is_seen_before_the_question() {
    let mut client = launch::here();
    let cell = client.send_cell("write How many?\ninput");
    let question = client.reply(Channel::Stdin, &cell);
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    client.expect(&cell, "stream How many?");
    client.answer(&question, "input_reply", json!({"value": "3"}));
    ends_with(&mut client, &cell, "stream 3\n", "ok");
    client.finish();
}

#[test]
fn a_client_that_cannot_be_asked_is_not_asked() {
    let mut client = launch::here();
    let executed = client.execute_request(json!({"code": "input ?", "allow_stdin": false}));
    assert_eq!(executed.reply["ename"], "NoInput");
    let texts = executed
        .outputs
        .iter()
        .map(|output| &output.content["text"]);
    let said: String = texts.filter_map(|text| text.as_str()).collect();
    assert!(said.contains("this front end does not ask"), "{said}");
    client.finish();
}

#[test]
fn a_refused_question_has_no_answer() {
    let mut client = launch::here();
    let (cell, question) = asked(&mut client, "input ?");
    let refusal = json!({"status": "error", "ename": "E", "evalue": "", "traceback": []});
    client.answer(&question, "input_reply", refusal);
    ends_with(&mut client, &cell, "error NoInput", "error");
    client.finish();
}

#[test]
fn an_interrupt_takes_the_question_back() {
    let mut client = launch::here();
    let (cell, question) = asked(&mut client, "input ?");
    let interrupt = client.send(Channel::Control, "interrupt_request", json!({}));
    client.reply(Channel::Control, &interrupt);
    let mut rest = Vec::from_iter((0..4).map(|_| client.iopub()));
    rest.retain(|message| message.parent_id() == cell);
    let rest: Vec<_> = rest.iter().map(Message::summary).collect();
    assert_eq!(rest, ["error Interrupted", "status idle"]);
    client.reply(Channel::Shell, &cell);
    client.answer(&question, "input_reply", json!({"value": "too late"}));
    client.finish();
}
