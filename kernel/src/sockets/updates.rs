//! Updates of displays that have not been sent yet: of each display the newest. Pure.

use std::sync::Arc;

use jupyter_protocol::UpdateDisplayData;

use crate::wire::Parent;

/// So many displays are waited for at the same time.
const MOST: usize = 64;

/// An update of a display.
#[derive(Debug)]
pub(super) struct Update {
    /// The cell that it comes from.
    pub(super) parent: Arc<Parent>,
    /// What is to be shown, and which display it is.
    pub(super) content: UpdateDisplayData,
    /// About its size.
    pub(super) bytes: usize,
}

/// Updates in the order in which their displays were first updated.
#[derive(Debug, Default)]
pub(super) struct Updates(Vec<Update>);

impl Updates {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these have to be sent before another is added.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    /// Adds an update, and gives the one whose place it takes.
    pub(super) fn push(&mut self, update: Update) -> Option<Update> {
        let id = |update: &Update| update.content.transient.display_id.clone();
        let older = self.0.iter_mut().find(|older| id(older) == id(&update));
        match older {
            Some(older) => Some(std::mem::replace(older, update)),
            None => {
                self.0.push(update);
                None
            }
        }
    }

    /// Takes all.
    pub(super) fn take(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::{Media, Transient};

    use super::*;

    fn update(id: &str, bytes: usize) -> Update {
        Update {
            parent: Arc::default(),
            content: UpdateDisplayData {
                data: Media::default(),
                metadata: serde_json::Map::default(),
                transient: Transient {
                    display_id: Some(id.to_owned()),
                },
            },
            bytes,
        }
    }

    #[test]
    fn of_each_display_the_newest_is_kept_in_its_place() {
        let mut updates = Updates::default();
        assert!(updates.push(update("a", 1)).is_none());
        assert!(updates.push(update("b", 2)).is_none());
        assert_eq!(updates.push(update("a", 3)).map(|old| old.bytes), Some(1));
        let sizes: Vec<usize> = updates.take().iter().map(|update| update.bytes).collect();
        assert_eq!(sizes, [3, 2]);
        assert!(updates.is_empty());
    }

    #[test]
    fn the_number_of_displays_is_bounded() {
        let mut updates = Updates::default();
        for id in 0..MOST {
            assert!(!updates.is_full());
            updates.push(update(&id.to_string(), 1));
        }
        assert!(updates.is_full());
    }
}
