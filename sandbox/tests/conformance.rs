//! Starts the real binary in front of the real ministack, and drives it with botocore: see `conformance/`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn botocore_is_content() {
    let ministack = ministack();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let done = Command::new(ministack.with_file_name("python"))
        .arg(folder.join("run.py"))
        .arg(env!("CARGO_BIN_EXE_rollout-sandbox"))
        .env("ROLLOUT_SANDBOX_MINISTACK", &ministack)
        .output()
        .expect("Python starts");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
}

/// The ministack that the environment names, or the one that the workspace's tools have.
fn ministack() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/venv/bin/ministack");
    let found = env::var_os("ROLLOUT_SANDBOX_MINISTACK").map_or(tools, PathBuf::from);
    assert!(found.exists(), "there is no ministack at {}: `make tools` installs it", found.display());
    found
}
