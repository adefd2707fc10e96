//! The rules of `send`, `next` and `close`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use interleave::{
    Generator, asyncio,
    generator::{GeneratorError, Yielder},
};

fn running_sum() -> Generator<i32, i32> {
    Generator::new(|co: Yielder<i32, i32>| async move {
        let mut sum = 0;
        while let Some(n) = co.yield_(sum).await {
            sum += n;
        }
    })
}

#[test]
fn nothing_runs_before_the_first_send() {
    let mut untouched = Generator::<(), ()>::new(|_| async { panic!("on purpose") });
    assert_eq!(untouched.send(Some(())), Err(GeneratorError::NotStarted));
    assert!(catch_unwind(AssertUnwindSafe(|| untouched.send(None))).is_err());
    assert_eq!(
        untouched.send(None),
        Err(GeneratorError::StopIteration),
        "a panic ends it"
    );
}

#[test]
fn values_pass_both_ways_and_locals_survive() {
    let mut sum = running_sum();
    assert_eq!(sum.send(Some(5)), Err(GeneratorError::NotStarted));
    assert_eq!(sum.send(None), Ok(0));
    assert_eq!(sum.send(Some(5)), Ok(5));
    assert_eq!(sum.send(Some(6)), Ok(11));
    assert_eq!(
        sum.next(),
        None,
        "a plain next sends None, at which this body returns"
    );
    assert_eq!(sum.send(Some(1)), Err(GeneratorError::StopIteration));
    assert_eq!(GeneratorError::StopIteration.to_string(), "StopIteration");
}

#[test]
fn a_value_is_sent_to_one_yield_only() {
    let mut echo = Generator::new(|co: Yielder<Option<&str>, &str>| async move {
        let mut last = None;
        loop {
            last = co.yield_(last).await;
        }
    });
    assert_eq!(echo.send(None), Ok(None));
    assert_eq!(echo.send(Some("hello")), Ok(Some("hello")));
    assert_eq!(echo.send(None), Ok(None));
}

#[test]
fn close_and_drop_free_what_the_body_owns() {
    let owned = Rc::new(());
    let ones = |owned: Rc<()>| {
        Generator::new(|co: Yielder<i32, ()>| async move {
            loop {
                co.yield_(Rc::strong_count(&owned) as i32).await;
            }
        })
    };
    let mut closed = ones(Rc::clone(&owned));
    assert_eq!(closed.next(), Some(2));
    closed.close();
    assert_eq!(Rc::strong_count(&owned), 1);
    assert_eq!(closed.send(None), Err(GeneratorError::StopIteration));
    assert_eq!(closed.send(Some(())), Err(GeneratorError::StopIteration));
    drop(ones(Rc::clone(&owned)));
    assert_eq!(Rc::strong_count(&owned), 1);
}

#[test]
#[should_panic(expected = "the body of a generator can only await yield_")]
fn a_generator_cannot_sleep() {
    let mut sleepy = Generator::<(), ()>::new(|_| async { asyncio::sleep(0.01).await });
    let _ = sleepy.send(None);
}

#[test]
fn a_yield_without_await_yields_nothing() {
    let mut forgetful = Generator::<i32, ()>::new(|co| async move {
        drop(co.yield_(1));
        co.yield_(2).await;
    });
    assert_eq!(forgetful.next(), Some(2));
}

#[test]
fn a_generator_may_drive_another() {
    let mut outer = Generator::new(|co: Yielder<i32, ()>| async move {
        let mut inner = running_sum();
        inner.send(None).unwrap();
        for n in 1..=3 {
            co.yield_(inner.send(Some(n)).unwrap()).await;
        }
    });
    assert_eq!(outer.by_ref().collect::<Vec<_>>(), [1, 3, 6]);
    assert_eq!(outer.next(), None);
}

#[test]
fn it_is_shown_as_in_python() {
    assert!(format!("{:?}", running_sum()).starts_with("<generator object running_sum at 0x"));
}
