//! Nothing but the same question has an answer, whatever happened to the files.

use std::{
    os::unix::fs::PermissionsExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::*;

fn question(parts: &[&str]) -> Question {
    let mut question = Question::default();
    parts.iter().for_each(|part| question.add(part));
    question
}

fn answer(made: &str) -> Answer {
    Answer {
        success: true,
        said: b"a warning\n".to_vec(),
        made: made.into(),
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn cache(&self) -> Cache {
        Cache::in_directory(self.0.path().join("cells")).unwrap()
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("cells")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn the_same_question_has_the_same_answer_and_no_other_has() {
    let place = Place::new();
    let cache = place.cache();
    cache.keep(&question(&["source", "-O"]), &answer("object"));
    assert_eq!(
        cache.find(&question(&["source", "-O"])),
        Some(answer("object"))
    );
    for other in [
        &["source ", "-O"][..],
        &["source", "-o"],
        &["source-O"],
        &["source-", "O"],
        &["source", "-O", ""],
        &[],
    ] {
        assert_eq!(cache.find(&question(other)), None, "{other:?}");
    }
}

#[test]
fn every_byte_of_an_entry_is_checked() {
    let place = Place::new();
    let cache = place.cache();
    let asked = question(&["source"]);
    cache.keep(&asked, &answer("object"));
    let [path] = &place.entries()[..] else {
        panic!("one entry");
    };
    let entry = fs::read(path).unwrap();
    for at in 0..entry.len() {
        let mut damaged = entry.clone();
        damaged[at] ^= 1;
        fs::write(path, &damaged).unwrap();
        assert_eq!(cache.find(&asked), None, "byte {at}");
        fs::write(path, &entry[..at]).unwrap();
        assert_eq!(cache.find(&asked), None, "{at} bytes");
    }
    fs::write(path, &entry).unwrap();
    assert_eq!(cache.find(&asked), Some(answer("object")));
}

#[test]
fn an_entry_under_the_name_of_another_question_is_no_answer() {
    let place = Place::new();
    let cache = place.cache();
    cache.keep(&question(&["one"]), &answer("object"));
    let other = question(&["other"]);
    fs::rename(&place.entries()[0], cache.path(&other)).unwrap();
    assert_eq!(cache.find(&other), None);
}

#[test]
fn a_changed_file_is_another_question() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lib.rlib");
    let of_file = || {
        let mut question = Question::default();
        question.add_file(&file);
        question.add_directory(directory.path());
        question
    };
    let missing = of_file();
    fs::write(&file, "one").unwrap();
    let there = of_file();
    assert_ne!(there, missing);
    assert!(there == of_file());
    // The same length and the same time of writing, as by a tool that hides what it did.
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    // The system's clock of files has ticks of some milliseconds.
    while there == of_file() {
        assert!(Instant::now() < deadline, "the change is not seen");
        fs::write(&file, "two").unwrap();
        File::open(&file).unwrap().set_modified(written).unwrap();
    }
}

#[test]
fn arguments_and_what_matters_of_the_environment_are_part_of_the_question() {
    let asked = |change: fn(&mut Command)| {
        let mut command = Command::new("rustc");
        command
            .arg("-O")
            .env("RUSTFLAGS", "x")
            .env_remove("LD_PRELOAD");
        change(&mut command);
        let mut question = Question::default();
        question.add_command(&command);
        question
    };
    let same = asked(|_| {});
    assert_eq!(
        asked(|command| _ = command.env("JPY_PARENT_PID", "7")),
        same
    );
    assert_eq!(
        asked(|command| _ = command.env("RUST_BACKTRACE", "7")),
        same
    );
    assert_ne!(
        asked(|command| _ = command.env("RUSTC_BOOTSTRAP", "1")),
        same
    );
    assert_ne!(asked(|command| _ = command.env("RUSTFLAGS", "y")), same);
    assert_ne!(asked(|command| _ = command.env("LD_PRELOAD", "y")), same);
    assert_ne!(asked(|command| _ = command.env("PATH", "/elsewhere")), same);
    assert_ne!(asked(|command| _ = command.arg("-g")), same);
}

#[test]
fn what_was_not_used_for_longest_goes() {
    let place = Place::new();
    let cache = place.cache();
    let old = SystemTime::now() - Duration::from_secs(1000);
    for (name, age) in [("first", 3), ("second", 2), ("third", 1)] {
        let asked = question(&[name]);
        cache.keep(&asked, &answer(name));
        let file = File::open(cache.path(&asked)).unwrap();
        file.set_modified(old - Duration::from_secs(age)).unwrap();
    }
    let sizes = place
        .entries()
        .into_iter()
        .map(|path| path.metadata().unwrap().len());
    let all: u64 = sizes.sum();
    // Used again, the oldest is the newest.
    assert!(cache.find(&question(&["first"])).is_some());
    cache.tidy(all - 1).unwrap();
    assert!(cache.find(&question(&["first"])).is_some());
    assert_eq!(cache.find(&question(&["second"])), None);
    assert!(cache.find(&question(&["third"])).is_some());
    cache.tidy(0).unwrap();
    assert!(place.entries().is_empty());
}

#[test]
fn many_at_once_find_whole_answers_or_none() {
    let place = Place::new();
    let answers: Vec<Answer> = (0..4)
        .map(|number| answer(&number.to_string().repeat(100_000)))
        .collect();
    thread::scope(|scope| {
        for one in &answers {
            let (place, answers) = (&place, &answers);
            scope.spawn(move || {
                let cache = place.cache();
                for _ in 0..50 {
                    cache.keep(&question(&["same"]), one);
                    // Never half of one and half of another: somebody has written it so.
                    if let Some(found) = cache.find(&question(&["same"])) {
                        assert!(answers.contains(&found));
                    }
                    cache.tidy(150_000).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_directory_that_others_can_use_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let cells = directory.path().join("cells");
    assert!(Cache::in_directory(cells.clone()).is_some());
    let mode = fs::metadata(&cells).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    fs::set_permissions(&cells, fs::Permissions::from_mode(0o750)).unwrap();
    assert!(Cache::in_directory(cells).is_none());
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path(), &link).unwrap();
    assert!(Cache::in_directory(link).is_none());
}
