//! Whether an alias's traffic divides as its weights say, on the way that real invocations take.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::clock::Delay;

const INVOCATIONS: u32 = 2000;
const WEIGHT: f64 = 0.1;

/// In ministack's place: an alias with a weight, and functions that only say which version they are.
async fn upstream() -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(async |request| Ok::<_, Infallible>(stub(&request)));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Upstream::new(&address)
}

fn stub(request: &hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
    if request.uri().path().contains("/aliases/") {
        let alias = json!({ "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": WEIGHT } } });
        return http::full(http::json(200, &alias));
    }
    // ministack itself runs an alias's own version.
    let qualifier = http::query(request.uri(), "Qualifier").filter(|qualifier| qualifier != "live");
    let mut answer = http::json(200, &Value::Null);
    let version = qualifier.unwrap_or_else(|| "1".to_owned());
    http::set_header(answer.headers_mut(), "x-amz-executed-version", &version);
    http::full(answer)
}

#[tokio::test]
async fn two_thousand_invocations_at_ten_percent() {
    // The same dice each time: one in a thousand throws would be outside of the interval.
    fastrand::seed(2026);
    let (clock, upstream, scope) = (Clock::new(1.0), upstream().await, Scope::new("1", "eu-west-1"));
    let cloudwatch = CloudWatch::start(clock, Delay::default(), upstream.clone());
    let endpoint = String::new();
    let lambda = Lambda::new(Settings { clock, upstream, cloudwatch, endpoint, only_weighted: false });
    let mut moved = 0;
    for _ in 0..INVOCATIONS {
        let request = hyper::Request::post("/2015-03-31/functions/f:live/invocations").body(Bytes::new());
        let answer = lambda.handle(&scope, "Invoke", request.unwrap()).await.unwrap();
        moved += u32::from(answer.headers()["x-amz-executed-version"] == "2");
    }
    let (least, most) = interval(0.999);
    assert!((least..=most).contains(&moved), "{moved} of {INVOCATIONS}, expected {least} to {most}");
}

/// Where the number of invocations on the other version lies with this probability.
fn interval(probability: f64) -> (u32, u32) {
    let tail = (1.0 - probability) / 2.0;
    let mut exactly = (1.0 - WEIGHT).powf(f64::from(INVOCATIONS));
    let mut up_to = 0.0;
    let mut least = 0;
    for hits in 0..INVOCATIONS {
        up_to += exactly;
        if up_to <= tail {
            least = hits + 1;
        }
        if up_to >= 1.0 - tail {
            return (least, hits);
        }
        exactly *= f64::from(INVOCATIONS - hits) / f64::from(hits + 1) * WEIGHT / (1.0 - WEIGHT);
    }
    (least, INVOCATIONS)
}

#[test]
fn the_interval_is_that_of_the_binomial_distribution() {
    let (least, most) = interval(0.999);
    // The normal approximation: 200 and 3.29 standard deviations of 13.4.
    assert!(least.abs_diff(156) <= 2 && most.abs_diff(244) <= 2, "{least} to {most}");
}
