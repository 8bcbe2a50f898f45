//! Compiles the protocol's messages and services from `proto/`, without a `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

use protox::prost::Message;

const PROTO_ROOT: &str = "proto";
const FILES: [&str; 4] = [
    "pulumirpc/provider.proto",
    "pulumirpc/engine.proto",
    "pulumirpc/plugin.proto",
    "pulumirpc/errors.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROTO_ROOT}");
    if env::var("PROFILE")? == "release" && env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        // At a fixed address nothing has to be relocated at the start, which would take a megabyte of memory.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let descriptors = protox::compile(FILES, [PROTO_ROOT])?;
    // The tests compare it with the official one.
    let file = PathBuf::from(env::var("OUT_DIR")?).join("pulumirpc.bin");
    fs::write(file, descriptors.encode_to_vec())?;
    // Ordered maps make equal answers equal bytes.
    tonic_prost_build::configure().btree_map(".").compile_fds(descriptors)?;
    Ok(())
}
