//! A gate in front of the sandbox: a test decides, while a provider runs, what becomes of each of its calls.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{proxy::message, world::in_time};

/// A call of the provider.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Counted from 1.
    pub(crate) number: usize,
    /// `CreateDeployment`, `SimulatePrincipalPolicy`; for services with paths, `GET /2015-03-31/functions/api/aliases/live`.
    pub(crate) operation: String,
    pub(crate) access_key: String,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn is(&self, part: &str) -> bool {
        self.operation.contains(part)
    }
}

/// What becomes of a call.
pub(crate) enum Verdict {
    Pass,
    /// The service refuses it, with this code.
    Refuse(u16, &'static str),
    /// It waits until the test decides otherwise.
    Hold,
    /// It passes, and its answer is lost with the connection.
    Lose,
    /// It passes, and its answer in JSON is another.
    Change(fn(&mut Value)),
}

type Judge = Arc<dyn Fn(&Call) -> Verdict + Send + Sync>;

pub(crate) struct Gate {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    judge: watch::Sender<Judge>,
    calls: watch::Sender<Vec<Call>>,
    answered: AtomicUsize,
}

impl Gate {
    pub(crate) async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pass: Judge = Arc::new(|_| Verdict::Pass);
        let shared = Arc::new(Shared {
            upstream: upstream.trim_start_matches("http://").to_owned(),
            judge: watch::Sender::new(pass),
            calls: watch::Sender::default(),
            answered: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { url, shared }
    }

    /// From now on; calls that are held are judged anew.
    pub(crate) fn judge(&self, judge: impl Fn(&Call) -> Verdict + Send + Sync + 'static) {
        self.shared.judge.send_replace(Arc::new(judge));
    }

    pub(crate) fn open(&self) {
        self.judge(|_| Verdict::Pass);
    }

    /// Everything that was asked so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.borrow().clone()
    }

    /// How many of them have their answer.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.calls().iter().filter(|call| call.is(part)).count()
    }

    /// Waits until so many calls of this kind have come.
    pub(crate) async fn saw(&self, part: &str, count: usize) {
        let enough = |calls: &Vec<Call>| calls.iter().filter(|call| call.is(part)).count() >= count;
        in_time(part, async { drop(self.shared.calls.subscribe().wait_for(enough).await.unwrap()) }).await;
    }
}

/// One connection of the provider.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut client = BufReader::new(client);
    let mut upstream = BufReader::new(TcpStream::connect(&shared.upstream).await.unwrap());
    while let Some(request) = message(&mut client).await {
        let mut call = read(&request);
        shared.calls.send_modify(|calls| {
            call.number = calls.len() + 1;
            calls.push(call.clone());
        });
        let mut judges = shared.judge.subscribe();
        let verdict = loop {
            let judge = Arc::clone(&judges.borrow_and_update());
            match judge(&call) {
                Verdict::Hold => {}
                decided => break decided,
            }
            if judges.changed().await.is_err() {
                return;
            }
        };
        let answer = match verdict {
            Verdict::Refuse(status, code) => refusal(&call, status, code),
            Verdict::Lose => {
                ask(&mut upstream, &request).await;
                return;
            }
            Verdict::Change(change) => {
                let Some(answer) = ask(&mut upstream, &request).await else { return };
                changed(&answer, change)
            }
            Verdict::Pass | Verdict::Hold => {
                let Some(answer) = ask(&mut upstream, &request).await else { return };
                answer
            }
        };
        if client.write_all(&answer).await.is_err() {
            return;
        }
        shared.answered.fetch_add(1, Ordering::SeqCst);
    }
}

async fn ask(upstream: &mut BufReader<TcpStream>, request: &[u8]) -> Option<Vec<u8>> {
    upstream.write_all(request).await.ok()?;
    message(upstream).await
}

fn read(request: &[u8]) -> Call {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap();
    let (method, path) = line.rsplit_once(' ').unwrap().0.split_once(' ').unwrap();
    let header = |name: &str| {
        let named = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        head.lines().find(named).and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let target = header("x-amz-target").and_then(|target| Some(target.split_once('.')?.1.to_owned()));
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    let smithy = path.rsplit_once("/operation/").map(|(_, operation)| operation.to_owned());
    let authorization = header("authorization").unwrap_or_default();
    let access_key = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
    Call {
        number: 0,
        operation: target.or(smithy).or(action).unwrap_or_else(|| format!("{method} {path}")),
        access_key: access_key.split('/').next().unwrap_or_default().to_owned(),
        body: body.to_owned(),
    }
}

/// An error in the protocol that the call was made in.
fn refusal(call: &Call, status: u16, code: &str) -> Vec<u8> {
    let message = format!("the test says {code}");
    let (kind, body) = if call.body.starts_with("Action=") {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        ("text/xml", format!("<ErrorResponse>{error}</ErrorResponse>"))
    } else {
        ("application/json", json!({ "__type": code, "message": message }).to_string())
    };
    let head = format!("HTTP/1.1 {status} Refused\r\nx-amzn-errortype: {code}\r\ncontent-type: {kind}");
    response(&head, &body)
}

fn changed(answer: &[u8], change: fn(&mut Value)) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut value: Value = serde_json::from_str(body).unwrap();
    change(&mut value);
    let kept = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    response(&kept.collect::<Vec<_>>().join("\r\n"), &value.to_string())
}

fn response(head: &str, body: &str) -> Vec<u8> {
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
