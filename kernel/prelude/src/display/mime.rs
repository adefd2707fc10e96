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
    ///
    /// ```
    /// use interleave::display::MimeBundle;
    ///
    /// let bundle = MimeBundle::text("21 °C");
    /// assert_eq!(bundle.data()["text/plain"], "21 °C");
    /// assert_eq!(bundle.data().len(), 1);
    /// ```
    pub fn text(text: impl Into<String>) -> MimeBundle {
        MimeBundle::default().with(PLAIN, text.into())
    }

    /// Adds a representation, or replaces the one of the same type.
    ///
    /// ```
    /// use interleave::display::MimeBundle;
    ///
    /// let bundle = MimeBundle::text("hot").with("text/html", "<b>hot</b>");
    /// let bundle = bundle.with("text/html", "<i>hot</i>");
    /// assert_eq!(bundle.data()["text/html"], "<i>hot</i>");
    /// assert_eq!(bundle.plain(), "hot");
    /// ```
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
    ///
    /// ```
    /// use interleave::display::{Show, Svg};
    ///
    /// let bundle = Svg::from("<svg/>").show();
    /// let types: Vec<&str> = bundle.data().keys().map(String::as_str).collect();
    /// assert_eq!(types, ["image/svg+xml", "text/html", "text/plain"]);
    /// ```
    pub fn data(&self) -> &BTreeMap<String, Value> {
        &self.data
    }

    /// The hints.
    ///
    /// ```
    /// use interleave::{display::{Json, Show}, serde_json::json};
    ///
    /// let bundle = Json(json!({ "state": "finished" })).show();
    /// assert!(bundle.metadata().is_empty());
    /// let unfolded = bundle.with_metadata("application/json", json!({ "expanded": true }));
    /// assert_eq!(unfolded.metadata()["application/json"]["expanded"], true);
    /// ```
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    /// The plain text, or nothing if there is none.
    ///
    /// ```
    /// use interleave::{display::{Json, MimeBundle, Show}, serde_json::json};
    ///
    /// assert_eq!(Json(json!([1, 2])).show().plain(), "[\n  1,\n  2\n]");
    /// assert_eq!(MimeBundle::default().with("text/html", "<hr>").plain(), "");
    /// ```
    pub fn plain(&self) -> &str {
        self.data
            .get(PLAIN)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The representations and the hints.
    ///
    /// Unlike [`data`](MimeBundle::data) and [`metadata`](MimeBundle::metadata) it gives them away:
    ///
    /// ```
    /// use interleave::display::{Latex, Show};
    ///
    /// let (mut data, hints) = Latex::from("$x^2$").show().into_parts();
    /// assert_eq!(data.remove("text/latex"), Some("$x^2$".into()));
    /// assert!(hints.is_empty());
    /// ```
    pub fn into_parts(self) -> (BTreeMap<String, Value>, BTreeMap<String, Value>) {
        (self.data, self.metadata)
    }
}

impl Show for MimeBundle {
    fn show(&self) -> MimeBundle {
        self.clone()
    }
}
