//! `make bench`: what the provider costs as a process, next to what others cost, measured in one run.
//!
//! Every plugin is started as Pulumi's engine starts it, and asked the same. The repetitions alternate between the
//! plugins, so that what else the machine does hits all of them. Everything is on the loopback interface.

mod client;
mod engine;
mod figures;
mod measure;
mod plot;
mod plugin;
mod process;
mod proto;
mod requests;
mod table;

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use figures::Figures;
use measure::Plan;
use plugin::Plugin;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// With fewer repetitions the guide keeps the figures that it has.
const REPEATS: usize = 5;

const PICTURE: &str = "![What the others take, as multiples of lambda-rollout](performance-process.svg)";

/// One thread: the other core is the plugin's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let root = env::var("LAMBDA_ROLLOUT_ROOT").map(PathBuf::from)?;
    let repeats = env::var("BENCH_REPEATS").ok().map_or(Ok(REPEATS), |text| text.parse())?;
    let engine = engine::serve().await?;
    let plugins = Plugin::all(&root)?;
    let plan = Plan { engine, plugins: &plugins };
    let mut figures = Figures::default();
    for repetition in 0..repeats {
        for turn in 0..plugins.len() {
            // Each begins once: none is always the one after the loudest.
            let which = (repetition + turn) % plugins.len();
            eprintln!("{} of {repeats}: {}", repetition + 1, plugins[which].name);
            plan.measure(which, &mut figures)
                .await
                .map_err(|error| format!("{} cannot be measured: {error}", plugins[which].name))?;
        }
    }
    let tables = table::render(&figures);
    io::stdout().write_all(tables.as_bytes())?;
    if repeats >= REPEATS {
        let docs = root.join("docs");
        table::insert(&docs.join("performance.md"), &format!("{tables}\n{PICTURE}\n"))?;
        fs::write(docs.join("performance-process.svg"), plot::render(&figures))?;
    }
    Ok(())
}
