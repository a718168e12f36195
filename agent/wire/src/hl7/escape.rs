//! Text within fields (HL7 v2.6, section 2.7).

/// Text without the characters that divide fields; each control character, which could end a segment, becomes what `control` says.
pub(super) fn text(text: &str, control: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\E\\"),
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            character if character.is_control() => out.push_str(&control(character)),
            other => out.push(other),
        }
    }
    out
}
