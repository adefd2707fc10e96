//! What the compiler notes about a cell for the kernel; see [`CellNotes`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use interleave_protocol::{CellFacts, CellNotes, types::Learnt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keeping::Judgement;

/// The notes of a cell in the making: evcxr may have it compiled several times.
#[derive(Debug)]
pub struct Notes {
    file: PathBuf,
    notes: InFile,
    drop_refused: BTreeSet<String>,
}

/// The kernel reads the first part of it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct InFile {
    #[serde(flatten)]
    for_kernel: CellNotes,
    /// See [`Judgement::drop_early`].
    #[serde(default)]
    drop_early: BTreeSet<String>,
    /// The types of its variables cannot be learnt.
    #[serde(default)]
    refused: bool,
}

impl Notes {
    /// What is noted already about the cell that evcxr compiles in `directory`.
    pub fn read(directory: &Path, facts: &CellFacts) -> Self {
        let file = directory.join(facts.notes());
        let notes = fs::read(&file).ok();
        Self {
            notes: notes
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default(),
            file,
            drop_refused: BTreeSet::new(),
        }
    }

    /// Variables to drop at the end of the student's code.
    pub fn early_drops(&self) -> &BTreeSet<String> {
        &self.notes.drop_early
    }

    /// Notes why variables end. Returns whether the same cell is to be compiled once more, with
    /// other [`Notes::early_drops`].
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn take(&mut self, judgement: &Judgement) -> Result<bool> {
        for ended in &judgement.ended {
            let known = &mut self.notes.for_kernel.ended;
            if !known.iter().any(|known| known.name == ended.name) {
                known.push(ended.clone());
            }
        }
        let before = self.notes.drop_early.clone();
        self.drop_refused
            .extend(judgement.drop_refused.iter().cloned());
        let drops = &mut self.notes.drop_early;
        drops.extend(judgement.drop_early.iter().cloned());
        drops.retain(|name| !self.drop_refused.contains(name));
        let again = judgement.forwarded.iter().all(|line| !is_error(line)) && *drops != before;
        self.write()?;
        Ok(again)
    }

    /// Whether [`Notes::refuse`] was called.
    pub fn are_refused(&self) -> bool {
        self.notes.refused
    }

    /// Forgets what was noted: the kernel asks for the types, and then the cell is compiled anew.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn refuse(&mut self) -> Result<()> {
        self.notes = InFile {
            refused: true,
            ..InFile::default()
        };
        self.write()
    }

    /// What was learnt of its types; see [`crate::learning`].
    pub fn learnt(&self) -> BTreeMap<String, Learnt> {
        self.notes.for_kernel.learnt.clone()
    }

    /// Notes what was learnt, for [`Notes::finish`] and [`Notes::take`] to write.
    pub fn learn(&mut self, learnt: Option<BTreeMap<String, Learnt>>) {
        self.notes
            .for_kernel
            .learnt
            .extend(learnt.into_iter().flatten());
    }

    /// Notes the warnings of a compilation that succeeded.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn finish(&mut self, diagnostics: &[String]) -> Result<()> {
        let diagnostics = diagnostics.iter();
        self.notes.for_kernel.warnings = diagnostics
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|diagnostic| diagnostic["level"] == "warning" && diagnostic["code"].is_object())
            .collect();
        self.write()
    }

    fn write(&self) -> Result<()> {
        crate::files::replace(&self.file, serde_json::to_vec(&self.notes)?)?;
        Ok(())
    }
}

fn is_error(line: &str) -> bool {
    let diagnostic = serde_json::from_str::<Value>(line);
    diagnostic.is_ok_and(|diagnostic| {
        let message = diagnostic["message"].as_str().unwrap_or_default();
        // What rustc says at the end of every failed run.
        diagnostic["level"] == "error" && !message.starts_with("aborting due to")
    })
}
