//! What the sandbox needs of the endpoint that it is put in front of, and whether that is there.

use hyper::Method;
use hyper::body::Bytes;

use crate::identity::{DEFAULT_ACCOUNT, DEFAULT_REGION, Scope};
use crate::upstream::{Call, Upstream, UpstreamError};

/// A service that the endpoint should have, a harmless question for it, and what would not work without it.
struct Need {
    service: &'static str,
    ask: Ask,
    without: &'static str,
}

enum Ask {
    Path(&'static str),
    Form(&'static str, &'static str),
    Target(&'static str),
}

const NEEDS: [Need; 6] = [
    Need {
        service: "lambda",
        ask: Ask::Path("/2015-03-31/functions"),
        without: "there are no functions, versions and aliases, and nothing can be deployed",
    },
    Need {
        service: "iam",
        ask: Ask::Form("ListRoles", "2010-05-08"),
        without: "no deployment group finds its service role",
    },
    Need {
        service: "sts",
        ask: Ask::Form("GetCallerIdentity", "2011-06-15"),
        without: "temporary credentials belong to the default account",
    },
    Need {
        service: "sns",
        ask: Ask::Form("ListTopics", "2010-03-31"),
        without: "nobody is told of deployments and alarms",
    },
    Need { service: "s3", ask: Ask::Path("/"), without: "an AppSpec cannot come from S3" },
    Need {
        service: "logs",
        ask: Ask::Target("Logs_20140328.DescribeLogGroups"),
        without: "what functions print cannot be read",
    },
];

/// Asks for each service, and says what is missing. Fails if nothing answers at all.
pub(crate) async fn check(upstream: &Upstream) -> Result<(), UpstreamError> {
    let scope = Scope::new(DEFAULT_ACCOUNT, DEFAULT_REGION);
    for Need { service, ask, without } in NEEDS {
        let call = |headers| Call { scope: &scope, service, headers };
        let reply = match ask {
            Ask::Path(path) => upstream.rest(call(&[]), Method::GET, path, Bytes::new()).await?,
            Ask::Form(action, version) => {
                upstream.form(call(&[]), &[("Action", action), ("Version", version)]).await?
            }
            Ask::Target(target) => {
                let headers = [("x-amz-target", target)];
                upstream.rest(call(&headers), Method::POST, "/", Bytes::from_static(b"{}")).await?
            }
        };
        if !reply.status.is_success() {
            tracing::warn!(
                service,
                status = reply.status.as_u16(),
                "the upstream lacks a service: {without}"
            );
        }
    }
    Ok(())
}
