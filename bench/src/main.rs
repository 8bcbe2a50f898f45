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
mod waiting;

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use figures::Figures;
use measure::Plan;
use plugin::Plugin;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// With fewer repetitions the guide keeps the figures that it has.
const REPEATS: usize = 5;

/// How many sizes of waiting a quick look has.
const QUICK_SIZES: usize = 2;

const PROCESS: &str = "![What the others take, as multiples of lambda-rollout](performance-process.svg)";
const WAITING: &str = "![Calls to AWS while deployments are waited for](performance-waiting.svg)";

/// One thread: the other core is the plugin's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let root = env::var("LAMBDA_ROLLOUT_ROOT").map(PathBuf::from)?;
    let repeats = env::var("BENCH_REPEATS").ok().map_or(Ok(REPEATS), |text| text.parse())?;
    let only = env::var("BENCH_ONLY").unwrap_or_default();
    let is_wanted = |part: &str| only.is_empty() || only == part;
    let engine = engine::serve().await?;
    let guide = Guide { docs: root.join("docs"), is_written: repeats >= REPEATS };
    if is_wanted("process") {
        let figures = measure_processes(&root, &engine, repeats).await?;
        guide.put("process", &table::render(&figures), PROCESS, &plot::render(&figures))?;
    }
    if is_wanted("waiting") {
        let sizes = if guide.is_written { waiting::SIZES.len() } else { QUICK_SIZES };
        let outcomes = waiting::measure(&root, &engine, sizes).await?;
        guide.put("waiting", &waiting::table(&outcomes), WAITING, &waiting::plot(&outcomes))?;
    }
    Ok(())
}

async fn measure_processes(root: &Path, engine: &str, repeats: usize) -> Result<Figures> {
    let plugins = Plugin::all(root)?;
    let plan = Plan { engine: engine.to_owned(), plugins: &plugins };
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
    Ok(figures)
}

/// The page that the tables go into.
struct Guide {
    docs: PathBuf,
    is_written: bool,
}

impl Guide {
    /// Prints the tables of a part, and puts them into the page with their picture.
    fn put(&self, part: &str, tables: &str, picture: &str, svg: &str) -> Result<()> {
        io::stdout().write_all(tables.as_bytes())?;
        if self.is_written {
            table::insert(&self.docs.join("performance.md"), part, &format!("{tables}\n{picture}\n"))?;
            fs::write(self.docs.join(format!("performance-{part}.svg")), svg)?;
        }
        Ok(())
    }
}
