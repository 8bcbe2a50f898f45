//! The real binary, and what has to be true of it after all that it was sent.

use std::{fs, process::Stdio};

use lambda_rollout::pulumi::{
    PropertyMap, properties,
    proto::{self, resource_provider_client::ResourceProviderClient},
    wire,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};
use tonic::transport::{Channel, Endpoint};

use super::{
    answer::judge,
    cloud::Cloud,
    frames,
    request::{Call, REGION, Reach},
    shrink::{Defects, smallest},
    soak,
};

type Client = ResourceProviderClient<Channel>;

/// As large as the engine takes them.
const HEADERS: u32 = 16 << 20;
const MESSAGE: usize = 400 << 20;

/// Waits of the provider are this much shorter.
const SPEED: u32 = 100_000;

/// A running provider whose AWS is made up.
pub(crate) struct Provider {
    process: Child,
    stderr: ChildStderr,
    address: String,
}

impl Provider {
    pub(crate) async fn start(cloud: &Cloud) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pulumi-resource-lambda-rollout"))
            .env("AWS_ENDPOINT_URL", &cloud.url)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("LAMBDA_ROLLOUT_CLOCK_SPEED", SPEED.to_string())
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let stderr = process.stderr.take().unwrap();
        Self { process, stderr, address: format!("http://127.0.0.1:{}", line.trim()) }
    }

    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.address.clone()).unwrap();
        endpoint.http2_max_header_list_size(HEADERS).connect().await.unwrap()
    }

    pub(crate) async fn configured(&self) -> (Client, Channel) {
        let channel = self.channel().await;
        let mut client = Client::new(channel.clone())
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE);
        let args = [
            ("region", REGION.into()),
            ("accessKey", "a".into()),
            ("secretKey", "s".into()),
            ("maxRetries", 0.into()),
            ("requestsPerSecond", 1_000_000.into()),
            ("deploymentStartsPerSecond", 1_000_000.into()),
        ];
        client.configure(configuration(&properties(args))).await.unwrap();
        (client, channel)
    }

    /// The most memory that it has ever had, in bytes.
    pub(crate) fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }

    /// It is the process that was started, it answers, and nothing in it has gone wrong.
    pub(crate) async fn ends_well(mut self) {
        let answer = Client::new(self.channel().await).get_plugin_info(()).await.unwrap().into_inner();
        assert_eq!(answer.version, env!("CARGO_PKG_VERSION"));
        assert!(self.process.try_wait().unwrap().is_none(), "the process that was started is gone");
        self.process.kill().await.unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).await.unwrap();
        assert!(!said.contains("panicked"), "{said}");
    }
}

fn configuration(args: &PropertyMap) -> proto::ConfigureRequest {
    proto::ConfigureRequest { args: Some(wire::encode(args)), ..proto::ConfigureRequest::default() }
}

/// How many requests are on their way at once.
const LANES: u64 = 32;

/// Sends requests side by side, each made from its seed, and judges every answer.
async fn send(client: &Client, reach: Reach, seeds: std::ops::Range<u64>) -> u64 {
    let lanes = (0..LANES).map(|lane| {
        let (client, seeds) = (client.clone(), seeds.clone());
        tokio::spawn(async move {
            let (mut answered, mut wrong) = (0, Vec::new());
            for seed in seeds.filter(|seed| seed % LANES == lane) {
                let call = Call::of(seed, reach);
                let answer = call.clone().send(&mut client.clone()).await;
                answered += u64::from(answer.is_ok());
                if let Err(why) = judge(&call, &answer) {
                    wrong.push((seed, why, call));
                }
            }
            (answered, wrong)
        })
    });
    let (mut all, mut defects) = (0, Defects::default());
    for lane in lanes.collect::<Vec<_>>() {
        let (answered, wrong) = lane.await.unwrap();
        all += answered;
        for (seed, why, call) in wrong {
            if defects.is_new(&why) {
                let fails = |call: Call| {
                    let mut client = client.clone();
                    async move { judge(&call, &call.clone().send(&mut client).await).is_err() }
                };
                // What AWS answers is not the same the second time.
                let call = if reach == Reach::Alone { smallest(call, fails).await } else { call };
                defects.add(seed, &why, call);
            }
        }
    }
    defects.none();
    all
}

/// How many requests of each kind.
struct Load {
    alone: u64,
    acting: u64,
    frames: u64,
}

const BOUNDED: Load = Load { alone: 2_000, acting: 600, frames: 2_000 };
const MILLION: Load = Load { alone: 200_000, acting: 20_000, frames: 780_000 };

/// What a process may take up beside what it takes up when it is idle, as a part of that.
const GROWTH: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_outlives_all_that_it_is_sent() {
    let Load { alone, acting, frames } = if soak::is_on() { MILLION } else { BOUNDED };
    let cloud = Cloud::start().await;
    let provider = Provider::start(&cloud).await;
    let (client, channel) = provider.configured().await;
    let idle = provider.peak();

    let answered = send(&client, Reach::Alone, 1 << 40..(1 << 40) + alone).await;
    assert!(answered > alone / 2, "most requests get far, not {answered} of {alone}");
    assert_eq!(cloud.calls_to_act(), 0, "AWS was asked");

    send(&client, Reach::Aws, 2 << 40..(2 << 40) + acting).await;
    assert!(cloud.calls() > usize::try_from(acting).unwrap(), "AWS was asked only {} times", cloud.calls());

    frames::send(&channel, 3 << 40..(3 << 40) + frames, LANES).await;

    let peak = provider.peak();
    assert!(peak < idle * (1 + GROWTH), "it took up {peak} bytes, and {idle} when it was idle");
    provider.ends_well().await;
    if soak::is_on() {
        soak::tell("bad input: requests and broken frames, to one process", alone + acting + frames);
    }
}
