//! Finds the source of machine code, by the line tables in the objects of cells.

use std::{fs, path::Path};

use addr2line::{
    Context,
    gimli::{self, Dwarf, EndianSlice, LittleEndian},
};
use interleave_protocol::{CodeAddress, Location};
use object::{Object, ObjectSection, ObjectSegment};

/// evcxr 0.22 (`module.rs`, `compile`) renames the object of each cell to this and a number.
const CELL_OBJECT: &str = "libcode_";

type LineTable<'a> = Context<EndianSlice<'a, LittleEndian>>;

/// Where the code at an address of a cell comes from: the innermost function first, then those that
/// it was inlined into. Empty for other code. The sources of cells are in the directory.
pub(super) fn locations(address: &CodeAddress, directory: &Path) -> Vec<Location> {
    let path = Path::new(&address.object);
    let is_cell = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(CELL_OBJECT));
    let Some(bytes) = is_cell.then(|| fs::read(path).ok()).flatten() else {
        return Vec::new();
    };
    let Ok(object) = object::File::parse(bytes.as_slice()) else {
        return Vec::new();
    };
    // addr2line 0.25 takes an offset for granted.
    let is_inside = object.segments().any(|segment| {
        let start = segment.address();
        (start..start.saturating_add(segment.size())).contains(&address.offset)
    });
    let table = is_inside.then(|| line_table(&object)).flatten();
    table.map_or_else(Vec::new, |table| frames(&table, address.offset, directory))
}

fn line_table<'a>(object: &object::File<'a>) -> Option<LineTable<'a>> {
    let section = |name: &str| {
        let section = object.section_by_name(name);
        let bytes = section.and_then(|section| section.data().ok());
        EndianSlice::new(bytes.unwrap_or_default(), LittleEndian)
    };
    let loaded = Dwarf::load(|id| Ok::<_, gimli::Error>(section(id.name())));
    Context::from_dwarf(loaded.ok()?).ok()
}

fn frames(table: &LineTable<'_>, offset: u64, directory: &Path) -> Vec<Location> {
    let mut locations = Vec::new();
    let Ok(mut frames) = table.find_frames(offset).skip_all_loads() else {
        return locations;
    };
    while let Ok(Some(frame)) = frames.next() {
        let place = frame
            .location
            .and_then(|place| Some((place.file?, place.line?, place.column)));
        if let Some((file, line, column)) = place {
            locations.push(Location {
                file: file.to_owned(),
                line,
                column: characters(file, line, column.unwrap_or(1), directory),
            });
        }
    }
    locations
}

/// The column in characters; line tables count bytes.
fn characters(file: &str, line: u32, column: u32, directory: &Path) -> u32 {
    let before = |source: String| {
        let line = source.lines().nth(line.checked_sub(1)? as usize)?;
        let bytes = column.checked_sub(1)? as usize;
        u32::try_from(line.get(..bytes)?.chars().count()).ok()
    };
    let file = super::source_file(directory, file);
    let source = file.and_then(|file| fs::read_to_string(file).ok());
    source.and_then(before).map_or(column, |count| count + 1)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use object::ObjectSymbol;

    use super::*;

    const SOURCE: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn marked() -> *const u8 {\n    \
                          /* é */ std::hint::black_box(std::ptr::null())\n}\n";

    /// A compiled cell, and the offset of its function.
    fn compiled(directory: &Path) -> (String, u64) {
        let source = directory.join("cells/7/lib.rs");
        fs::create_dir_all(source.parent().unwrap()).unwrap();
        fs::write(&source, SOURCE).unwrap();
        let object = directory.join("libcode_1.so");
        let status = Command::new("rustc")
            .args(["--crate-type=cdylib", "-Cdebuginfo=line-tables-only", "-o"])
            .args([&object, &source])
            .status();
        assert!(status.unwrap().success());
        let bytes = fs::read(&object).unwrap();
        let parsed = object::File::parse(&*bytes).unwrap();
        let symbol = parsed
            .dynamic_symbols()
            .find(|symbol| symbol.name() == Ok("marked"));
        let offset = symbol.unwrap().address();
        (object.display().to_string(), offset)
    }

    #[test]
    fn an_address_in_a_cell_has_a_line_and_others_have_none() {
        let directory = tempfile::tempdir().unwrap();
        let (object, function) = compiled(directory.path());
        let at = |object: &str, offset| {
            let address = CodeAddress {
                object: object.to_owned(),
                offset,
            };
            locations(&address, directory.path())
        };
        let found: Vec<Location> = (function..function + 40)
            .flat_map(|offset| at(&object, offset))
            .filter(|location| location.file.ends_with("cells/7/lib.rs"))
            .collect();
        assert!(found.iter().any(|place| place.line == 2), "{found:?}");
        let call = found.iter().find(|place| place.line == 3).unwrap();
        // In characters, not in bytes.
        let before = SOURCE.lines().nth(2).unwrap().split("std::ptr").next();
        assert_eq!(call.column as usize, before.unwrap().chars().count() + 1);
        assert_eq!(at(&object, u64::MAX), []);
        assert_eq!(at("/no/libcode_1.so", function), []);
        assert_eq!(at("/lib/libc.so.6", function), []);
    }
}
