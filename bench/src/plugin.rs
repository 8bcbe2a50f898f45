//! The plugins that are compared, and how each is started and ended.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Result, process};

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// The plugins, in the order of the table's columns.
pub(crate) const NAMES: [&str; 4] = ["lambda-rollout", "Go", "Node", "stub + AWS"];

/// One of those that are compared.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) name: &'static str,
    program: PathBuf,
    folder: PathBuf,
    pub(crate) token: &'static str,
    /// What the input is called that names the function's version.
    pub(crate) version_input: &'static str,
    /// The provider's code, where that is an input of each resource.
    pub(crate) code: Option<String>,
}

/// A plugin that has told its port.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The engine keeps it open; its end is the engine's end.
    _stdin: Option<ChildStdin>,
    pub(crate) port: u16,
    pub(crate) started: Instant,
    /// From the start to the port.
    pub(crate) port_after: Duration,
    /// Spent by then.
    pub(crate) cpu: Duration,
}

impl Plugin {
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>> {
        let token = "lambda-rollout:index:FunctionRollout";
        let binary = |name: &'static str, program: &str| Self {
            name,
            program: root.join("target").join(program),
            folder: root.to_owned(),
            token,
            version_input: "version",
            code: None,
        };
        let [ours, go, node, stub] = NAMES;
        Ok(vec![
            binary(ours, "release/pulumi-resource-lambda-rollout"),
            Self { version_input: "functionVersion", ..binary(go, "bench/pulumi-resource-go") },
            Self {
                name: node,
                program: root.join("node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs"),
                folder: root.to_owned(),
                token: "pulumi-nodejs:dynamic:Resource",
                version_input: "version",
                code: Some(serialised(root)?),
            },
            binary(stub, "release/pulumi-resource-stub"),
        ])
    }

    /// Of the one file that it is. Node is many files, and most of them are there anyway.
    pub(crate) fn size(&self) -> Result<Option<u64>> {
        if self.code.is_some() {
            return Ok(None);
        }
        Ok(Some(fs::metadata(&self.program)?.len()))
    }

    /// As the engine does: its address as the argument, a pipe as standard input, a process group of its own.
    pub(crate) fn start(&self, engine: &str) -> Result<Running> {
        self.start_with(engine, [])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_with(
        &self,
        engine: &str,
        environment: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Running> {
        let mut command = Command::new(&self.program);
        command.envs(environment).arg(engine).current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = Instant::now();
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or("there is no standard output")?;
        let (sender, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line).map(|_| (line, Instant::now()));
            // Nobody waits for it after the patience is over.
            drop(sender.send(read));
        });
        let told = told.recv_timeout(PATIENCE);
        let cpu = process::cpu(child.id());
        let mut running =
            Running { _stdin: child.stdin.take(), child, port: 0, started, port_after: Duration::ZERO, cpu };
        let (line, at) = told.map_err(|_| "it tells no port")??;
        running.port = line.trim().parse()?;
        running.port_after = at - started;
        Ok(running)
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Interrupts it, as the engine does when it has closed its connection, and waits until it is gone.
    pub(crate) fn end(mut self) -> Result<Duration> {
        let asked = Instant::now();
        kill_process_group(self.group()?, Signal::INT)?;
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > PATIENCE {
                return Err("it does not end".into());
            }
            thread::sleep(Duration::from_micros(100));
        }
        Ok(asked.elapsed())
    }

    fn group(&self) -> Result<Pid> {
        Pid::from_raw(i32::try_from(self.child.id())?).ok_or_else(|| "it has no id".into())
    }
}

/// Nothing is left behind, whatever went wrong.
impl Drop for Running {
    fn drop(&mut self) {
        if let (Ok(None), Ok(group)) = (self.child.try_wait(), self.group()) {
            // It may have ended in between, which is as well.
            let _ = kill_process_group(group, Signal::KILL);
            drop(self.child.wait());
        }
    }
}

fn serialised(root: &Path) -> Result<String> {
    let output = Command::new("node")
        .arg(root.join("bench/node/serialise.js"))
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the dynamic provider cannot be serialised".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
