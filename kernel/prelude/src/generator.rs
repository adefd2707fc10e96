//! Generators: functions with a pause button, built from an async block.
//!
//! An `async` block can stop in the middle and be resumed, with its local variables kept. That is
//! all a generator needs. There is no waiting here and no executor: "pending" means "has yielded".

use std::{
    cell::RefCell,
    error::Error,
    fmt,
    iter::FusedIterator,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use interleave_protocol::{TaskKind, TaskName};

use crate::{
    names,
    trace::{self, Shown},
};

/// A function that yields values of type `Y`, and can be sent values of type `S` in between.
///
/// Unlike a thread it does not run by itself: it runs only inside [`send`](Generator::send) or
/// [`next`](Iterator::next), from one `yield_` to the next, on the caller's thread. Unlike a plain
/// iterator it takes values too.
///
/// # Examples
///
/// Taking values. The first `send` must be `None`: it runs to the first `yield_`, and nobody waits
/// for a value before.
///
/// ```
/// use interleave::{Generator, generator::Yielder};
///
/// fn parrot() -> Generator<(), &'static str> {
///     Generator::new(|co: Yielder<(), &'static str>| async move {
///         loop {
///             let msg = co.yield_(()).await;
///             println!("Parrot says: {}", msg.unwrap());
///         }
///     })
/// }
///
/// let mut polly = parrot();
/// let error = polly.send(Some("too early")).unwrap_err();
/// assert_eq!(error.to_string(), "TypeError: can't send non-None value to a just-started generator");
///
/// polly.send(None)?;
/// polly.send(Some("hello"))?;
/// polly.send(Some("world"))?;
/// # Ok::<(), interleave::generator::GeneratorError>(())
/// ```
///
/// Giving values, as an iterator:
///
/// ```
/// use interleave::{Generator, generator::Yielder};
///
/// let squares = Generator::new(|co: Yielder<u64, ()>| async move {
///     for n in 1.. {
///         co.yield_(n * n).await;
///     }
/// });
/// assert_eq!(squares.take(4).collect::<Vec<_>>(), [1, 4, 9, 16]);
/// ```
pub struct Generator<Y, S> {
    slot: Rc<RefCell<Slot<Y, S>>>,
    /// `None` once the body has returned, has panicked, or was closed.
    body: Option<Pin<Box<dyn Future<Output = ()>>>>,
    started: bool,
    name: String,
    /// Tells it from others in the lanes of a cell.
    id: u64,
}

/// What passes between the body and its caller.
struct Slot<Y, S> {
    yielded: Option<Y>,
    sent: Option<S>,
}

impl<Y, S> Generator<Y, S> {
    /// Makes a generator from a closure that takes a [`Yielder`] and returns an async block.
    ///
    /// Nothing of the block runs yet.
    ///
    /// ```
    /// use interleave::{Generator, generator::Yielder};
    ///
    /// fn countdown(from: u32) -> Generator<u32, ()> {
    ///     Generator::new(move |co: Yielder<u32, ()>| async move {
    ///         for n in (1..=from).rev() {
    ///             co.yield_(n).await;
    ///         }
    ///     })
    /// }
    ///
    /// assert!(format!("{:?}", countdown(3)).starts_with("<generator object countdown at 0x"));
    /// assert_eq!(countdown(3).collect::<Vec<_>>(), [3, 2, 1]);
    /// ```
    pub fn new<F, B>(body: F) -> Generator<Y, S>
    where
        F: FnOnce(Yielder<Y, S>) -> B,
        B: Future<Output = ()> + 'static,
    {
        let slot = Rc::new(RefCell::new(Slot {
            yielded: None,
            sent: None,
        }));
        let body = Box::pin(body(Yielder {
            slot: Rc::clone(&slot),
        }));
        let generator = Generator {
            slot,
            body: Some(body),
            started: false,
            name: names::function::<F>(),
            id: trace::new_id(),
        };
        trace::spawned(generator.task(), || generator.name.clone());
        generator
    }

    fn task(&self) -> TaskName {
        TaskName {
            kind: TaskKind::Generator,
            id: self.id,
        }
    }

    /// Resumes the body: the `yield_` it stopped at returns `value`. Returns what the next
    /// `yield_` gives.
    ///
    /// ```
    /// use interleave::{Generator, generator::Yielder};
    ///
    /// let mut total = Generator::new(|co: Yielder<i32, i32>| async move {
    ///     let mut sum = 0;
    ///     while let Some(n) = co.yield_(sum).await {
    ///         sum += n;
    ///     }
    /// });
    /// assert_eq!(total.send(None)?, 0); // To the first yield_.
    /// assert_eq!(total.send(Some(3))?, 3);
    /// assert_eq!(total.send(Some(4))?, 7);
    /// # Ok::<(), interleave::generator::GeneratorError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotStarted`](GeneratorError::NotStarted) if a value is sent before the first `yield_`;
    /// the generator is as it was. [`StopIteration`](GeneratorError::StopIteration) when the body
    /// returns, and ever after.
    ///
    /// # Panics
    ///
    /// When the body panics or awaits anything else than `yield_`. Either ends it.
    pub fn send(&mut self, value: Option<S>) -> Result<Y, GeneratorError> {
        if self.body.is_some() && !self.started && value.is_some() {
            return Err(GeneratorError::NotStarted);
        }
        // Taken out while it runs, so that a panic leaves a generator that has ended.
        let mut body = self.body.take().ok_or(GeneratorError::StopIteration)?;
        self.started = true;
        let mut visit = Visit::new(self.task(), value.as_ref());
        self.slot.borrow_mut().sent = value;
        match body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => Err(GeneratorError::StopIteration),
            Poll::Pending => {
                let yielded = self.slot.borrow_mut().yielded.take();
                let yielded = yielded.expect("the body of a generator can only await yield_");
                self.body = Some(body);
                Ok(visit.end_with(yielded))
            }
        }
    }

    /// Ends the generator where it stands: what the body owns is dropped, nothing more runs.
    ///
    /// Dropping the generator does the same.
    ///
    /// ```
    /// use interleave::{Generator, generator::Yielder};
    ///
    /// let mut ones = Generator::new(|co: Yielder<i32, ()>| async move {
    ///     loop {
    ///         co.yield_(1).await;
    ///     }
    /// });
    /// assert_eq!(ones.next(), Some(1));
    /// ones.close();
    /// assert_eq!(ones.next(), None);
    /// ```
    pub fn close(&mut self) {
        self.body = None;
    }
}

/// The thread runs the body while this lives.
struct Visit(Option<trace::Before>);

impl Visit {
    fn new<S>(generator: TaskName, sent: Option<&S>) -> Self {
        Self(Some(trace::enter(generator, Shown(sent))))
    }

    fn end_with<Y>(&mut self, yielded: Y) -> Y {
        if let Some(before) = self.0.take() {
            trace::leave(before, false, Shown(Some(&yielded)));
        }
        yielded
    }
}

/// The body has returned or has panicked.
impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            trace::leave(before, true, "");
        }
    }
}

/// Yields what the body yields; each `next` is a `send(None)`.
impl<Y, S> Iterator for Generator<Y, S> {
    type Item = Y;

    fn next(&mut self) -> Option<Y> {
        self.send(None).ok()
    }
}

impl<Y, S> FusedIterator for Generator<Y, S> {}

/// As Python shows it: `<generator object parrot at 0x7f…>`.
impl<Y, S> fmt::Debug for Generator<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<generator object {} at {:p}>",
            self.name,
            Rc::as_ptr(&self.slot)
        )
    }
}

/// The pause button that the body of a [`Generator`] is given.
///
/// A function that is given it can yield too, as with Python's `yield from`:
///
/// ```
/// use interleave::{Generator, generator::Yielder};
///
/// async fn yield_twice(co: &Yielder<i32, ()>, n: i32) {
///     co.yield_(n).await;
///     co.yield_(n).await;
/// }
///
/// let pairs = Generator::new(|co: Yielder<i32, ()>| async move {
///     yield_twice(&co, 1).await;
///     yield_twice(&co, 2).await;
/// });
/// assert_eq!(pairs.collect::<Vec<_>>(), [1, 1, 2, 2]);
/// ```
pub struct Yielder<Y, S> {
    slot: Rc<RefCell<Slot<Y, S>>>,
}

impl<Y, S> Yielder<Y, S> {
    /// Hands a value to the caller and pauses, until the caller resumes the generator.
    ///
    /// Returns what was sent: `Some` for `send(Some(value))`, `None` for `next()` and `send(None)`.
    /// Without `.await` nothing happens.
    ///
    /// ```
    /// use interleave::{Generator, generator::Yielder};
    ///
    /// let mut greeter = Generator::new(|co: Yielder<String, &'static str>| async move {
    ///     let name = co.yield_("Who is there?".into()).await;
    ///     co.yield_(format!("Hello, {}!", name.unwrap_or("nobody"))).await;
    /// });
    /// assert_eq!(greeter.next().unwrap(), "Who is there?");
    /// assert_eq!(greeter.send(Some("Ada")).unwrap(), "Hello, Ada!");
    /// ```
    pub async fn yield_(&self, value: Y) -> Option<S> {
        let mut value = Some(value);
        std::future::poll_fn(|_| match value.take() {
            None => Poll::Ready(()),
            value => {
                self.slot.borrow_mut().yielded = value;
                Poll::Pending
            }
        })
        .await;
        self.slot.borrow_mut().sent.take()
    }
}

impl<Y, S> fmt::Debug for Yielder<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<yielder>")
    }
}

/// Why [`Generator::send`] got no value.
///
/// ```
/// use interleave::{Generator, generator::{GeneratorError, Yielder}};
///
/// let mut once = Generator::new(|co: Yielder<&str, i32>| async move {
///     co.yield_("the only one").await;
/// });
/// assert_eq!(once.send(Some(7)), Err(GeneratorError::NotStarted));
/// assert_eq!(once.send(None), Ok("the only one"));
/// assert_eq!(once.send(Some(7)), Err(GeneratorError::StopIteration));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorError {
    /// A value was sent before the body has come to its first `yield_`.
    NotStarted,
    /// The body has returned.
    StopIteration,
}

impl Error for GeneratorError {}

/// Python's words for the same.
impl fmt::Display for GeneratorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GeneratorError::NotStarted => {
                "TypeError: can't send non-None value to a just-started generator"
            }
            GeneratorError::StopIteration => "StopIteration",
        })
    }
}
