//! Compiles Pulumi's protocol a second time: through the provider's library, the client would have all of it linked.

use std::error::Error;

const PROTO_ROOT: &str = "../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROTO_ROOT}");
    let descriptors = protox::compile(["pulumirpc/provider.proto", "pulumirpc/engine.proto"], [PROTO_ROOT])?;
    tonic_prost_build::configure().btree_map(".").compile_fds(descriptors)?;
    Ok(())
}
