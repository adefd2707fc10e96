//! The libraries as the lock file pins them, and one that is not as expected.

use super::*;

/// The sources that the lock file pins: cargo has them here because this workspace uses both.
fn package(name: &str) -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == name);
    let manifest = package.unwrap()["manifest_path"].as_str().unwrap();
    Path::new(manifest).parent().unwrap().to_owned()
}

#[test]
fn the_libraries_have_every_place_to_change() {
    for seam in SEAMS {
        let package = package(seam.package);
        let changed = seam.changed(&package).expect(seam.package);
        for (path, text) in changed {
            let original = fs::read_to_string(package.join(path)).unwrap();
            let addition = seam
                .files
                .iter()
                .find(|file| file.path == path)
                .unwrap()
                .addition;
            let own = text.strip_suffix(addition).unwrap();
            assert_eq!(
                own.lines().count(),
                original.lines().count(),
                "{path} keeps its lines"
            );
            syn::parse_file(&text).expect(path);
        }
    }
}

#[test]
fn a_place_that_is_missing_leaves_the_library_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let package = directory.path().join("rayon-core-9.0.0");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("src/job.rs"), "struct Job;\n").unwrap();
    let [_, rayon, _] = SEAMS;
    assert_eq!(rayon.copy(&package, directory.path()).unwrap(), None);
    assert!(!rayon.is_in(directory.path()));
}

#[test]
fn a_copy_is_made_once_and_is_no_newer_than_the_library() {
    let target = tempfile::tempdir().unwrap();
    let [_, rayon, _] = SEAMS;
    let package = package(rayon.package);
    let seams = directory(target.path());
    fs::create_dir_all(&seams).unwrap();
    let copy = rayon.copy(&package, &seams).unwrap().unwrap();
    assert!(rayon.is_in(target.path()));
    let time = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    for file in ["src/job.rs", "src/lib.rs"] {
        assert_eq!(time(copy.join(file)), time(package.join(file)));
    }
    let made = time(copy.join(STAMP));
    assert_eq!(rayon.copy(&package, &seams).unwrap(), Some(copy.clone()));
    assert_eq!(time(copy.join(STAMP)), made);
    fs::write(copy.join(STAMP), "of an earlier version").unwrap();
    assert!(!rayon.is_in(target.path()));
    rayon.copy(&package, &seams).unwrap().unwrap();
    assert!(rayon.is_in(target.path()));
}

#[test]
fn only_paths_of_the_package_are_moved() {
    let moved = |argument: &str| {
        moved(
            &argument.into(),
            "/r/tokio-1".as_ref(),
            "/t/tokio-1".as_ref(),
        )
    };
    assert_eq!(moved("/r/tokio-1/src/lib.rs"), "/t/tokio-1/src/lib.rs");
    assert_eq!(moved("--edition=2021"), "--edition=2021");
    assert_eq!(moved("/r/mio-1/src/lib.rs"), "/r/mio-1/src/lib.rs");
}
