"""What cells print, show and read."""

READ_LINE = "let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap();"


def test_a_part_of_a_line_appears_while_the_cell_runs(kernel):
    request = kernel.send(f'print!("partial"); {READ_LINE} println!(" whole");', allow_stdin=True)
    kernel.published_text(request, "partial")
    kernel.question(request)
    kernel.client.input("")
    assert kernel.finish(request).stdout == " whole\n"


def test_a_prompt_without_line_end_is_just_printed(kernel):
    cell = kernel.run('use std::io::Write; print!("> "); std::io::stdout().flush().unwrap();')
    assert (cell.stdout, cell.reply["status"]) == ("> ", "ok")


def test_markers_of_evcxr_are_just_printed(kernel):
    lines = [
        "EVCXR_EXECUTION_COMPLETE",
        "EVCXR_PANIC_NOTIFICATION",
        "EVCXR_BEGIN_CONTENT text/html",
        "EVCXR_END_CONTENT",
        "EVCXR_VARIABLE_CHANGED_TYPE:x",
    ]
    cell = kernel.run("".join(f'println!("{line}");' for line in lines) + "5")
    assert cell.stdout.splitlines() == lines
    assert (cell.value, cell.kinds) == ("5", ["stream", "execute_result"])


def test_streams_keep_their_order(kernel):
    cell = kernel.run('println!("a"); eprintln!("b"); println!("c");')
    streams = [(content["name"], content["text"]) for content in cell.contents("stream")]
    assert streams == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n")]


def test_parts_of_lines_keep_their_order_too(kernel):
    cell = kernel.run('print!("a"); eprint!("b"); print!("{}", "c"); eprintln!("d");')
    streams = [(content["name"], content["text"]) for content in cell.contents("stream")]
    assert streams == [("stdout", "a"), ("stderr", "b"), ("stdout", "c"), ("stderr", "d\n")]


def test_much_output_arrives_whole_and_before_the_reply(kernel):
    cell = kernel.run('for n in 0..50_000 { println!("line {n}"); }')
    assert cell.stdout == "".join(f"line {n}\n" for n in range(50_000))


def test_lines_of_threads_stay_whole(kernel):
    cell = kernel.run(
        "std::thread::scope(|scope| for name in [\"one\", \"two\", \"three\"] {\n"
        "    scope.spawn(move || for _ in 0..100 { println!(\"{name} {name}\"); });\n"
        "});"
    )
    assert sorted(cell.stdout.splitlines()) == sorted(["one one", "two two", "three three"] * 100)


def test_text_that_is_no_ascii_arrives(kernel):
    assert kernel.run('println!("并发 🦀 é");').stdout == "并发 🦀 é\n"


def test_programs_that_a_cell_starts_print_into_it(kernel):
    cell = kernel.run('std::process::Command::new("echo").arg("from a program").status().unwrap();')
    assert cell.stdout == "from a program\n"


def test_values_are_shown_by_their_debug_text(kernel):
    assert kernel.run("vec![Some(1), None]").value == "[Some(1), None]"
    assert kernel.run('"text"').value == '"text"'
    assert kernel.run("()").outputs == []
    assert kernel.run("let unused = 1;").outputs == []


def test_a_value_that_cannot_be_shown_is_an_error(kernel):
    assert kernel.run("struct Opaque;\nOpaque").error["ename"].startswith("E")


def test_displays_come_before_the_value(kernel):
    cell = kernel.run('display(&Html::from("<b>x</b>")); display_debug(&Some(1)); 7')
    assert cell.kinds == ["display_data", "display_data", "execute_result"]
    html, debug = cell.contents("display_data")
    assert html["data"] == {"text/html": "<b>x</b>", "text/plain": "<b>x</b>"}
    assert debug["data"] == {"text/plain": "Some(\n    1,\n)"}


def test_an_output_is_updated_in_its_place(kernel):
    cell = kernel.run('let shown = display(&Html::from("working")); shown.update(&Html::from("done"));')
    assert cell.kinds == ["display_data", "update_display_data"]
    first, second = (message["content"] for message in cell.outputs)
    assert first["transient"]["display_id"] == second["transient"]["display_id"]
    assert second["data"]["text/html"] == "done"


def test_an_output_is_updated_from_a_later_cell(kernel):
    cell = kernel.run('let later = display(&Html::from("one"));')
    [shown] = cell.contents("display_data")
    [update] = kernel.run('later.update(&Html::from("two"));').contents("update_display_data")
    assert update["transient"] == shown["transient"]


def test_displays_have_names_of_their_own(kernel):
    cell = kernel.run('display(&Html::from("a")); display(&Html::from("b"));')
    first, second = (content["transient"]["display_id"] for content in cell.contents("display_data"))
    assert first != second


def test_output_is_cleared(kernel):
    cell = kernel.run('println!("old"); clear_output(true); println!("new");')
    assert cell.kinds == ["stream", "clear_output", "stream"]
    assert cell.contents("clear_output") == [{"wait": True}]


def test_a_progress_bar_is_one_output_that_grows(kernel):
    cell = kernel.run('let bar = ProgressBar::new(2).label("work"); bar.inc(1); bar.finish();')
    assert cell.kinds == ["display_data", "update_display_data"]
    texts = [message["content"]["data"]["text/plain"] for message in cell.outputs]
    assert texts == ["work [#####     ] 50%", "work [##########] 100%"]
    assert len({message["content"]["transient"]["display_id"] for message in cell.outputs}) == 1


def test_a_type_says_how_it_is_shown(kernel):
    cell = kernel.run(
        "struct Colour(u8);\n"
        "impl Show for Colour {\n"
        "    fn show(&self) -> MimeBundle {\n"
        '        MimeBundle::text("a colour").with("text/html", format!("<i>{}</i>", self.0))\n'
        "    }\n"
        "}\n"
        "Colour(7)"
    )
    [result] = cell.contents("execute_result")
    assert result["data"] == {"text/plain": "a colour", "text/html": "<i>7</i>"}


def test_a_table_is_shown_as_html_and_text(kernel):
    [result] = kernel.run('Table::new(["n", "n²"]).row([2, 4])').contents("execute_result")
    assert "<td>4</td>" in result["data"]["text/html"]
    assert result["data"]["text/plain"].splitlines()[-1] == "2  4"


def test_a_cell_reads_lines_that_are_typed(kernel):
    code = f'print!("Name? "); {READ_LINE} println!("Hello, {{}}!", line.trim());'
    request = kernel.send(code, allow_stdin=True)
    assert kernel.question(request)["password"] is False
    kernel.client.input("Ferris 🦀")
    assert kernel.finish(request).stdout == "Name? Hello, Ferris 🦀!\n"


def test_output_of_a_thread_goes_to_the_cell_that_started_it(kernel):
    kernel.run("let (go, went) = std::sync::mpsc::channel::<()>();")
    prints_late = 'move || { went.recv().unwrap(); println!("late"); }'
    starter = kernel.send(f"let late = std::thread::spawn({prints_late});")
    assert "1 thread of this cell still runs" in str(kernel.finish(starter).outputs)
    assert kernel.run("go.send(()).unwrap(); late.join().unwrap();").outputs == []
    assert kernel.published(starter)["content"]["text"] == "late\n"
