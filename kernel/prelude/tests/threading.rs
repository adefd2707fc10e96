//! `Timer`: when it runs its function, and when not.

use std::{
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use interleave::threading::Timer;

#[test]
fn runs_on_a_named_thread_of_its_own_though_it_is_dropped() {
    let (sender, receiver) = mpsc::channel();
    Timer::new(0.01, move || {
        sender
            .send(thread::current().name().map(str::to_owned))
            .unwrap()
    })
    .start();
    assert!(receiver.recv().unwrap().unwrap().starts_with("Timer-"));
}

#[test]
fn every_kind_of_number_is_an_interval() {
    let (sender, receiver) = mpsc::channel();
    let send = |n: i32| {
        let sender = sender.clone();
        move || sender.send(n).unwrap()
    };
    Timer::new(0, send(1)).start();
    Timer::new(-1.0, send(2)).start();
    Timer::new(f64::NAN, send(3)).start();
    Timer::new(Duration::from_millis(1), send(4)).start();
    Timer::new(0_u64, send(5)).start();
    let mut arrived: Vec<i32> = receiver.iter().take(5).collect();
    arrived.sort();
    assert_eq!(arrived, [1, 2, 3, 4, 5]);
}

#[test]
fn its_state_is_shown_as_in_python() {
    let (to_timer, from_test) = mpsc::channel::<()>();
    let timer = Timer::new(0.0, move || from_test.recv().unwrap());
    let shown = |state: &str| {
        let text = format!("{timer:?}");
        text.starts_with("<Timer(Timer-") && text.ends_with(&format!(", {state})>"))
    };
    assert!(shown("initial") && !timer.is_alive());
    timer.start();
    assert!(shown("started") && timer.is_alive());
    to_timer.send(()).unwrap();
    timer.join();
    assert!(shown("stopped") && !timer.is_alive());
    timer.join(); // As often as you like.
}

#[test]
fn cancel_ends_an_endless_wait_and_drops_the_function() {
    for endless in [f64::INFINITY, 1e300, 3600.0] {
        let owned = Arc::new(());
        let in_timer = Arc::clone(&owned);
        let timer = Timer::new(endless, move || drop(in_timer));
        timer.start();
        timer.cancel();
        timer.join();
        assert_eq!(Arc::strong_count(&owned), 1);
    }
}

#[test]
fn a_timer_cancelled_before_its_start_never_calls() {
    let timer = Timer::new(0.0, || unreachable!());
    timer.cancel();
    timer.start();
    timer.join();
}

#[test]
fn cancel_does_not_stop_a_function_that_runs() {
    let barrier = Arc::new(Barrier::new(2));
    let (sender, receiver) = mpsc::channel();
    let in_timer = Arc::clone(&barrier);
    let timer = Timer::new(0.0, move || {
        in_timer.wait();
        in_timer.wait();
        sender.send("finished").unwrap();
    });
    timer.start();
    barrier.wait();
    timer.cancel();
    assert!(timer.is_alive());
    barrier.wait();
    assert_eq!(receiver.recv(), Ok("finished"));
}

#[test]
fn a_panic_stays_in_its_thread() {
    let timer = Timer::new(0.0, || panic!("on purpose"));
    timer.start();
    timer.join();
    assert!(!timer.is_alive());
}

#[test]
#[should_panic(expected = "threads can only be started once")]
fn starting_twice() {
    let timer = Timer::new(0.0, || ());
    timer.start();
    timer.start();
}

#[test]
#[should_panic(expected = "cannot join thread before it is started")]
fn joining_before_the_start() {
    Timer::new(0.0, || ()).join();
}

#[test]
fn joining_from_its_own_thread_is_a_panic_and_not_a_deadlock() {
    let (to_timer, from_test) = mpsc::channel::<Arc<Timer>>();
    let timer = Arc::new(Timer::new(0.0, move || from_test.recv().unwrap().join()));
    timer.start();
    to_timer.send(Arc::clone(&timer)).unwrap();
    timer.join();
}

#[test]
fn many_threads_may_join() {
    let timer = Arc::new(Timer::new(0.01, || ()));
    timer.start();
    let joiners: Vec<_> = (0..3)
        .map(|_| {
            let timer = Arc::clone(&timer);
            thread::spawn(move || timer.join())
        })
        .collect();
    joiners
        .into_iter()
        .for_each(|joiner| joiner.join().unwrap());
}
