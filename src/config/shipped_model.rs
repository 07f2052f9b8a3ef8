//! Where the model that comes with vigie is, for a configuration file that names none and stands elsewhere.

use std::path::{Path, PathBuf};

use super::node::{Node, Value};
use super::problem::Location;

/// Where models lie, relative to the directory of the program: next to it, in a package, in a checkout after a build.
const PLACES: [&str; 4] = ["models", "../share/vigie/models", "../../models", "../../../models"];

/// The first place with models; none where vigie was copied without them.
pub(super) fn find() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    find_beside(program.parent()?).or_else(|| Some(PathBuf::from("models")).filter(|path| is_model(path)))
}

fn find_beside(directory: &Path) -> Option<PathBuf> {
    PLACES.iter().map(|place| super::joined(directory, Path::new(place))).find(|path| is_model(path))
}

/// Sets `shipped` where the configuration names no model, and the default is not there.
pub(super) fn use_by_default(tree: &mut Node, shipped: &Path) {
    let classify = tree.entries_mut().and_then(|entries| entries.get_mut("classify"));
    let Some(node) = classify.and_then(Node::entries_mut).and_then(|entries| entries.get_mut("model")) else { return };
    let is_there = node.text().is_some_and(|path| Path::new(path).is_dir());
    if node.at == Location::BuiltIn && !is_there {
        node.value = Value::Leaf(toml::Value::String(shipped.to_string_lossy().into_owned()));
    }
}

/// A registry of models, with at least the default one.
fn is_model(path: &Path) -> bool {
    path.join("default").join("manifest.json").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_beside_the_program_in_a_package_and_in_a_checkout() {
        for (program, models) in [
            ("opt/vigie", "opt/vigie/models"),
            ("usr/bin", "usr/share/vigie/models"),
            ("checkout/target/release", "checkout/models"),
            ("checkout/target/debug/deps", "checkout/models"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let (program, models) = (dir.path().join(program), dir.path().join(models));
            std::fs::create_dir_all(&program).unwrap();
            assert_eq!(find_beside(&program), None);
            std::fs::create_dir_all(models.join("default")).unwrap();
            std::fs::write(models.join("default/manifest.json"), "{}").unwrap();
            assert_eq!(find_beside(&program), Some(models));
        }
    }
}
