//! Python's package `concurrent`, which has one module.

pub mod futures;
