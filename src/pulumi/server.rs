//! The process: how it starts, listens, and ends.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use tonic::transport::{self, Server, server::TcpIncoming};

use super::{
    proto::resource_provider_server::{ResourceProvider, ResourceProviderServer},
    provider::Provider,
    service::{Service, Session},
    stop,
};

/// As large as the engine itself takes.
const MESSAGE: usize = 400 << 20;

/// What calls at work get to come to an end. The engine kills the process after five seconds.
const GRACE: Duration = Duration::from_secs(4);

/// Why a provider could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on the loopback interface")]
    Listen(#[source] io::Error),
    #[error("cannot watch for the end")]
    Watch(#[source] io::Error),
    #[error("cannot tell the port on standard output")]
    Announce(#[source] io::Error),
    #[error("cannot serve")]
    Serve(#[from] transport::Error),
}

/// Serves a provider until the process is told to stop or the engine that started it is gone.
///
/// `args` are the process's arguments without its name. It prints the port, and nothing else may ever be printed on
/// standard output. It needs a runtime with I/O and time.
pub async fn serve<P: Provider>(
    provider: P,
    args: impl IntoIterator<Item = String>,
) -> Result<(), ServeError> {
    let engine = engine_address(args);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ServeError::Listen)?;
    let port = listener.local_addr().map_err(ServeError::Listen)?.port();
    let stop = stop::watch(engine.is_some()).map_err(ServeError::Watch)?;
    let session = Arc::new(Session::new(stop.clone(), engine.as_deref()));
    announce(port).map_err(ServeError::Announce)?;

    let service = with_limits(Service::new(provider, Arc::clone(&session)));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server =
        Server::builder().serve_with_incoming_shutdown(service, incoming, stop.clone().cancelled_owned());
    let work = async {
        server.await?;
        session.idle().await;
        Ok(())
    };
    tokio::select! {
        outcome = work => outcome,
        () = grace(&stop) => Ok(()),
    }
}

/// A provider's service without a process around it: no port, no engine to log to, and nothing that stops it.
pub fn service<P: Provider>(provider: P) -> ResourceProviderServer<impl ResourceProvider> {
    with_limits(Service::new(provider, Arc::default()))
}

fn with_limits<S: ResourceProvider>(service: S) -> ResourceProviderServer<S> {
    ResourceProviderServer::new(service).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE)
}

/// Ends when the time after the stop is over.
async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(GRACE).await;
    tracing::warn!("calls were still at work when the time to end them was over");
}

/// The one line that the engine waits for.
fn announce(port: u16) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{port}")?;
    stdout.flush()
}

/// The last argument that is no flag. Without one, an engine may attach itself later.
fn engine_address(args: impl IntoIterator<Item = String>) -> Option<String> {
    let mut args = args.into_iter();
    let mut address = None;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // The one flag whose value is an argument of its own.
            "--tracing" | "-tracing" => drop(args.next()),
            flag if flag.starts_with('-') => {}
            _ => address = Some(arg),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::engine_address;

    #[test]
    fn finds_the_engine_among_the_arguments() {
        let cases: [(&[&str], Option<&str>); 6] = [
            (&[], None),
            (&["127.0.0.1:1"], Some("127.0.0.1:1")),
            (&["--logtostderr", "-v=9", "--tracing", "http://t", "127.0.0.1:1"], Some("127.0.0.1:1")),
            (&["--tracing", "http://t"], None),
            (&["--tracing=http://t", "127.0.0.1:1", "--later-flag"], Some("127.0.0.1:1")),
            (&["--tracing"], None),
        ];
        for (args, expected) in cases {
            let args = args.iter().map(|arg| (*arg).to_owned());
            assert_eq!(engine_address(args).as_deref(), expected);
        }
    }
}
