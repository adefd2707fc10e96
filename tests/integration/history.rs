//! History, in one run and across runs.

use serde_json::{Value, json};

use crate::{
    client::{Channel, Client},
    launch,
};

fn history(client: &mut Client, request: Value) -> Value {
    let reply = client.ask(Channel::Shell, "history_request", request);
    assert_eq!(reply["status"], "ok");
    reply["history"].clone()
}

fn example(client: &mut Client) {
    for code in ["result 4", "print 并发", "print 并发", "fail E no"] {
        client.execute(code);
    }
    client.execute_request(json!({"code": "print unstored", "store_history": false}));
    client.execute_request(json!({"code": "print silent", "silent": true}));
}

#[test]
fn the_tail_holds_what_counted_with_its_values() {
    let mut client = launch::here();
    example(&mut client);
    let request =
        |n, output| json!({"hist_access_type": "tail", "n": n, "output": output, "raw": true});
    assert_eq!(
        history(&mut client, request(2, false)),
        json!([[1, 3, "print 并发"], [1, 4, "fail E no"]])
    );
    assert_eq!(
        history(&mut client, request(9, true)),
        json!([
            [1, 1, ["result 4", "4"]],
            [1, 2, ["print 并发", null]],
            [1, 3, ["print 并发", null]],
            [1, 4, ["fail E no", null]],
        ])
    );
    client.finish();
}

#[test]
fn a_range_is_half_open_and_a_search_matches_a_pattern() {
    let mut client = launch::here();
    example(&mut client);
    // As jupyter_client sends it: what is not given is left out.
    let range = json!({"hist_access_type": "range", "session": 0, "start": 2, "stop": 4,
        "output": false, "raw": true});
    let found = json!([[1, 2, "print 并发"], [1, 3, "print 并发"]]);
    assert_eq!(history(&mut client, range), found);
    let mut search = json!({"hist_access_type": "search", "pattern": "print*", "output": false,
        "raw": true});
    assert_eq!(history(&mut client, search.clone()), found);
    search["unique"] = true.into();
    assert_eq!(
        history(&mut client, search.clone()),
        json!([[1, 3, "print 并发"]])
    );
    search["pattern"] = "*[4o]".into();
    search["n"] = 1.into();
    assert_eq!(history(&mut client, search), json!([[1, 4, "fail E no"]]));
    client.finish();
}

#[test]
fn a_file_keeps_it_for_the_next_kernel() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("history.sqlite");
    let mut first = launch::here_with_history(&file);
    first.execute("print one");
    first.finish();
    let mut second = launch::here_with_history(&file);
    second.execute("print two");
    let tail = json!({"hist_access_type": "tail", "n": 9, "output": false, "raw": true});
    assert_eq!(
        history(&mut second, tail),
        json!([[1, 1, "print one"], [2, 1, "print two"]])
    );
    second.finish();
}
