//! `MimeBundle`: one value in several representations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Show;

pub(super) const PLAIN: &str = "text/plain";

/// Representations of one value, keyed by MIME type. The front end shows the best it can.
///
/// Text types hold text, images base64, JSON types a JSON value. SVG counts as text.
///
/// ```
/// use interleave::display::MimeBundle;
///
/// let bundle = MimeBundle::text("x²").with("text/latex", "$x^2$");
/// assert_eq!(bundle.plain(), "x²");
/// assert_eq!(bundle.data()["text/latex"], "$x^2$");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MimeBundle {
    data: BTreeMap<String, Value>,
    metadata: BTreeMap<String, Value>,
}

impl MimeBundle {
    /// Begins with plain text, which every front end can show.
    pub fn text(text: impl Into<String>) -> MimeBundle {
        MimeBundle::default().with(PLAIN, text.into())
    }

    /// Adds a representation, or replaces the one of the same type.
    pub fn with(mut self, mime: impl Into<String>, value: impl Into<Value>) -> MimeBundle {
        self.data.insert(mime.into(), value.into());
        self
    }

    /// Adds a hint for the front end about one type, such as the width of an image in pixels.
    ///
    /// ```
    /// use interleave::{display::MimeBundle, serde_json::json};
    ///
    /// let bundle = MimeBundle::text("a picture")
    ///     .with("image/png", "iVBORw0KGgo=")
    ///     .with_metadata("image/png", json!({ "width": 200 }));
    /// assert_eq!(bundle.metadata()["image/png"]["width"], 200);
    /// ```
    pub fn with_metadata(mut self, mime: impl Into<String>, value: impl Into<Value>) -> MimeBundle {
        self.metadata.insert(mime.into(), value.into());
        self
    }

    /// The representations.
    pub fn data(&self) -> &BTreeMap<String, Value> {
        &self.data
    }

    /// The hints.
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    /// The plain text, or nothing if there is none.
    pub fn plain(&self) -> &str {
        self.data
            .get(PLAIN)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The representations and the hints.
    pub fn into_parts(self) -> (BTreeMap<String, Value>, BTreeMap<String, Value>) {
        (self.data, self.metadata)
    }
}

impl Show for MimeBundle {
    fn show(&self) -> MimeBundle {
        self.clone()
    }
}
