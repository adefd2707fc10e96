//! A thousand interrupts at moments by chance. Each cell has its reply and its idle, and the kernel
//! goes on.
//!
//! A failure names its seed; `INTERLEAVE_RANDOM_SEED=… cargo test --test integration random` repeats it.

use fastrand::Rng;
use interleave_kernel::server::Signal;
use serde_json::Value;

use crate::{
    client::{Channel, Client},
    launch,
};

const INTERRUPTS: u32 = 1000;

/// Runs until it is interrupted.
const SPINS: &str = "print started\nspin";
const CELLS: [&str; 6] = [
    SPINS,
    SPINS,
    "print a\nprint b\nresult 1",
    "burst 20",
    "fail E0425 no",
    "panic",
];

#[test]
fn interrupts_at_random_moments_lose_no_reply_and_no_idle() {
    let seed = std::env::var("INTERLEAVE_RANDOM_SEED").map(|seed| seed.parse().expect("a number"));
    let seed = seed.unwrap_or_else(|_| fastrand::u64(..));
    println!("repeat it with INTERLEAVE_RANDOM_SEED={seed}");
    let mut chance = Rng::with_seed(seed);
    let mut client = launch::here();
    let mut interrupts = 0;
    let mut count = 0;
    while interrupts < INTERRUPTS {
        let batch: Vec<&str> = (0..chance.usize(1..4))
            .map(|_| CELLS[chance.usize(..CELLS.len())])
            .collect();
        let ids: Vec<String> = batch.iter().map(|code| client.send_cell(code)).collect();
        for id in &ids {
            interrupts += read_and_interrupt(&mut client, id, &mut chance);
        }
        for (code, id) in batch.iter().zip(&ids) {
            let reply = client.reply(Channel::Shell, id).content;
            if reply["status"] != "aborted" {
                count += 1;
                assert_eq!(reply["execution_count"], count, "{reply}");
                check(code, &reply);
            }
        }
    }
    // What was asked for last may come late.
    while client.execute("print next").reply["status"] != "ok" {}
    client.finish();
}

/// Reads what a cell publishes, and interrupts before some of it. Gives how often.
fn read_and_interrupt(client: &mut Client, id: &str, chance: &mut Rng) -> u32 {
    let mut interrupts = 0;
    client.expect(id, "status busy");
    loop {
        if chance.u8(..4) == 0 {
            client.kernel.wish(Signal::Interrupt);
            interrupts += 1;
        }
        let message = client.iopub();
        assert_eq!(message.parent_id(), id, "{message:?}");
        match message.summary().as_str() {
            "status idle" => return interrupts,
            "stream started\n" => {
                client.kernel.wish(Signal::Interrupt);
                interrupts += 1;
            }
            _ => {}
        }
    }
}

/// Checks that the cell ended as it can.
fn check(code: &str, reply: &Value) {
    let ended = reply["ename"].as_str().unwrap_or("ok");
    match code {
        SPINS => assert_eq!(ended, "Interrupted", "{reply}"),
        "panic" => assert_eq!(reply["status"], "error", "{reply}"),
        _ if code.starts_with("fail") => assert_eq!(ended, "E0425", "{reply}"),
        _ => assert_eq!(ended, "ok", "{reply}"),
    }
}
