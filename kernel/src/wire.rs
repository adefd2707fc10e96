//! Bytes ⇄ typed messages. Pure and total: no input panics, none is lost without a word.
//!
//! Two levels. `frames` splits a multipart message into its named parts and `signer` checks
//! them; `message` turns the parts into an [`Incoming`] and outgoing contents into parts. What a
//! peer got wrong is a [`WireError`] when nobody can be answered, and a variant of [`Request`] when
//! somebody can.

mod content;
mod error;
mod frames;
mod history;
mod message;
mod request;
mod signer;

pub use content::mime_bundle;
pub use error::WireError;
pub use frames::Frames;
pub use history::{HistoryAccess, HistoryRequest};
pub use message::{Channel, Codec, Incoming, PROTOCOL_VERSION, Parent};
pub use request::Request;
pub use signer::Signer;
