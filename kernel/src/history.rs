//! The cells that ran before, in this kernel and in others, kept in SQLite.
//!
//! The tables are those of IPython, made smaller. A disk that fails costs the history, never a
//! cell: errors are logged here and end here.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use rusqlite::{Connection, Params, Row, params};
use tracing::warn;

use crate::wire::{HistoryAccess, HistoryRequest};

/// How long to wait for another kernel that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        session INTEGER PRIMARY KEY AUTOINCREMENT,
        start TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    CREATE TABLE IF NOT EXISTS history (
        session INTEGER NOT NULL,
        line INTEGER NOT NULL,
        source TEXT NOT NULL,
        output TEXT,
        PRIMARY KEY (session, line)
    );";

const COLUMNS: &str = "SELECT session, line, source, output FROM history";

/// How many lines `tail` gives when the client does not say.
const TAIL: i64 = 10;

/// One cell that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the kernel's run, from 1.
    pub session: i64,
    /// The number in `In [n]`.
    pub line: i64,
    /// The text of the cell.
    pub source: String,
    /// The text of its value, if it had one.
    pub output: Option<String>,
}

/// The store of one kernel.
#[derive(Debug)]
pub struct History {
    connection: Connection,
    session: i64,
}

impl History {
    /// Opens the file, which other kernels may use at the same time; without one, or when it cannot
    /// be used, the history is kept in memory.
    ///
    /// # Errors
    ///
    /// When not even memory can be used.
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = path {
            match Self::open_file(path) {
                Ok(history) => return Ok(history),
                Err(error) => warn!("the history will not be kept: {error:#}"),
            }
        }
        Self::begin(Connection::open_in_memory()?)
    }

    /// Keeps the text of a cell.
    pub fn record(&self, line: usize, source: &str) {
        self.write(
            "INSERT OR REPLACE INTO history (session, line, source) VALUES (?1, ?2, ?3)",
            params![self.session, line, source],
        );
    }

    /// Keeps the value of a cell.
    pub fn record_output(&self, line: usize, output: &str) {
        self.write(
            "UPDATE history SET output = ?3 WHERE session = ?1 AND line = ?2",
            params![self.session, line, output],
        );
    }

    /// What a client asks for, oldest first.
    pub fn search(&self, request: &HistoryRequest) -> Vec<Entry> {
        let result = match &request.access {
            HistoryAccess::Tail { n } => self.tail(n.unwrap_or(TAIL)),
            HistoryAccess::Search { pattern, n, unique } => {
                self.matching(pattern.as_deref().unwrap_or("*"), *n, *unique)
            }
            HistoryAccess::Range {
                session,
                start,
                stop,
            } => self.range(session.unwrap_or(0), start.unwrap_or(0), stop.unwrap_or(0)),
        };
        result.unwrap_or_else(|error| {
            warn!("the history cannot be read: {error}");
            Vec::new()
        })
    }

    fn open_file(path: &Path) -> anyhow::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        let connection =
            Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        connection.busy_timeout(PATIENCE)?;
        // Readers and a writer do not wait for each other in this mode.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        Self::begin(connection).with_context(|| format!("cannot use {}", path.display()))
    }

    fn begin(connection: Connection) -> anyhow::Result<Self> {
        connection.execute_batch(SCHEMA)?;
        connection.execute("INSERT INTO sessions DEFAULT VALUES", [])?;
        let session = connection.last_insert_rowid();
        Ok(Self {
            connection,
            session,
        })
    }

    fn write(&self, sql: &str, params: impl Params) {
        if let Err(error) = self.connection.execute(sql, params) {
            warn!("a cell was not added to the history: {error}");
        }
    }

    fn tail(&self, n: i64) -> rusqlite::Result<Vec<Entry>> {
        let sql = format!("{COLUMNS} ORDER BY session DESC, line DESC LIMIT ?1");
        self.newest_first(&sql, params![n.max(0)])
    }

    fn matching(&self, glob: &str, n: Option<i64>, unique: bool) -> rusqlite::Result<Vec<Entry>> {
        // SQLite gives the other columns of the row that has the maximum.
        let unique = match unique {
            true => "GROUP BY source HAVING max(rowid)",
            false => "",
        };
        let sql = format!(
            "{COLUMNS} WHERE source GLOB ?1 {unique} ORDER BY session DESC, line DESC LIMIT ?2"
        );
        // A negative limit is none.
        self.newest_first(&sql, params![glob, n.unwrap_or(-1)])
    }

    fn range(&self, session: i64, start: i64, stop: i64) -> rusqlite::Result<Vec<Entry>> {
        let session = match session {
            ..=0 => self.session + session,
            number => number,
        };
        let end: i64 = self.connection.query_row(
            "SELECT 1 + ifnull(max(line), 0) FROM history WHERE session = ?1",
            [session],
            |row| row.get(0),
        )?;
        let from_end = |line: i64| {
            if line < 0 {
                end.saturating_add(line)
            } else {
                line
            }
        };
        let stop = if stop == 0 { end } else { from_end(stop) };
        let sql =
            format!("{COLUMNS} WHERE session = ?1 AND line >= ?2 AND line < ?3 ORDER BY line");
        self.entries(&sql, params![session, from_end(start), stop])
    }

    fn newest_first(&self, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Entry>> {
        let mut entries = self.entries(sql, params)?;
        entries.reverse();
        Ok(entries)
    }

    fn entries(&self, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Entry>> {
        let mut statement = self.connection.prepare(sql)?;
        statement.query_map(params, entry)?.collect()
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        session: row.get(0)?,
        line: row.get(1)?,
        source: row.get(2)?,
        output: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(history: &History, access: HistoryAccess) -> Vec<(i64, i64, String)> {
        let request = HistoryRequest {
            output: false,
            access,
        };
        let entries = history.search(&request).into_iter();
        entries
            .map(|entry| (entry.session, entry.line, entry.source))
            .collect()
    }

    fn search(pattern: &str, n: Option<i64>, unique: bool) -> HistoryAccess {
        HistoryAccess::Search {
            pattern: Some(pattern.into()),
            n,
            unique,
        }
    }

    fn range(session: i64, start: i64, stop: i64) -> HistoryAccess {
        HistoryAccess::Range {
            session: Some(session),
            start: Some(start),
            stop: Some(stop),
        }
    }

    fn sources(history: &History, access: HistoryAccess) -> Vec<String> {
        let lines = lines(history, access).into_iter();
        lines.map(|(_, _, source)| source).collect()
    }

    fn example() -> History {
        let history = History::open(None).unwrap();
        for (line, source) in (1..).zip(["let a = 1", "a", "let b = 2", "a"]) {
            history.record(line, source);
        }
        history
    }

    #[test]
    fn ranges_are_half_open_and_count_from_the_end_when_negative() {
        let history = example();
        let all = ["let a = 1", "a", "let b = 2", "a"];
        assert_eq!(sources(&history, range(0, 1, 3)), all[..2]);
        assert_eq!(sources(&history, range(0, 0, 0)), all);
        assert_eq!(sources(&history, range(1, -2, 0)), all[2..]);
        assert_eq!(sources(&history, range(0, 1, -1)), all[..3]);
        assert!(sources(&history, range(-1, 0, 0)).is_empty());
        assert!(sources(&history, range(99, i64::MIN, i64::MAX)).is_empty());
    }

    #[test]
    fn a_search_matches_whole_sources_and_can_give_each_once() {
        let history = example();
        assert_eq!(
            sources(&history, search("let*", None, false)),
            ["let a = 1", "let b = 2"]
        );
        assert_eq!(sources(&history, search("let", None, false)), [""; 0]);
        assert_eq!(sources(&history, search("?", None, false)), ["a", "a"]);
        assert_eq!(
            lines(&history, search("a", None, true)),
            [(1, 4, "a".into())]
        );
        assert_eq!(
            sources(&history, search("*", Some(2), true)),
            ["let b = 2", "a"]
        );
    }

    #[test]
    fn a_file_is_shared_and_outlives_a_kernel() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/history.sqlite");
        let first = History::open(Some(&path)).unwrap();
        first.record(1, "one");
        first.record_output(1, "1");
        let second = History::open(Some(&path)).unwrap();
        second.record(1, "two");
        drop(first);
        let tail = HistoryAccess::Tail { n: None };
        assert_eq!(
            lines(&second, tail),
            [(1, 1, "one".into()), (2, 1, "two".into())]
        );
        assert_eq!(sources(&second, range(-1, 0, 0)), ["one"]);
        let request = HistoryRequest {
            output: true,
            access: range(1, 0, 0),
        };
        let [entry] = &second.search(&request)[..] else {
            panic!("not one entry");
        };
        assert_eq!(entry.output.as_deref(), Some("1"));
    }

    #[test]
    fn a_bad_file_costs_only_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.sqlite");
        fs::write(
            &path,
            "not a database, and longer than its header of 100 bytes".repeat(9),
        )
        .unwrap();
        let history = History::open(Some(&path)).unwrap();
        history.record(1, "kept in memory");
        assert_eq!(sources(&history, range(0, 0, 0)), ["kept in memory"]);
    }
}
