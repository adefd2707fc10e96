//! The error that names a variable of an earlier cell which has ended there.

use std::ops::Range;

use super::{
    names,
    report::{CellText, Mark, Remark, Report},
    syntax::bindings::{self, Binding, Use, ValueKind},
    variables::{Definition, Ended, Variables, Why},
};

/// What to say instead of rustc's "cannot find value", if the name is that of a variable that has
/// ended. `used` marks where.
pub(super) fn report(name: &str, used: &Mark, variables: &Variables) -> Option<Report> {
    let ended = variables.ended(name)?;
    let how = bindings::use_at(&used.cell.code, &used.span);
    match (&ended.why, how) {
        (_, Use::InItem) => None,
        (Why::Moved { .. } | Why::Unset, Use::Assigned) => assigned_twice(name, used, ended),
        (Why::Moved { marks, remarks }, _) => {
            Some(used_after_move(name, used, how, ended, (marks, remarks)))
        }
        (Why::Unset, _) => Some(unset(name, used, ended)),
        (Why::Failed, _) => Some(failed(name, used, ended)),
        (Why::Unkept { item }, _) => Some(unkept(name, used, ended, item.as_deref(), variables)),
    }
}

fn used_after_move(
    name: &str,
    used: &Mark,
    how: Use,
    ended: &Ended,
    (moves, advice): (&[Mark], &[Remark]),
) -> Report {
    let (title, label) = match how {
        Use::Borrowed => ("borrow", "value borrowed here after move"),
        _ => ("use", "value used here after move"),
    };
    let mut marks = vec![labelled(used, label)];
    marks.extend(moves.iter().cloned());
    if let Some(definition) = &ended.definition {
        let reason = format!(
            "move occurs because `{name}` has type `{}`, which does not implement the `Copy` trait",
            names::short(&ended.type_name).replace("'static ", "")
        );
        marks.push(context(definition, reason));
    }
    Report {
        is_warning: false,
        code: Some("E0382".to_owned()),
        message: format!("{title} of moved value: `{name}`"),
        marks,
        remarks: advice.to_vec(),
    }
}

/// An assignment to a variable that is not `mut`; for one that is, the cell would have been compiled
/// with it (`Variables::prepare`).
fn assigned_twice(name: &str, used: &Mark, ended: &Ended) -> Option<Report> {
    let definition = ended.definition.as_ref()?;
    let mut report = Report {
        is_warning: false,
        code: Some("E0384".to_owned()),
        message: format!("cannot assign twice to immutable variable `{name}`"),
        marks: vec![labelled(used, "cannot assign twice to immutable variable")],
        remarks: Vec::new(),
    };
    report
        .marks
        .push(context(definition, format!("first assignment to `{name}`")));
    report.remarks.push(make_mutable(definition));
    Some(report)
}

/// Adds to an error about a missing `mut` where an earlier cell defined the variable. rustc speaks of
/// the generated line that takes the variable over.
pub(super) fn add_definition(
    marks: &mut Vec<Mark>,
    remarks: &mut Vec<Remark>,
    definition: &Definition,
) {
    if marks.iter().any(|mark| mark.cell == definition.cell) {
        return;
    }
    marks.push(context(
        definition,
        "defined here, without `mut`".to_owned(),
    ));
    remarks.retain(|remark| !remark.message.ends_with("mut"));
    remarks.push(make_mutable(definition));
    let name = &definition.binding.name;
    remarks.push(plain_help(&format!(
        "or begin this cell with `let mut {name} = {name};`"
    )));
}

fn make_mutable(definition: &Definition) -> Remark {
    let at = definition.binding.span.start;
    help(
        "consider making this binding mutable",
        &definition.cell,
        vec![(at..at, "mut ".to_owned())],
    )
}

fn unset(name: &str, used: &Mark, ended: &Ended) -> Report {
    let mut marks = vec![labelled(
        used,
        &format!("`{name}` used here but it isn't initialized"),
    )];
    if let Some(definition) = &ended.definition {
        marks.push(context(
            definition,
            "binding declared here but left uninitialized".into(),
        ));
    }
    Report {
        is_warning: false,
        code: Some("E0381".to_owned()),
        message: format!("used binding `{name}` isn't initialized"),
        marks,
        remarks: Vec::new(),
    }
}

fn failed(name: &str, used: &Mark, ended: &Ended) -> Report {
    let mut marks = vec![labelled(used, "")];
    let mut place = String::from("its cell");
    if let Some(definition) = &ended.definition {
        place.clone_from(&definition.cell.title);
        marks.push(context(definition, "defined here".to_owned()));
    }
    Report {
        is_warning: false,
        code: None,
        message: format!("`{name}` was not kept, because {place} did not run to its end"),
        marks,
        remarks: Vec::new(),
    }
}

fn unkept(
    name: &str,
    used: &Mark,
    ended: &Ended,
    item: Option<&str>,
    variables: &Variables,
) -> Report {
    let mut marks = vec![labelled(used, "used here after its cell has ended")];
    let Some(definition) = &ended.definition else {
        return Report {
            message: format!("`{name}` ended with its cell"),
            marks,
            ..Report::default()
        };
    };
    let what = What::of(definition, &ended.type_name, item);
    marks.push(context(definition, what.label()));
    let is_variable = |word: &str| word != name && variables.definition(word).is_some();
    Report {
        is_warning: false,
        code: None,
        message: format!(
            "`{name}` ended with {}: {}",
            definition.cell.title,
            what.reason()
        ),
        marks,
        remarks: vec![what.advice(definition, used, &is_variable)],
    }
}

/// What kind of value it was that could not be kept.
enum What<'a> {
    /// With what it is without `impl`.
    Closure(Option<&'a str>),
    AsyncClosure,
    Future,
    /// With what it gives.
    Iterator(&'a str),
    /// `impl Trait`, without `impl`.
    Opaque(&'a str),
    Guard,
    Borrow,
    Unknown,
}

impl<'a> What<'a> {
    fn of(definition: &Definition, type_name: &'a str, item: Option<&'a str>) -> Self {
        let is_known = !type_name.contains(['{', '?']);
        let opaque = type_name.strip_prefix("impl ");
        let is_guard = type_name.contains("Guard<")
            || ["Ref<", "RefMut<"].iter().any(|name| {
                type_name.starts_with(name) || type_name.contains(&format!("cell::{name}"))
            });
        match (definition.binding.kind, opaque, item) {
            (ValueKind::AsyncBlock, ..) => Self::Future,
            (_, Some(future), _) if future.contains("Future<") => Self::Future,
            _ if type_name.contains("async closure") => Self::AsyncClosure,
            (_, Some(closure), _) if closure.starts_with("Fn") => {
                Self::Closure(is_known.then_some(closure))
            }
            (ValueKind::Closure, ..) => Self::Closure(None),
            _ if type_name == "{closure}" => Self::Closure(None),
            _ if type_name.starts_with("{async ") => Self::Future,
            (_, _, Some(item)) => Self::Iterator(item),
            (_, Some(opaque), _) if is_known => Self::Opaque(opaque),
            _ if is_guard => Self::Guard,
            _ if type_name.starts_with('&') || type_name.contains("<'") => Self::Borrow,
            _ => Self::Unknown,
        }
    }

    fn label(&self) -> String {
        let what = match self {
            Self::Closure(_) | Self::AsyncClosure => "a closure",
            Self::Future => "a future",
            Self::Iterator(_) => "an iterator whose type has no name",
            Self::Opaque(_) => "a value whose type has no name",
            Self::Guard => "a guard, which is dropped at the end of its cell",
            Self::Borrow => "a value that borrows",
            Self::Unknown => "a value whose type is not known here",
        };
        what.to_owned()
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Closure(_) | Self::AsyncClosure => {
                "the type of a closure has no name, so no other cell can hold it"
            }
            Self::Future => "the type of a future has no name, so no other cell can hold it",
            Self::Iterator(_) | Self::Opaque(_) => {
                "its type has no name, so no other cell can hold it"
            }
            Self::Guard => {
                "it borrows from what it guards, and a borrow ends with its cell. \
                 It was dropped there"
            }
            Self::Borrow => "it borrows from another variable, and a borrow ends with its cell",
            Self::Unknown => "its type could not be told, so no other cell can hold it",
        }
    }

    /// What to write instead.
    fn advice(
        &self,
        definition: &Definition,
        used: &Mark,
        is_variable: &dyn Fn(&str) -> bool,
    ) -> Remark {
        let cell = &definition.cell;
        let binding = &definition.binding;
        let in_cell = format!("to keep it, write in {}", cell.title);
        let boxed = |of: &str, open: &str| {
            let ty = format!(": Box<dyn {of}>");
            let change = |open: &str| enclosed(binding, &ty, open);
            change(open).map(|changes| help(&in_cell, cell, changes))
        };
        let change = match self {
            Self::Closure(Some(of)) => boxed(of, take_along(cell, binding, is_variable)),
            Self::Future => enclosed(binding, "", "asyncio::Coroutine::from(")
                .map(|changes| help(&in_cell, cell, changes)),
            Self::Iterator(item) => boxed(&format!("Iterator<Item = {item}>"), "Box::new("),
            Self::Opaque(of) => boxed(of, "Box::new("),
            Self::Guard | Self::Borrow => again(definition, used, self),
            _ => None,
        };
        change.unwrap_or_else(|| plain_help(self.advice_in_words()))
    }

    fn advice_in_words(&self) -> &'static str {
        match self {
            Self::Closure(_) => "a `Box<dyn Fn(…) -> …>` can be kept, and so can an `fn`",
            Self::AsyncClosure => "an `async fn` can be called in any cell",
            Self::Future => "an `asyncio::Coroutine` can be kept",
            Self::Iterator(_) | Self::Opaque(_) => "a `Box<dyn Trait>` can be kept",
            Self::Guard | Self::Borrow => {
                "make it again in this cell, or keep a value that owns what it holds"
            }
            Self::Unknown => "say its type: `let name: Type = …;`",
        }
    }
}

/// A closure that names a variable must take it along to outlive its cell.
fn take_along(
    cell: &CellText,
    binding: &Binding,
    is_variable: &dyn Fn(&str) -> bool,
) -> &'static str {
    let Some(value) = &binding.value else {
        return "Box::new(";
    };
    let moves = cell.code[value.clone()].starts_with("move");
    if !moves && bindings::mentions(&cell.code, value, is_variable) {
        "Box::new(move "
    } else {
        "Box::new("
    }
}

/// Changes that put a type behind the name, and something around the value.
fn enclosed(binding: &Binding, ty: &str, open: &str) -> Option<Vec<(Range<usize>, String)>> {
    let value = binding.value.clone()?;
    if !binding.alone || binding.typed {
        return None;
    }
    let mut changes = Vec::new();
    if !ty.is_empty() {
        changes.push((binding.span.end..binding.span.end, ty.to_owned()));
    }
    changes.push((value.start..value.start, open.to_owned()));
    changes.push((value.end..value.end, ")".to_owned()));
    Some(changes)
}

/// The same `let` once more, before the statement that needs it.
fn again(definition: &Definition, used: &Mark, what: &What<'_>) -> Option<Remark> {
    let statement = &definition.cell.code[definition.binding.statement.clone()];
    if !definition.binding.alone || statement.contains('\n') {
        return None;
    }
    let words = match what {
        What::Guard => "lock again in this cell",
        _ => "borrow again in this cell",
    };
    let at = bindings::statement_start(&used.cell.code, used.span.start);
    let changes = vec![(at..at, format!("{statement}\n"))];
    Some(help(words, &used.cell, changes))
}

fn help(message: &str, cell: &CellText, changes: Vec<(Range<usize>, String)>) -> Remark {
    let changes = changes.into_iter();
    Remark {
        changes: changes
            .map(|(span, text)| (cell.clone(), span, text))
            .collect(),
        ..plain_help(message)
    }
}

fn plain_help(message: &str) -> Remark {
    Remark {
        is_help: true,
        message: message.to_owned(),
        marks: Vec::new(),
        changes: Vec::new(),
    }
}

fn labelled(used: &Mark, label: &str) -> Mark {
    Mark {
        label: label.to_owned(),
        primary: true,
        ..used.clone()
    }
}

pub(super) fn context(definition: &Definition, label: String) -> Mark {
    Mark {
        cell: definition.cell.clone(),
        span: definition.binding.span.clone(),
        label,
        primary: false,
    }
}
