//! Where ministack is: named, in the environment, in a virtual environment nearby, or on the PATH.

use std::env;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "ROLLOUT_SANDBOX_MINISTACK";
const INSTALL_HINT: &str = "python3 -m venv .venv && .venv/bin/pip install ministack==1.5.33";

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("there is no ministack at {}, which {from} names\nInstall it with:\n\n    {INSTALL_HINT}\n", path.display())]
    NotThere { path: PathBuf, from: &'static str },
    #[error(
        "the sandbox needs ministack, and there is none in a .venv here or above, nor on the PATH\n\
         Install it with:\n\n    {INSTALL_HINT}\n\nor say where it is with --ministack or {VARIABLE}"
    )]
    Nowhere,
}

/// The path of the `ministack` command.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, FindError> {
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let path =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    search(named, variable.as_deref(), &here, &path)
}

fn search(
    named: Option<&Path>,
    variable: Option<&Path>,
    here: &Path,
    path: &[PathBuf],
) -> Result<PathBuf, FindError> {
    for (given, from) in [(named, "--ministack"), (variable, VARIABLE)] {
        if let Some(given) = given {
            let found = given.is_file().then(|| given.to_path_buf());
            return found.ok_or_else(|| FindError::NotThere { path: given.to_path_buf(), from });
        }
    }
    let environments = here.ancestors().map(|folder| folder.join(".venv/bin/ministack"));
    let installed = path.iter().map(|folder| folder.join("ministack"));
    environments.chain(installed).find(|candidate| candidate.is_file()).ok_or(FindError::Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        path
    }

    #[test]
    fn the_nearest_place_wins() {
        let root = tempfile::tempdir().unwrap();
        let here = root.path().join("project/sub");
        fs::create_dir_all(&here).unwrap();
        let on_path = file(root.path(), "bin/ministack");
        let path = [root.path().join("bin")];
        assert_eq!(search(None, None, &here, &path), Ok(on_path));
        let venv = file(root.path(), "project/.venv/bin/ministack");
        assert_eq!(search(None, None, &here, &path), Ok(venv));
        let variable = file(root.path(), "variable");
        assert_eq!(search(None, Some(&variable), &here, &path), Ok(variable.clone()));
        let named = file(root.path(), "named");
        assert_eq!(search(Some(&named), Some(&variable), &here, &path), Ok(named.clone()));
    }

    #[test]
    fn what_is_missing_is_said_with_its_cure() {
        let root = tempfile::tempdir().unwrap();
        let nowhere = search(None, None, root.path(), &[]).unwrap_err();
        assert!(nowhere.to_string().contains(INSTALL_HINT));
        let named = root.path().join("gone");
        let error = search(Some(&named), None, root.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("--ministack"), "{error}");
    }
}
