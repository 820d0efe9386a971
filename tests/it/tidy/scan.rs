//! Reads the tree. Rust files are split into code, string literals and test parts by a small
//! scanner: enough to search for names without finding them in a comment.

use std::path::Path;
use std::process::Command;

/// A file of the tree.
pub struct Text {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

/// A Rust file without its `#[cfg(test)]` parts.
pub struct Rust {
    pub path: String,
    /// The file with comments, literals and test parts blanked, so that lines keep their numbers.
    pub code: String,
    /// Line and content of every string literal outside test parts.
    pub literals: Vec<(usize, String)>,
}

/// Every text file of ours: tracked, or new and not ignored. Vendored files are not ours.
pub fn texts() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .expect("git lists the files of the tree");
    assert!(list.status.success(), "git ls-files: {}", String::from_utf8_lossy(&list.stderr));
    let paths = String::from_utf8(list.stdout).expect("paths are UTF-8");
    let texts: Vec<Text> = paths
        .split('\0')
        .filter(|path| {
            !path.is_empty() && !["assets/vendor/", "assets/fonts/"].iter().any(|v| path.starts_with(v))
        })
        // Deleted but not yet staged files and binary files have no text.
        .filter_map(|path| {
            Some(Text { path: path.into(), text: std::fs::read_to_string(root.join(path)).ok()? })
        })
        .collect();
    assert!(texts.iter().any(|t| t.path == "src/lib.rs"), "the tree was not found");
    texts
}

/// The Rust files under `src/`.
pub fn sources() -> Vec<Rust> {
    texts().iter().filter(|t| t.path.starts_with("src/") && t.path.ends_with(".rs")).map(Rust::new).collect()
}

impl Text {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Numbered lines.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

impl Rust {
    pub fn new(file: &Text) -> Self {
        let (mut code, literals) = scan(&file.text);
        let tests = test_parts(&code);
        let literals = literals
            .into_iter()
            .filter(|(at, _)| !tests.iter().any(|part| part.contains(at)))
            .map(|(at, text)| (line_of(&code, at), text))
            .collect();
        for part in tests {
            blank(&mut code[part]);
        }
        let code = String::from_utf8(code).expect("blanking keeps whole characters");
        Self { path: file.path.clone(), code, literals }
    }

    /// Whether the file is the module `name` of the crate, or within it.
    pub fn within(&self, name: &str) -> bool {
        self.module().first().is_some_and(|first| first == name)
    }

    /// The path of the module, empty for the roots of library and program.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        if path == "lib" || path == "main" { Vec::new() } else { path.split('/').map(Into::into).collect() }
    }

    /// Lines of the code that hold `word` as a whole path segment or path.
    pub fn finds(&self, word: &str) -> Vec<usize> {
        let joined = |c: char| c.is_alphanumeric() || c == '_';
        self.code
            .match_indices(word)
            .filter(|(at, _)| !self.code[..*at].ends_with(joined))
            .filter(|(at, _)| !self.code[at + word.len()..].starts_with(joined))
            .map(|(at, _)| line_of(self.code.as_bytes(), at))
            .collect()
    }

    /// Every top module of ours that the code names through `crate::` or `super::`, with the line.
    pub fn names(&self) -> Vec<(usize, String)> {
        let own = self.module();
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("crate::") {
            let line = line_of(self.code.as_bytes(), at);
            found.extend(heads(&self.code[at + 7..]).into_iter().map(|name| (line, name)));
        }
        for (at, _) in self.code.match_indices("super::") {
            if self.code[..at].ends_with("super::") {
                continue;
            }
            let rest = &self.code[at..];
            let ups = rest.split("::").take_while(|part| *part == "super").count();
            if ups >= own.len() {
                let line = line_of(self.code.as_bytes(), at);
                found.extend(heads(&rest[ups * 7..]).into_iter().map(|name| (line, name)));
            }
        }
        found
    }
}

/// The first names of a path: one, or those of the group in braces.
fn heads(rest: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(word(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn line_of(code: &[u8], at: usize) -> usize {
    1 + code[..at].iter().filter(|byte| **byte == b'\n').count()
}

fn blank(part: &mut [u8]) {
    part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// Blanks comments and literals; gives the string literals with their offsets.
fn scan(text: &str) -> (Vec<u8>, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut literals = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let before = at.checked_sub(1).map(|i| bytes[i]);
        let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some((open, hashes)) = raw_string(rest).filter(|_| !in_word || before == Some(b'b')) {
            let close = format!("\"{}", "#".repeat(hashes));
            let inner = rest[open..].find(&close).unwrap_or(rest.len() - open);
            literals.push((at, rest[open..open + inner].into()));
            (open + inner + close.len()).min(rest.len())
        } else if rest.starts_with('"') {
            let end = quoted(rest, b'"');
            literals.push((at, rest[1..end.max(2) - 1].into()));
            end
        } else if rest.starts_with('\'') && is_char(rest) {
            quoted(rest, b'\'')
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        blank(&mut code[at..at + length]);
        at += length;
    }
    (code, literals)
}

/// The length of a block comment; they nest.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let step = &rest.as_bytes()[at..];
        match (step.starts_with(b"/*"), step.starts_with(b"*/")) {
            (true, _) => (depth, at) = (depth + 1, at + 2),
            (_, true) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Where the text of a raw string starts, and its number of hashes.
fn raw_string(rest: &str) -> Option<(usize, usize)> {
    let tail = rest.strip_prefix('r')?;
    let hashes = tail.len() - tail.trim_start_matches('#').len();
    tail[hashes..].starts_with('"').then_some((hashes + 2, hashes))
}

/// The length of a literal between quotes, with its escapes.
fn quoted(rest: &str, quote: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character literal rather than a lifetime.
fn is_char(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

/// The spans of the items under `#[cfg(test)]`.
fn test_parts(code: &[u8]) -> Vec<std::ops::Range<usize>> {
    const MARK: &[u8] = b"#[cfg(test)]";
    let mut parts: Vec<std::ops::Range<usize>> = Vec::new();
    for start in 0..code.len() {
        if !code[start..].starts_with(MARK) || parts.last().is_some_and(|part| part.contains(&start)) {
            continue;
        }
        let (mut depth, mut end) = (0, code.len());
        for (at, byte) in code.iter().enumerate().skip(start + MARK.len()) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                end = at + 1;
                break;
            }
        }
        parts.push(start..end);
    }
    parts
}

#[test]
fn the_scanner_tells_code_from_the_rest() {
    let file = Text::new(
        "src/a/b.rs",
        r##"//! crate::one
/* crate::two /* nested */ crate::three */
use crate::{model::{Row, Key}, store};
fn f<'a>(x: &'a str) -> char { let _ = ("SELECT \" 1", r#"raw "2""#, b"three"); '"' }
use super::super::web; use super::c;
#[cfg(test)]
mod tests { use crate::hidden; const X: &str = "hidden { "; }
fn g() { crate::last::h() }
"##,
    );
    let rust = Rust::new(&file);
    let names: Vec<(usize, &str)> =
        rust.names().iter().map(|(line, name)| (*line, name.clone().leak() as &str)).collect();
    assert_eq!(names, [(3, "model"), (3, "store"), (8, "last"), (5, "web")]);
    let literals: Vec<&str> = rust.literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(literals, ["SELECT \\\" 1", "raw \"2\"", "three"]);
    assert_eq!(rust.finds("Row"), [3]);
    assert!(rust.finds("hidden").is_empty() && rust.finds("Ro").is_empty());
    assert!(rust.within("a") && !rust.within("b"));
}
