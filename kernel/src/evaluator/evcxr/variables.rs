//! The variables of the notebook: where each was defined, and why some have ended.
//!
//! evcxr keeps variables from cell to cell, and forgets without a word those that it cannot keep.
//! What is known here turns its "cannot find value" into what rustc would say if all cells were one
//! function.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use interleave_protocol::{CellNotes, EndReason, EndedVariable, unkept};

use super::{
    diagnostics::Finder,
    places::Places,
    report::{CellText, Mark, Remark},
    syntax::bindings::{self, Binding},
};

#[derive(Debug, Default)]
pub(super) struct Variables {
    defined: HashMap<String, Definition>,
    ended: HashMap<String, Ended>,
}

/// Where a variable was defined.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) cell: CellText,
    pub(super) binding: Binding,
}

/// A variable that no later cell can have.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) definition: Option<Definition>,
    /// As rustc writes it; empty if it is not known.
    pub(super) type_name: String,
    pub(super) why: Why,
}

#[derive(Debug, Clone)]
pub(super) enum Why {
    /// Its value was moved, there, with rustc's advice against it.
    Moved {
        marks: Vec<Mark>,
        remarks: Vec<Remark>,
    },
    /// It got no value.
    Unset,
    /// It borrows, or its type has no name.
    Unkept {
        /// What it gives, if it is an iterator.
        item: Option<String>,
    },
    /// The cell that defined it failed.
    Failed,
}

/// A cell as evcxr is to see it.
#[derive(Debug)]
pub(super) struct Sending {
    code: String,
    bindings: Vec<Binding>,
    /// Indices of the bindings that evcxr is not to see.
    hidden: Vec<usize>,
    /// Variables that were moved and may get a value again, with their types.
    declared: Vec<(String, String)>,
}

impl Sending {
    /// As text. No line of the student's is changed, but for the marks that the compiler takes off.
    pub(super) fn text(&self) -> String {
        let mut pieces: Vec<(usize, String)> = Vec::new();
        let first = bindings::first_statement(&self.code);
        let declared = self.declared.iter();
        pieces.extend(declared.map(|(name, ty)| (first, format!("let mut {name}: {ty};\n"))));
        for binding in self.hidden() {
            pieces.push((binding.statement.start, unkept::OPEN.to_owned()));
            pieces.push((binding.statement.end, unkept::CLOSE.to_owned()));
        }
        pieces.sort_by_key(|(at, _)| *at);
        let mut text = self.code.clone();
        for (at, piece) in pieces.iter().rev() {
            text.insert_str(*at, piece);
        }
        text
    }

    /// Hides the `let` of a variable from evcxr. Returns whether that changed anything.
    pub(super) fn hide(&mut self, name: &str) -> bool {
        let index = self.bindings.iter().rposition(|one| one.name == name);
        match index {
            Some(index) if !self.hidden.contains(&index) => {
                let statement = self.bindings[index].statement.clone();
                // A `let` is hidden as a whole.
                let same = |one: &Binding| one.statement == statement;
                let all = self.bindings.iter().enumerate();
                self.hidden
                    .extend(all.filter(|(_, one)| same(one)).map(|(at, _)| at));
                true
            }
            _ => false,
        }
    }

    pub(super) fn hidden(&self) -> impl Iterator<Item = &Binding> {
        self.hidden.iter().map(|index| &self.bindings[*index])
    }

    /// The names that the cell leaves to nothing that evcxr could keep.
    pub(super) fn hidden_names(&self) -> Vec<String> {
        let last = |name: &str| self.bindings.iter().rposition(|one| one.name == name);
        let hidden = self.hidden.iter();
        hidden
            .filter(|index| last(&self.bindings[**index].name) == Some(**index))
            .map(|index| self.bindings[*index].name.clone())
            .collect()
    }
}

/// A cell that ran.
pub(super) struct Ran<'a> {
    pub(super) sending: &'a Sending,
    pub(super) notes: &'a CellNotes,
    /// It ran to its end.
    pub(super) finished: bool,
    /// What rustc says of the types of variables that were hidden.
    pub(super) hidden: &'a BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn ended(&self, name: &str) -> Option<&Ended> {
        self.ended.get(name)
    }

    pub(super) fn definition(&self, name: &str) -> Option<&Definition> {
        self.defined.get(name)
    }

    /// What to write instead of the type of a variable that could not be kept.
    pub(super) fn learn_type(&mut self, name: &str, type_name: String) {
        if let Some(ended) = self.ended.get_mut(name) {
            ended.type_name = type_name;
        }
    }

    /// What an iterator gives that could not be kept.
    pub(super) fn learn_item(&mut self, name: &str, item: String) {
        if let Some(ended) = self.ended.get_mut(name) {
            ended.why = Why::Unkept { item: Some(item) };
        }
    }

    /// The process that held them was replaced.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How to give a cell to evcxr.
    pub(super) fn prepare(&self, code: &str) -> Sending {
        let bindings = bindings::bindings(code);
        let assigned = bindings::assigned(code);
        let again = assigned.into_iter().filter_map(|name| {
            let ended = self.ended.get(&name)?;
            let may_change = ended.definition.as_ref()?.binding.is_mut;
            let moved = matches!(ended.why, Why::Moved { .. } | Why::Unset);
            (may_change && moved).then(|| (name, ended.type_name.clone()))
        });
        Sending {
            declared: again.collect(),
            hidden: (0..bindings.len())
                .filter(|index| bindings[*index].cannot_be_kept())
                .collect(),
            bindings,
            code: code.to_owned(),
        }
    }

    /// Takes over what a cell did to variables.
    pub(super) fn ran(&mut self, ran: &Ran<'_>, places: &Places, index: usize) {
        let Some(cell) = places.cell(index).map(CellText::of) else {
            return;
        };
        for binding in &ran.sending.bindings {
            self.define(binding, &cell, ran.finished);
        }
        if ran.finished {
            for (name, _) in &ran.sending.declared {
                let unset = |ended: &&EndedVariable| ended.name == *name;
                match ran.notes.ended.iter().find(unset) {
                    Some(ended) if ended.reason == EndReason::Unset => {}
                    _ => _ = self.ended.remove(name),
                }
            }
            for name in ran.sending.hidden_names() {
                let type_name = ran.hidden.get(&name).cloned().unwrap_or_default();
                self.end(&name, type_name, Why::Unkept { item: None });
            }
        }
        for ended in &ran.notes.ended {
            self.take_end(ended, ran, places, index);
        }
    }

    fn define(&mut self, binding: &Binding, cell: &CellText, finished: bool) {
        let definition = Definition {
            cell: cell.clone(),
            binding: binding.clone(),
        };
        let name = binding.name.clone();
        if finished {
            self.ended.remove(&name);
            self.defined.insert(name, definition);
        } else {
            let ended = Ended {
                definition: Some(definition),
                type_name: String::new(),
                why: Why::Failed,
            };
            self.ended.insert(name, ended);
        }
    }

    fn take_end(&mut self, ended: &EndedVariable, ran: &Ran<'_>, places: &Places, index: usize) {
        let name = &ended.name;
        let is_new = ran.sending.bindings.iter().any(|one| one.name == *name);
        let declared = ran.sending.declared.iter().any(|(other, _)| other == name);
        if is_new && !ran.finished || declared && ended.reason == EndReason::Unset {
            return;
        }
        let why = match ended.reason {
            EndReason::Moved => {
                let finder = Finder::new(places, index);
                Why::Moved {
                    marks: moves(finder.marks(&ended.diagnostic["spans"])),
                    remarks: finder.changes(&ended.diagnostic["children"]),
                }
            }
            EndReason::Unset => Why::Unset,
            EndReason::Unkept => Why::Unkept { item: None },
        };
        self.end(name, ended.type_name.clone(), why);
    }

    fn end(&mut self, name: &str, type_name: String, why: Why) {
        let ended = Ended {
            definition: self.defined.get(name).cloned(),
            type_name,
            why,
        };
        self.ended.insert(name.to_owned(), ended);
    }
}

/// Where a value was moved, in the words that rustc has where one function holds everything. Here
/// the closure that evcxr puts around a cell comes between.
fn moves(marks: Vec<Mark>) -> Vec<Mark> {
    let mut moves: Vec<Mark> = Vec::new();
    let says_where = |mark: &Mark| {
        mark.label.starts_with("value moved") || mark.label.starts_with("value partially moved")
    };
    let known = marks.iter().any(says_where);
    for mut mark in marks {
        if mark.label.starts_with("move occurs because") {
            continue;
        }
        mark.primary = false;
        if mark
            .label
            .starts_with("variable partially moved due to use")
        {
            mark.label = "value partially moved here".to_owned();
        }
        let due_to_use = mark.label.starts_with("variable moved due to use");
        if due_to_use && !known && !moves.iter().any(says_where) {
            match bindings::taker(&mark.cell.code, &mark.span) {
                Some((head, what)) => {
                    let label = format!("value moved into {what} here, in {}", mark.cell.title);
                    moves.push(with(&mark, head, label));
                }
                None if bindings::is_looped_over(&mark.cell.code, &mark.span) => {
                    let name = &mark.cell.code[mark.span.clone()];
                    mark.label =
                        format!("`{name}` moved due to this implicit call to `.into_iter()`");
                }
                None => mark.label = "value moved here".to_owned(),
            }
        }
        if says_where(&mark) {
            mark.label = format!("{}, in {}", mark.label, mark.cell.title);
        }
        moves.push(mark);
    }
    moves
}

fn with(mark: &Mark, span: Range<usize>, label: String) -> Mark {
    Mark {
        cell: mark.cell.clone(),
        span,
        label,
        primary: false,
    }
}
