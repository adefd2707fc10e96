//! Standard output and standard error.

use crate::{client::Channel, launch, message::Message};

/// The streams that were shown, neighbours of the same kind joined as a front end does.
fn joined(outputs: &[Message]) -> Vec<(String, String)> {
    let mut streams: Vec<(String, String)> = Vec::new();
    for output in outputs.iter().filter(|output| output.kind() == "stream") {
        let [name, text] = ["name", "text"].map(|key| output.content[key].as_str().unwrap());
        match streams.last_mut() {
            Some((last, all)) if last == name => all.push_str(text),
            _ => streams.push((name.into(), text.into())),
        }
    }
    streams
}

#[test]
fn the_two_streams_keep_their_order() {
    let mut client = launch::here();
    let executed = client.execute("print 1\neprint 2\nprint 3\nwrite a\nwrite b\neprint 4");
    let expected = [
        ("stdout", "1\n"),
        ("stderr", "2\n"),
        ("stdout", "3\nab"),
        ("stderr", "4\n"),
    ];
    let expected = expected.map(|(name, text)| (name.into(), text.into()));
    assert_eq!(joined(&executed.outputs), expected);
    client.finish();
}

#[test]
fn text_without_a_line_end_appears_while_the_cell_runs() {
    let mut client = launch::here();
    let cell = client.send_cell("write working…\nspin");
    client.expect(&cell, "status busy");
    client.expect(&cell, "execute_input");
    client.expect(&cell, "stream working…");
    client.ask(Channel::Control, "interrupt_request", serde_json::json!({}));
    client.expect(&cell, "error Interrupted");
    client.expect(&cell, "status idle");
    client.reply(Channel::Shell, &cell);
    client.finish();
}

#[test]
fn many_lines_come_whole_in_few_messages() {
    let mut client = launch::here();
    let executed = client.execute("burst 20000");
    let expected: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    let [(name, text)] = &joined(&executed.outputs)[..] else {
        panic!("more than one stream");
    };
    assert_eq!(name, "stdout");
    assert!(*text == expected, "lines were lost or changed");
    assert!(executed.outputs.len() < 1000, "{}", executed.outputs.len());
    client.finish();
}

#[test]
fn long_text_is_cut_between_characters() {
    let mut client = launch::here();
    let line = "并发🦀".repeat(50_000);
    let executed = client.execute(&format!("print {line}"));
    assert!(executed.outputs.len() > 2);
    assert_eq!(joined(&executed.outputs), [("stdout".into(), line + "\n")]);
    client.finish();
}

#[test]
fn a_thread_that_prints_late_prints_into_its_own_cell() {
    let mut client = launch::here();
    let first = client.execute("late from the first cell").id;
    let second = client.send_cell("print before\nrelease\nprint after");
    client.expect(&second, "status busy");
    client.expect(&second, "execute_input");
    client.expect(&second, "stream before\n");
    client.expect(&first, "stream from the first cell\n");
    client.expect(&second, "stream after\n");
    client.expect(&second, "status idle");
    client.reply(Channel::Shell, &second);
    client.finish();
}
