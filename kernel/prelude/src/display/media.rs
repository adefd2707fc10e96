//! Wrappers that say what kind of text, or bytes, a value is.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::{MimeBundle, Show};

/// Text that is shown as HTML. Nothing is escaped: for text from elsewhere use
/// [`Table`](super::Table), or escape it.
///
/// ```
/// use interleave::display::{Html, Show};
///
/// let bundle = Html::from("<b>done</b>").show();
/// assert_eq!(bundle.data()["text/html"], "<b>done</b>");
/// assert_eq!(bundle.plain(), "<b>done</b>"); // The tags too: this is what a terminal shows.
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(pub String);

/// Text that is shown as Markdown.
///
/// ```
/// use interleave::display::{Markdown, Show};
///
/// let states = ["pending", "running", "finished"];
/// let list = Markdown::from(states.map(|state| format!("- `{state}`")).join("\n"));
/// assert!(list.show().data()["text/markdown"].to_string().contains("- `running`"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown(pub String);

/// Text that is shown as a LaTeX formula, its `$` signs included.
///
/// ```
/// use interleave::display::{Latex, Show};
///
/// let speedup = Latex::from(r"$S = \frac{1}{(1 - p) + p/n}$");
/// assert_eq!(speedup.show().data()["text/latex"], speedup.0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latex(pub String);

/// An SVG picture.
///
/// It is sent as `image/svg+xml`, and as an HTML image that front ends also show in a notebook
/// that they do not trust.
///
/// ```
/// use interleave::display::{Show, Svg};
///
/// let circle = Svg::from(r#"<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>"#);
/// let html = circle.show().data()["text/html"].to_string();
/// assert!(html.contains("data:image/svg+xml;base64,"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(pub String);

/// The bytes of a PNG file.
///
/// ```
/// use interleave::display::{Png, Show};
///
/// let bundle = Png(b"\x89PNG\r\n\x1a\n".to_vec()).show();
/// assert_eq!(bundle.data()["image/png"], "iVBORw0KGgo=");
/// assert_eq!(bundle.plain(), "<image/png, 8 bytes>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Png(pub Vec<u8>);

/// A JSON value, shown as a tree that can be unfolded.
///
/// ```
/// use interleave::{display::{Json, Show}, serde_json::json};
///
/// let bundle = Json(json!({ "success": true })).show();
/// assert_eq!(bundle.data()["application/json"]["success"], true);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Json(pub Value);

macro_rules! text_type {
    ($($name:ident),+) => {$(
        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> $name {
                $name(text)
            }
        }
    )+};
}

text_type!(Html, Markdown, Latex, Svg);

impl Show for Html {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(self.0.as_str()).with("text/html", self.0.as_str())
    }
}

impl Show for Markdown {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(self.0.as_str()).with("text/markdown", self.0.as_str())
    }
}

impl Show for Latex {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(self.0.as_str()).with("text/latex", self.0.as_str())
    }
}

impl Show for Svg {
    fn show(&self) -> MimeBundle {
        let encoded = BASE64.encode(&self.0);
        MimeBundle::text(format!("<image/svg+xml, {} bytes>", self.0.len()))
            .with("image/svg+xml", self.0.as_str())
            .with(
                "text/html",
                format!(r#"<img src="data:image/svg+xml;base64,{encoded}">"#),
            )
    }
}

impl Show for Png {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(format!("<image/png, {} bytes>", self.0.len()))
            .with("image/png", BASE64.encode(&self.0))
    }
}

impl Show for Json {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(format!("{:#}", self.0)).with("application/json", self.0.clone())
    }
}
