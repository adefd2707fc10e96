//! `Table`: rows and columns, as HTML and as aligned text.

use std::fmt::Write;

use super::{MimeBundle, Show};

/// Rows of cells under a row of headings. A cell is anything that can be printed; it is shown as
/// text, never as HTML.
///
/// ```
/// use interleave::display::{Show, Table};
///
/// let table = Table::new(["state", "value"])
///     .row(["pending", ""])
///     .row(["finished", "Vec<i32>"]);
///
/// let bundle = table.show();
/// assert_eq!(bundle.plain(), "\
/// state     value
/// --------  --------
/// pending
/// finished  Vec<i32>");
/// assert!(bundle.data()["text/html"].to_string().contains("<td>Vec&lt;i32&gt;</td>"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins a table with its headings.
    ///
    /// ```
    /// use interleave::display::{Show, Table};
    ///
    /// assert_eq!(Table::new(["worker", "jobs"]).show().plain(), "\
    /// worker  jobs
    /// ------  ----");
    /// ```
    pub fn new(headings: impl IntoIterator<Item: ToString>) -> Table {
        Table {
            headings: to_strings(headings),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Where it has fewer cells than there are headings, the rest stays empty; where
    /// it has more, they get no heading.
    ///
    /// ```
    /// use interleave::display::{Show, Table};
    ///
    /// let powers = Table::new(["n", "n²", "n³"]).row([2, 4, 8]).row([3]);
    /// assert_eq!(powers.show().plain(), "\
    /// n  n²  n³
    /// -  --  --
    /// 2  4   8
    /// 3");
    /// ```
    pub fn row(mut self, cells: impl IntoIterator<Item: ToString>) -> Table {
        self.push(cells);
        self
    }

    /// Adds a row, for a loop that fills a table.
    ///
    /// ```
    /// use interleave::display::{Show, Table};
    ///
    /// let mut squares = Table::new(["n", "n²"]);
    /// for n in 2..5 {
    ///     squares.push([n, n * n]);
    /// }
    /// assert!(squares.show().plain().ends_with("4  16"));
    /// ```
    pub fn push(&mut self, cells: impl IntoIterator<Item: ToString>) {
        self.rows.push(to_strings(cells));
    }

    fn columns(&self) -> usize {
        self.lines().map(Vec::len).max().unwrap_or(0)
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.headings).chain(&self.rows)
    }

    fn plain(&self) -> String {
        let width = |column| {
            let cells = self.lines().filter_map(|line| line.get(column));
            cells
                .map(|cell: &String| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns()).map(width).collect();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut lines = vec![align(&self.headings, &widths), align(&rule, &widths)];
        lines.extend(self.rows.iter().map(|row| align(row, &widths)));
        lines.join("\n")
    }

    fn html(&self) -> String {
        let columns = self.columns();
        let mut html = String::from("<table><thead>");
        push_row(&mut html, "th", &self.headings, columns);
        html.push_str("</thead><tbody>");
        for row in &self.rows {
            push_row(&mut html, "td", row, columns);
        }
        html.push_str("</tbody></table>");
        html
    }
}

impl Show for Table {
    fn show(&self) -> MimeBundle {
        MimeBundle::text(self.plain()).with("text/html", self.html())
    }
}

fn to_strings(cells: impl IntoIterator<Item: ToString>) -> Vec<String> {
    cells.into_iter().map(|cell| cell.to_string()).collect()
}

fn align(cells: &[String], widths: &[usize]) -> String {
    let pad = |(cell, width): (&String, &usize)| format!("{cell:width$}");
    let padded: Vec<String> = cells.iter().zip(widths).map(pad).collect();
    padded.join("  ").trim_end().to_owned()
}

fn push_row(html: &mut String, tag: &str, cells: &[String], columns: usize) {
    html.push_str("<tr>");
    for column in 0..columns {
        let cell = cells
            .get(column)
            .map(|cell| escape(cell))
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(html, "<{tag}>{cell}</{tag}>");
    }
    html.push_str("</tr>");
}

/// Text as HTML that shows it.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
