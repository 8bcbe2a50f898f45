//! The process as others on the machine and on the network meet it: where it listens, and whom it trusts.
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected is")]

use std::process::Stdio;
use std::sync::Arc;

use lambda_rollout::pulumi::proto::{self, resource_provider_client::ResourceProviderClient};
use lambda_rollout::pulumi::{properties, wire};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The provider, and the port that it told.
async fn start(endpoint: &str) -> (Child, u16) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_pulumi-resource-lambda-rollout"))
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1")
        .env("LAMBDA_ROLLOUT_CLOCK_SPEED", "1000")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let port = line.trim().parse().unwrap();
    (process, port)
}

/// Every socket on which the process listens is on 127.0.0.1, in none of the ways that the kernel knows.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn listens_on_loopback_and_nowhere_else() {
    let (process, port) = start("http://127.0.0.1:1").await;
    let id = process.id().unwrap();
    let own: Vec<String> = std::fs::read_dir(format!("/proc/{id}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut listening = Vec::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/{id}/net/{table}")).unwrap_or_default();
        for row in table.lines().skip(1) {
            let fields: Vec<&str> = row.split_whitespace().collect();
            // 0A is the state of a socket that listens.
            if fields[3] == "0A" && own.iter().any(|inode| inode == fields[9]) {
                listening.push(fields[1].to_owned());
            }
        }
    }
    // The kernel writes the four bytes of the address in the machine's own order.
    let loopback = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
    assert_eq!(listening, [format!("{loopback}:{port:04X}")]);
}

/// A server on this machine with a certificate that nobody vouches for.
async fn impostor() -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key.into());
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever gets through the handshake would now send credentials.
            assert!(acceptor.accept(stream).await.is_err(), "the provider trusts anybody");
        }
    });
    url
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let url = impostor().await;
    let (_process, port) = start(&url).await;
    let mut client = ResourceProviderClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap();
    client.configure(proto::ConfigureRequest::default()).await.unwrap();
    let inputs = properties([("functionName", "orders".into()), ("version", "1".into())]);
    let request = proto::CreateRequest {
        urn: "urn:pulumi:dev::shop::lambda-rollout:index:FunctionRollout::orders".to_owned(),
        properties: Some(wire::encode(&inputs)),
        timeout: 300.0,
        ..proto::CreateRequest::default()
    };
    let refusal = client.create(request).await.unwrap_err();
    let said = refusal.message();
    assert!(said.contains(&url) && said.contains("certificate"), "{said}");
}
