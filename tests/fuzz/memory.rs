//! What the provider takes up is bounded by what it is sent.

use std::collections::BTreeMap;

use lambda_rollout::pulumi::proto;
use prost::Message;
use prost_types::{Struct, Value, value::Kind};

use super::{cloud::Cloud, process::Provider, wire};

/// Bytes of memory for a byte of a request. A small number in a map takes most: nine bytes on the wire and some two
/// hundred in memory, in the request, in what was read of it, in what was compared, and in the answer.
const RATIO: usize = 150;

/// Above this, requests decide about the memory and not what a process needs anyway.
const LARGE: usize = 1 << 20;

fn urn(resource: &str) -> String {
    format!("urn:pulumi:dev::shop::lambda-rollout:index:{resource}::api")
}

fn set(key: &str, value: Value) -> Struct {
    Struct { fields: BTreeMap::from([(key.to_owned(), value)]) }
}

fn check(key: &str, value: Value) -> proto::CheckRequest {
    proto::CheckRequest {
        urn: urn("FunctionRollout"),
        news: Some(set(key, value)),
        ..proto::CheckRequest::default()
    }
}

fn many(count: usize, value: impl Fn(usize) -> Value) -> Value {
    wire::object((0..count).map(|index| (format!("k{index}"), value(index))))
}

fn number(index: usize) -> Value {
    wire::kind(Kind::NumberValue(f64::from(u32::try_from(index).unwrap())))
}

/// Requests that are as large as this, in every way that a request can be large.
fn large(size: usize) -> Vec<proto::CheckRequest> {
    let strangers = (0..size / 20).map(|index| (format!("stranger{index}"), number(index))).collect();
    vec![
        check("description", wire::text("x".repeat(size))),
        check("version", wire::text("é".repeat(size / 2))),
        check(&"k".repeat(size), wire::text("x")),
        check("tags", many(size / 20, number)),
        check("triggers", many(size / 20, |_| wire::text(""))),
        check("alarms", wire::list((0..size / 11).map(number))),
        check("permissions", wire::list((0..size / 4).map(|_| wire::object([])))),
        check("alarms", wire::list((0..size / 60).map(|_| wire::secret(wire::text(""))))),
        proto::CheckRequest { news: Some(Struct { fields: strangers }), ..check("x", number(1)) },
        proto::CheckRequest { urn: "x".repeat(size), ..check("version", wire::text("1")) },
        proto::CheckRequest { r#type: "x".repeat(size), ..check("version", wire::text("1")) },
        check("hooks", wire::object([(wire::MARK.to_owned(), wire::text("x".repeat(size)))])),
    ]
}

/// A long name above many values: as often as it is repeated for each of them, the more memory it takes.
fn below_a_long_name(size: usize, offset: usize) -> Struct {
    set("tags", wire::object([("n".repeat(size / 2), many(size / 40, |index| number(index + offset)))]))
}

#[tokio::test]
async fn memory_is_bounded_by_what_is_sent() {
    let cloud = Cloud::start().await;
    let provider = Provider::start(&cloud).await;
    let (mut client, _) = provider.configured().await;
    let idle = provider.peak();
    let mut largest = 0;
    for request in large(LARGE) {
        largest = largest.max(request.encoded_len());
        // Whether it is valid or not is none of the memory's business.
        drop(client.check(request).await);
    }
    let compared = proto::DiffRequest {
        urn: urn("FunctionRollout"),
        old_inputs: Some(below_a_long_name(LARGE / 2, 0)),
        news: Some(below_a_long_name(LARGE / 2, 1)),
        ..proto::DiffRequest::default()
    };
    largest = largest.max(compared.encoded_len());
    drop(client.diff(compared).await);
    let taken = provider.peak() - idle;
    assert!(taken < largest * RATIO, "{taken} bytes for requests of {largest}, {} for one", taken / largest);
    provider.ends_well().await;
}
