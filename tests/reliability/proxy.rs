//! Stands between a provider and AWS, counts the calls, and holds one of them for ever when the provider is to die.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

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

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    point: Option<Point>,
    calls: AtomicUsize,
    reached: Notify,
}

impl Proxy {
    pub(crate) async fn start(upstream: &str, point: Option<Point>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared { upstream, point, calls: AtomicUsize::new(0), reached: Notify::new() });
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

    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn die_at(&self, call: usize, moment: Moment) {
        if self.point == Some(Point { call, moment }) {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// One connection of the provider: a request, its answer, the next request.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut client = BufReader::new(client);
    let mut upstream = BufReader::new(TcpStream::connect(&shared.upstream).await.unwrap());
    while let Some(request) = message(&mut client).await {
        let call = shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
        shared.die_at(call, Moment::Before).await;
        upstream.write_all(&request).await.unwrap();
        let Some(answer) = message(&mut upstream).await else { return };
        shared.die_at(call, Moment::After).await;
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A whole request or answer, as it came; `None` at the end of the connection.
async fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
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
