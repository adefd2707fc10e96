//! What a future holds when there is no result.

use std::{any::Any, error::Error, fmt, sync::Arc};

use crate::{names, private::interrupt::Interrupted};

/// An error that many handles can share: what Python calls an exception, as a value.
///
/// Unlike a panic it does not unwind anything by itself. Unlike `Box<dyn Error>` it can be cloned,
/// because every handle of a failed [`Future`](super::Future) reports the same error, and it
/// remembers the name of its type.
///
/// ```
/// use interleave::concurrent::futures::Exception;
///
/// let error = "x".parse::<i32>().unwrap_err();
/// let exception = Exception::new(error);
/// assert_eq!(exception.type_name(), "ParseIntError");
/// assert_eq!(exception.to_string(), "invalid digit found in string");
///
/// assert_eq!(Exception::from("no route to host").type_name(), "Exception");
/// ```
#[derive(Clone)]
pub struct Exception {
    type_name: Arc<str>,
    error: Arc<dyn Error + Send + Sync>,
}

impl Exception {
    /// Takes any error, and remembers the last part of its type's name.
    ///
    /// Unlike the error itself, the exception can always be cloned:
    ///
    /// ```
    /// use interleave::concurrent::futures::Exception;
    /// use std::{fs, io};
    ///
    /// let error: io::Error = fs::read("/no/such/file").unwrap_err();
    /// let exception = Exception::new(error);
    /// assert_eq!(exception.clone().to_string(), exception.to_string());
    /// ```
    pub fn new(error: impl Error + Send + Sync + 'static) -> Exception {
        fn name_of<E>(_: &E) -> String {
            names::short_type::<E>()
        }
        Exception {
            type_name: name_of(&error).into(),
            error: Arc::new(error),
        }
    }

    /// What a panic said, under the type name `panic`.
    pub(crate) fn from_panic(payload: Box<dyn Any + Send>) -> Exception {
        if Interrupted::is_in(&*payload) {
            return Exception {
                type_name: "Interrupted".into(),
                ..Exception::from("its cell was interrupted")
            };
        }
        let message = match payload.downcast::<String>() {
            Ok(message) => *message,
            Err(payload) => match payload.downcast::<&str>() {
                Ok(message) => (*message).to_owned(),
                Err(_) => "a panic without a message".to_owned(),
            },
        };
        Exception {
            type_name: "panic".into(),
            error: Box::<dyn Error + Send + Sync>::from(message).into(),
        }
    }

    /// The name of the error's type, without its path: `ParseIntError`.
    ///
    /// `Exception` if it was made from text, `panic` if it was a panic.
    ///
    /// ```
    /// use interleave::concurrent::futures::{Exception, ThreadPoolExecutor};
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let job = executor.submit_fn(|| -> i32 { panic!("no such host") });
    /// assert_eq!(job.exception().unwrap().type_name(), "panic");
    /// assert_eq!(Exception::from("no such host").type_name(), "Exception");
    /// ```
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The error itself, if it is an `E`. This is Python's `except ValueError as error`.
    ///
    /// ```
    /// use interleave::concurrent::futures::Exception;
    /// use std::num::ParseIntError;
    ///
    /// let exception = Exception::new("x".parse::<i32>().unwrap_err());
    /// assert!(exception.downcast_ref::<ParseIntError>().is_some());
    /// assert!(exception.downcast_ref::<std::io::Error>().is_none());
    /// ```
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }
}

impl From<&str> for Exception {
    fn from(text: &str) -> Exception {
        Exception::from(text.to_owned())
    }
}

impl From<String> for Exception {
    fn from(text: String) -> Exception {
        let error: Box<dyn Error + Send + Sync> = text.into();
        Exception {
            type_name: "Exception".into(),
            error: error.into(),
        }
    }
}

impl Error for Exception {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// As Python shows it: `ValueError("no such host")`.
impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(&self.type_name)
            .field(&self.error.to_string())
            .finish()
    }
}

/// Why [`Future::result_timeout`](super::Future::result_timeout) has no result to give.
///
/// ```
/// use interleave::concurrent::futures::{Future, FutureError};
///
/// fn report(future: &Future<i32>) -> String {
///     match future.result_timeout(0.01) {
///         Ok(result) => format!("the result is {result}"),
///         Err(FutureError::Timeout) => "ask again later".into(),
///         Err(FutureError::Cancelled) => "given up".into(),
///         Err(FutureError::Exception(exception)) => format!("failed: {exception}"),
///     }
/// }
///
/// let future = Future::new();
/// assert_eq!(report(&future), "ask again later");
/// future.set_exception("no such host");
/// assert_eq!(report(&future), "failed: no such host");
/// ```
#[derive(Debug, Clone)]
pub enum FutureError {
    /// The time is over; the future may still finish later.
    Timeout,
    /// The future was cancelled, and will never have a result.
    Cancelled,
    /// The future failed, with this error.
    Exception(Exception),
}

impl Error for FutureError {}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FutureError::Timeout => f.write_str("TimeoutError"),
            FutureError::Cancelled => f.write_str("CancelledError"),
            FutureError::Exception(exception) => exception.fmt(f),
        }
    }
}
