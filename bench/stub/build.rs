//! Linked as the provider is.

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    if env::var("PROFILE")? == "release" && env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    Ok(())
}
