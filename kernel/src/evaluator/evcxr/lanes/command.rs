//! `:lanes`: whether cells show what their threads did, and one that did in particular.

use std::{fs, path::Path};

use interleave_lanes::Picture;

use super::{Mode, REMEMBERED};

const USAGE: &str = "It is one of `:lanes on`, `:lanes off`, `:lanes auto`, `:lanes 5` (those of \
                     In[5]) and `:lanes save FILE`, where FILE ends in `.svg`, `.html`, `.txt` or \
                     `.json`; `:lanes` alone shows those of the last cell.";

/// What `:lanes` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Request<'a> {
    Choose(Mode),
    /// The lanes of the cell with this number in `In [n]`; of the newest with `None`.
    Show(Option<usize>),
    Save(File<'a>),
}

/// A picture in a file.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct File<'a> {
    pub(in super::super) path: &'a Path,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Html,
    Text,
    /// <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>
    ChromeTrace,
}

/// Columns of a picture in a text file.
const WIDTH: usize = 120;

impl<'a> Request<'a> {
    /// Reads what stands behind `:lanes`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub(in super::super) fn parse(words: &'a str) -> Result<Self, String> {
        let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        match (first, rest.trim()) {
            ("", "") => Ok(Self::Show(None)),
            ("on", "") => Ok(Self::Choose(Mode::On)),
            ("off", "") => Ok(Self::Choose(Mode::Off)),
            ("auto", "") => Ok(Self::Choose(Mode::Auto)),
            ("save", path) => Ok(Self::Save(File::at(path)?)),
            (number, "") if let Ok(number) = number.parse() => Ok(Self::Show(Some(number))),
            _ => Err(format!("`:lanes {words}` is not known. {USAGE}")),
        }
    }
}

impl<'a> File<'a> {
    fn at(path: &'a str) -> Result<Self, String> {
        let path = Path::new(path);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = match extension {
            Some("svg") => Format::Svg,
            Some("html") => Format::Html,
            Some("txt") => Format::Text,
            Some("json") => Format::ChromeTrace,
            _ => {
                let path = path.display();
                return Err(format!("`{path}` names no format that lanes have. {USAGE}"));
            }
        };
        Ok(Self { path, format })
    }

    /// Writes it, and says so.
    ///
    /// # Errors
    ///
    /// Why it cannot be written, in a sentence.
    pub(in super::super) fn write(&self, picture: &Picture) -> Result<String, String> {
        let content = match self.format {
            Format::Svg => picture.to_svg(),
            Format::Html => picture.to_open_html(),
            Format::Text => picture.to_ascii(WIDTH),
            Format::ChromeTrace => picture.to_chrome_json(),
        };
        let path = self.path.display();
        fs::write(self.path, content).map_err(|error| format!("cannot write `{path}`: {error}"))?;
        let advice = match self.format {
            Format::ChromeTrace => " https://ui.perfetto.dev opens it.",
            Format::Svg | Format::Html => " A browser opens it.",
            Format::Text => "",
        };
        Ok(format!("The lanes are in `{path}`.{advice}"))
    }
}

/// Why there is nothing to show.
pub(in super::super) fn unknown(number: Option<usize>, mode: Mode) -> String {
    let what = match number {
        None => "no cell has run".to_owned(),
        Some(number) => format!("nothing is known of In[{number}]"),
    };
    match mode {
        Mode::Off => format!("{what} since `:lanes off`; `:lanes auto` notes what threads do"),
        Mode::On | Mode::Auto => format!("{what}; the last {REMEMBERED} cells are remembered"),
    }
}

/// What is chosen, for the student.
pub(in super::super) fn describe(mode: Mode) -> &'static str {
    match mode {
        Mode::Auto => "Lanes: a cell with more than one thread or task shows what they did.",
        Mode::On => "Lanes: each cell shows what its threads did, open.",
        Mode::Off => "Lanes: no cell shows what its threads did.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood() {
        assert_eq!(Request::parse("on"), Ok(Request::Choose(Mode::On)));
        assert_eq!(Request::parse(""), Ok(Request::Show(None)));
        assert_eq!(Request::parse("12"), Ok(Request::Show(Some(12))));
        let Ok(Request::Save(file)) = Request::parse("save my trace.json") else {
            panic!("not to be saved");
        };
        assert_eq!(file.path, Path::new("my trace.json"));
        assert_eq!(file.format, Format::ChromeTrace);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (words, part) in [
            ("maybe", "`:lanes maybe` is not known"),
            ("on off", "`:lanes on off` is not known"),
            ("save", "`` names no format"),
            ("save trace.png", "`trace.png` names no format"),
        ] {
            let error = Request::parse(words).unwrap_err();
            assert!(error.contains(part) && error.contains("`.svg`"), "{error}");
        }
    }
}
