//! The prelude in an ordinary program: a timer, a future and an event loop.
//!
//! ```text
//! cargo run -p interleave --example plain
//! ```

use std::time::Instant;

use interleave::{
    asyncio,
    concurrent::futures::{Future, ThreadPoolExecutor},
    display::{Table, display},
    threading::Timer,
};

fn network_request_async(n: u64) -> Future<u64> {
    let future = Future::new();
    let to_fill = future.clone();
    Timer::new(0.1, move || to_fill.set_result(n * n)).start();
    future
}

async fn fetch_square(n: u64) -> u64 {
    network_request_async(n).await
}

fn main() {
    let start = Instant::now();

    let future = network_request_async(4);
    future.add_done_callback(|done| println!("callback: {}", done.result()));
    println!("{future}");
    println!("result: {}", future.result());
    println!("{future}");

    let event_loop = asyncio::get_event_loop();
    let squares = event_loop.run_until_complete(asyncio::gather([2, 3, 4].map(fetch_square)));
    println!("three requests at the same time: {squares:?}");

    let executor = ThreadPoolExecutor::new(3);
    let future = event_loop.run_in_executor(&executor, str::len, "hello");
    println!("{future:?}");
    let length = event_loop.run_until_complete(future);

    display(
        &Table::new(["what", "value"])
            .row(["length of hello", &length.to_string()])
            .row([
                "seconds for all of it",
                &format!("{:.1}", start.elapsed().as_secs_f64()),
            ]),
    );
}
