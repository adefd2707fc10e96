//! The process at the other end of the link: what it said last, and how the next one finds us.

use super::{HostLink, host};

impl HostLink {
    /// Makes the socket anew if somebody has removed it: the host that is connected needs it no
    /// more, but the next one will.
    pub(in super::super) fn listen_again(&self) {
        let mut state = self.lock();
        if state.path.exists() {
            return;
        }
        match host::listen(&state.path) {
            Ok(listener) => state.listener = listener,
            Err(error) => tracing::warn!("{error:#}"),
        }
        state.wake_mover();
    }

    /// What the host said last on standard error, which may explain its end.
    pub(in super::super) fn last_words(&self) -> String {
        self.lock().last_words.text()
    }
}
