//! Stands between a provider and AWS: counts the calls, holds one of them for ever when the provider is to die, tells at
//! which one the user presses Ctrl-C, and lets some go wrong as a bad network and a busy service would.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

const SLOW: Duration = Duration::from_millis(100);

/// At which call a provider dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Counted from 1.
    pub(crate) call: usize,
    pub(crate) moment: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// AWS has not heard of the call.
    Before,
    /// AWS has done what it was asked, and the provider does not know.
    After,
}

/// What a provider has to live with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) dies: Option<Point>,
    /// The call, counted from 1, at which the operation is cancelled.
    pub(crate) cancelled: Option<usize>,
    /// How many of a hundred calls go wrong, and the seed that says which.
    pub(crate) faults: Option<(u8, u64)>,
}

impl From<Point> for Trouble {
    fn from(point: Point) -> Self {
        Self { dies: Some(point), ..Self::default() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Throttled,
    Broken,
    /// The connection breaks before AWS has heard of the call, or after it has done what it was asked.
    LostBefore,
    LostAfter,
    Slow,
}

const FAULTS: [Fault; 5] =
    [Fault::Throttled, Fault::Broken, Fault::LostBefore, Fault::LostAfter, Fault::Slow];

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    trouble: Trouble,
    calls: AtomicUsize,
    reached: Notify,
    cancel: Notify,
}

impl Proxy {
    pub(crate) async fn start(upstream: &str, trouble: Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared {
            upstream,
            trouble,
            calls: AtomicUsize::new(0),
            reached: Notify::new(),
            cancel: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { url, shared }
    }

    /// Waits until the provider is to die.
    pub(crate) async fn reached(&self) {
        self.shared.reached.notified().await;
    }

    /// Waits until the user presses Ctrl-C.
    pub(crate) async fn cancelled(&self) {
        self.shared.cancel.notified().await;
    }

    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn die_at(&self, call: usize, moment: Moment) {
        if self.trouble.dies == Some(Point { call, moment }) {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// The fault that hits a call, always the same for the same seed.
    fn fault(&self, call: usize) -> Option<Fault> {
        let (percent, seed) = self.trouble.faults?;
        let mut hasher = DefaultHasher::new();
        (seed, call).hash(&mut hasher);
        let dice = hasher.finish();
        let hit = dice % 100 < u64::from(percent);
        hit.then(|| FAULTS[usize::try_from(dice / 100 % 5).unwrap()])
    }
}

/// One connection of the provider: a request, its answer, the next request.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut client = BufReader::new(client);
    let mut upstream = BufReader::new(TcpStream::connect(&shared.upstream).await.unwrap());
    while let Some(request) = message(&mut client).await {
        let call = shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
        shared.die_at(call, Moment::Before).await;
        if shared.trouble.cancelled == Some(call) {
            shared.cancel.notify_one();
        }
        let fault = shared.fault(call);
        match fault {
            Some(Fault::LostBefore) => return,
            Some(Fault::Slow) => tokio::time::sleep(SLOW).await,
            Some(Fault::Throttled) => {
                client.write_all(&refusal(400, "ThrottlingException")).await.unwrap();
                continue;
            }
            Some(Fault::Broken) => {
                client.write_all(&refusal(500, "InternalFailure")).await.unwrap();
                continue;
            }
            Some(Fault::LostAfter) | None => {}
        }
        upstream.write_all(&request).await.unwrap();
        let Some(answer) = message(&mut upstream).await else { return };
        shared.die_at(call, Moment::After).await;
        if fault == Some(Fault::LostAfter) {
            return;
        }
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// An error in the protocol of most services; the SDK reads the code from the header for all of them.
fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"{code}","message":"made up"}}"#);
    format!(
        "HTTP/1.1 {status} Fault\r\nx-amzn-errortype: {code}\r\ncontent-type: application/x-amz-json-1.1\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A whole request or answer, as it came; `None` at the end of the connection.
pub(crate) async fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        assert!(!line.starts_with("transfer-encoding:"), "bodies have a length here");
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    stream.read_exact(&mut bytes[head..]).await.ok()?;
    Some(bytes)
}
