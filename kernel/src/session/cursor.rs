//! Positions in code: Jupyter counts Unicode code points (since protocol 5.2), Rust counts bytes.

/// The byte offset of the character at `position`, or the end if there are fewer characters.
pub(super) fn to_byte(code: &str, position: usize) -> usize {
    code.char_indices()
        .nth(position)
        .map_or(code.len(), |(byte, _)| byte)
}

/// How many characters precede the byte offset. Inside a character it counts to its start.
pub(super) fn from_byte(code: &str, byte: usize) -> usize {
    code.char_indices()
        .map(|(start, char)| start + char.len_utf8())
        .take_while(|end| *end <= byte)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_on_every_plane() {
        // Latin, accents (one code point, and two), Chinese, an emoji, a family of five code points.
        for code in [
            "",
            "abc",
            "é",
            "e\u{301}x",
            "变量",
            "🦀🦀",
            "👨\u{200d}👩\u{200d}👧!",
        ] {
            let characters = code.chars().count();
            for position in 0..=characters {
                let byte = to_byte(code, position);
                assert!(code.is_char_boundary(byte));
                assert_eq!(from_byte(code, byte), position, "{code} at {position}");
            }
            assert_eq!(to_byte(code, characters + 7), code.len());
            assert_eq!(from_byte(code, code.len() + 7), characters);
        }
    }

    #[test]
    fn a_crab_is_one_position_and_four_bytes() {
        assert_eq!(to_byte("🦀.", 1), 4);
        assert_eq!(from_byte("🦀.", 4), 1);
        assert_eq!(from_byte("🦀.", 2), 0);
    }
}
