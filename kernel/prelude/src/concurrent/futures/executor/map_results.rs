//! `MapResults`: what `map` returns.

use std::{iter::FusedIterator, vec};

use crate::concurrent::futures::Future;

/// The iterator that [`ThreadPoolExecutor::map`](super::ThreadPoolExecutor::map) returns.
///
/// Its `next` blocks until the next result in order is there, and panics if that job did. Unlike
/// [`as_completed`](super::super::as_completed) it makes a quick job wait for a slow one before it.
///
/// ```
/// use interleave::concurrent::futures::ThreadPoolExecutor;
///
/// let executor = ThreadPoolExecutor::new(2);
/// let mut lengths = executor.map(str::len, ["one", "three"]);
/// assert_eq!(lengths.len(), 2); // So many are still to come.
/// assert_eq!(lengths.next(), Some(3));
/// assert_eq!(lengths.len(), 1);
/// ```
#[derive(Debug)]
pub struct MapResults<T> {
    futures: vec::IntoIter<Future<T>>,
}

impl<T> MapResults<T> {
    pub(super) fn new(futures: Vec<Future<T>>) -> MapResults<T> {
        MapResults {
            futures: futures.into_iter(),
        }
    }
}

impl<T> Iterator for MapResults<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        match self.futures.next()?.take_outcome() {
            Some(Ok(result)) => Some(result),
            Some(Err(exception)) => panic!("{exception}"),
            None => unreachable!("only this iterator has the future, and does not cancel it"),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.futures.size_hint()
    }
}

impl<T> ExactSizeIterator for MapResults<T> {}
impl<T> FusedIterator for MapResults<T> {}
