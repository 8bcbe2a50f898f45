//! A running sandbox: the endpoint, and the ministack behind it.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cli::{Behind, Options};
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::codedeploy::{Aws, CodeDeploy, Rules};
use crate::gateway::{self, Gateway, Parts};
use crate::iam::Roles;
use crate::lambda::{Lambda, Settings};
use crate::limits::Rates;
use crate::ministack::{FindError, Ministack, StartError, find};
use crate::needs;
use crate::upstream::{Upstream, UpstreamError};

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("port {port} cannot be used: {source}\nTake another with --port, or any free one with --port 0")]
    Port { port: u16, source: io::Error },
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(
        "{address} cannot be used as upstream: {source}\nIs it running? It needs the services that --help names"
    )]
    Upstream { address: String, source: UpstreamError },
    #[error("ministack ended by itself. Its last lines:\n{0}")]
    Ended(String),
}

#[derive(Debug)]
pub struct Sandbox {
    pub endpoint: String,
    ministack: Option<Ministack>,
    server: JoinHandle<std::convert::Infallible>,
}

impl Sandbox {
    /// Starts everything, and returns when calls can come.
    pub async fn start(options: &Options) -> Result<Self, SandboxError> {
        let refused = |source| SandboxError::Port { port: options.port, source };
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(refused)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(refused)?);
        let clock = Clock::new(options.speed);
        clock.set_skew(options.clock_skew);
        let (ministack, address) = match &options.behind {
            Behind::Upstream(address) => {
                let missing = |source| SandboxError::Upstream { address: address.clone(), source };
                needs::check(&Upstream::new(address)).await.map_err(missing)?;
                (None, address.clone())
            }
            Behind::Ministack(path) => {
                let ministack = Ministack::start(&find(path.as_deref())?, &endpoint, clock).await?;
                let address = ministack.address.clone();
                (Some(ministack), address)
            }
        };
        let gateway = gateway(options, clock, &endpoint, &Upstream::new(&address));
        let server = tokio::spawn(gateway::serve(listener, gateway));
        Ok(Self { endpoint, ministack, server })
    }

    /// Returns when the ministack behind it ends by itself, which it never should.
    pub async fn broken(&mut self) -> SandboxError {
        match &mut self.ministack {
            Some(ministack) => SandboxError::Ended(ministack.ended().await),
            None => std::future::pending().await,
        }
    }

    /// Ends everything that was started.
    pub async fn stop(self) {
        self.server.abort();
        if let Some(ministack) = self.ministack {
            ministack.stop().await;
        }
    }
}

fn gateway(options: &Options, clock: Clock, endpoint: &str, upstream: &Upstream) -> Arc<Gateway> {
    let cloudwatch = CloudWatch::start(clock, options.metric_delay, upstream.clone());
    let roles = Arc::new(Roles::new(upstream.clone(), clock, options.iam_delay));
    let lambda = Lambda::new(Settings {
        clock,
        upstream: upstream.clone(),
        cloudwatch: Arc::clone(&cloudwatch),
        endpoint: endpoint.to_owned(),
        only_weighted: options.executed_version_only_weighted,
    });
    // An account has one set of rates, whoever uses it up.
    let rates = Arc::new(Rates::new(clock));
    let aws = Aws {
        upstream: upstream.clone(),
        lambda: Arc::clone(&lambda),
        cloudwatch: Arc::clone(&cloudwatch),
        roles: Arc::clone(&roles),
        rates: options.throttle_codedeploy.then(|| Arc::clone(&rates)),
    };
    let chosen = Rules {
        rollback_info_delay: options.rollback_info_delay,
        provisioning: options.provisioning,
        ..Rules::default()
    };
    let codedeploy = CodeDeploy::new(clock, aws, if options.limits { chosen.with_quotas() } else { chosen });
    let rates = options.limits.then_some(rates);
    Gateway::new(Parts { clock, upstream: upstream.clone(), codedeploy, cloudwatch, lambda, roles, rates })
}
