//! [`Inputs`]: the files of a dump, as the arguments of a command name them: files, folders, standard input.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Input;
use super::members::Role;
use crate::dump::error::DumpError;

/// Folders inside one another that are read. Links to folders are not followed.
const MAX_FOLDER_DEPTH: usize = 8;

/// One or more files that are read as one dump, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The dump in messages: its file, its folder, or `a.csv and 2 more files`.
    name: String,
    pub(in crate::dump) files: Vec<InputFile>,
    /// Files in folders whose names say that they are not dumps.
    skipped: Vec<String>,
}

/// One file of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dump) struct InputFile {
    pub(in crate::dump) input: Input,
    /// What its name says; of a file that the user named, nothing.
    pub(in crate::dump) role: Role,
}

impl From<Input> for Inputs {
    /// A single file, not looked at yet.
    fn from(input: Input) -> Self {
        Self { name: input.to_string(), files: vec![InputFile { input, role: Role::Named }], skipped: Vec::new() }
    }
}

impl Inputs {
    /// Paths of files and folders, or `-` for standard input. A folder stands for its files and those of its folders, in the
    /// order of their names.
    ///
    /// # Errors
    /// When a folder cannot be read or has no dump.
    pub fn expand<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Self, DumpError> {
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for argument in arguments {
            match Input::parse(argument) {
                Input::Path(path) if path.is_dir() => {
                    let before = files.len();
                    list_folder(&path, MAX_FOLDER_DEPTH, &mut files, &mut skipped)?;
                    if files.len() == before {
                        return Err(DumpError::NoDumps { name: path.display().to_string(), skipped });
                    }
                }
                input => files.push(InputFile { input, role: Role::Named }),
            }
        }
        let mut seen = HashSet::new();
        files.retain(|file| {
            let new = seen.insert(file.input.identity());
            if !new {
                tracing::warn!(file = %file.input, "named twice: read once");
            }
            new
        });
        let name = match arguments {
            [argument] => Input::parse(argument).to_string(),
            _ => match files.as_slice() {
                [first] => first.input.to_string(),
                [first, _] => format!("{} and 1 more file", first.input),
                [first, rest @ ..] => format!("{} and {} more files", first.input, rest.len()),
                [] => String::new(),
            },
        };
        Ok(Self { name, files, skipped })
    }

    /// Whether it can be read only once.
    pub fn has_stdin(&self) -> bool {
        self.files.iter().any(|file| file.input == Input::Stdin)
    }

    /// The inputs in the order in which they are read.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.files.iter().map(|file| &file.input)
    }

    /// The name for files that a command writes about this dump: of its file, its folder or its first file.
    pub fn file_name(&self) -> String {
        let path = match self.files.as_slice() {
            [InputFile { input: Input::Stdin, .. }, ..] | [] => return "stdin".to_owned(),
            [InputFile { input: Input::Path(path), .. }, ..] => path,
        };
        // `.` and `..` have no name; the folder that they stand for has one.
        let folder = Path::new(&self.name).is_dir().then(|| PathBuf::from(&self.name));
        let named = folder.map(|folder| folder.canonicalize().unwrap_or(folder));
        let named = named.as_ref().unwrap_or(path);
        named.file_name().map_or_else(|| "dump".into(), |name| name.to_string_lossy().into_owned())
    }

    pub(in crate::dump) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Size of all files, where it is known.
    pub(in crate::dump) fn total_bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.input.size()).sum()
    }
}

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn list_folder(
    folder: &Path,
    depth: usize,
    files: &mut Vec<InputFile>,
    skipped: &mut Vec<String>,
) -> Result<(), DumpError> {
    let failed = |cause| DumpError::Open { name: folder.display().to_string(), cause };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        paths.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    paths.sort();
    for (name, path) in paths {
        // The name alone: a folder that the user named may be hidden.
        let role = Role::of(&name);
        if role == Role::Hidden {
            continue;
        }
        if path.is_dir() {
            if path.is_symlink() || depth == 0 {
                skipped.push(path.display().to_string());
            } else {
                list_folder(&path, depth - 1, files, skipped)?;
            }
        } else if role == Role::Skipped || !path.is_file() {
            skipped.push(path.display().to_string());
        } else {
            files.push(InputFile { input: Input::Path(path), role });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "text\nlate\n").unwrap();
        }
        dir
    }

    fn names(inputs: &Inputs, dir: &Path) -> Vec<String> {
        let relative = |input: &Input| match input {
            Input::Path(path) => path.strip_prefix(dir).unwrap_or(path).display().to_string(),
            Input::Stdin => "-".into(),
        };
        inputs.iter().map(relative).collect()
    }

    #[test]
    fn a_folder_stands_for_its_files_in_the_order_of_their_names() {
        let dir = folder(&[
            "2015-02.csv",
            "2015-01.csv",
            "older/2014.jsonl.gz",
            "README.md",
            ".DS_Store",
            ".git/x.csv",
            "a.rejects.csv",
            "hashes.txt",
        ]);
        let inputs = Inputs::expand(&[dir.path()]).unwrap();
        assert_eq!(names(&inputs, dir.path()), ["2015-01.csv", "2015-02.csv", "hashes.txt", "older/2014.jsonl.gz"]);
        let roles: Vec<Role> = inputs.files.iter().map(|file| file.role).collect();
        assert_eq!(roles, [Role::Data, Role::Data, Role::Unknown, Role::Data]);
        assert_eq!(inputs.skipped().len(), 2, "{:?}", inputs.skipped());
        assert_eq!(inputs.to_string(), dir.path().display().to_string());
        assert_eq!(inputs.file_name(), dir.path().file_name().unwrap().to_string_lossy());
        assert_eq!(inputs.total_bytes(), Some(40));
    }

    #[test]
    fn files_keep_the_order_of_the_arguments_and_are_read_once() {
        let dir = folder(&["a.csv", "b.csv", "c.csv"]);
        let path = |name: &str| dir.path().join(name).into_os_string();
        let inputs = Inputs::expand(&[path("b.csv"), path("a.csv"), path("./b.csv")]).unwrap();
        assert_eq!(names(&inputs, dir.path()), ["b.csv", "a.csv"]);
        assert!(inputs.to_string().ends_with("b.csv and 1 more file"), "{inputs}");
        assert_eq!(inputs.file_name(), "b.csv");
        let all = Inputs::expand(&[path("b.csv"), path(""), "-".into()]).unwrap();
        assert_eq!(names(&all, dir.path()), ["b.csv", "a.csv", "c.csv", "-"]);
        assert!(all.has_stdin() && !inputs.has_stdin());
        assert_eq!(all.total_bytes(), None);
    }

    #[test]
    fn a_folder_without_a_dump_is_an_error() {
        let dir = folder(&["README.md", "cat.png"]);
        let message = Inputs::expand(&[dir.path()]).unwrap_err().to_string();
        assert!(message.contains("has no dump") && message.contains("cat.png"), "{message}");
    }
}
