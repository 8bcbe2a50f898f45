//! A stand-in for AWS in tests: answers every request by a function, and keeps what came.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::config::AwsConfig;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// `GET /path?query`
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// An HTTP status and a body; status 0 is silence.
pub(super) type Reply = (u16, String);

type Script = dyn Fn(usize, &Request) -> Reply + Send + Sync;

pub(super) struct Stub {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The operation of an AWS JSON request.
    pub(super) fn operation(&self) -> &str {
        self.header("x-amz-target").rsplit('.').next().unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Stub {
    /// `script` is given the number of the request, from 0, and the request.
    pub(super) async fn start(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, script): (_, Arc<Script>) = (Arc::clone(&requests), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&script)));
            }
        });
        Self { url, requests }
    }

    /// A configuration that sends everything here and reads no credentials.
    pub(super) fn config(&self) -> AwsConfig {
        let services = ["codedeploy", "lambda", "iam", "cloudwatch", "logs", "sts"];
        AwsConfig {
            region: Some("eu-west-1".to_owned()),
            access_key: Some("id".to_owned()),
            secret_key: Some("secret".to_owned()),
            endpoints: services.map(|service| (service.to_owned(), self.url.clone())).into(),
            max_retries: Some(0),
            ..AwsConfig::default()
        }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, kept: Arc<Mutex<Vec<Request>>>, script: Arc<Script>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let (status, body) = {
            let mut kept = kept.lock().unwrap();
            kept.push(request.clone());
            script(kept.len() - 1, &request)
        };
        if status == 0 {
            return std::future::pending().await;
        }
        let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut request = Request { line: line(stream).await?, ..Request::default() };
    loop {
        let header = line(stream).await?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        request.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
