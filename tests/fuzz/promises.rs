//! Every request that asks AWS nothing, through the real service, without a process around it.

use lambda_rollout::{
    pulumi::{
        PropertyMap, PropertyValue, properties,
        proto::{self, resource_provider_client::ResourceProviderClient},
        service, wire,
    },
    resources::provider::RolloutProvider,
};
use tonic::{body::Body, client::GrpcService, codegen::StdError};

use super::{
    answer::judge,
    dice::Dice,
    request::{Call, REGION, Reach},
    shape::SCHEMA,
    shrink::{Defects, smallest},
    soak,
    wire::{self as random, Taste},
};

const CASES: u64 = 3_000;
const SOAK_CASES: u64 = 100_000;

pub(crate) fn cases() -> u64 {
    if soak::is_on() { SOAK_CASES } else { CASES }
}

/// A service that is configured, and never asks AWS.
pub(crate) async fn configured()
-> ResourceProviderClient<impl GrpcService<Body, ResponseBody = Body, Error: Into<StdError>> + Clone> {
    let mut client = ResourceProviderClient::new(service(RolloutProvider::default()));
    let args = properties([("region", REGION.into()), ("accessKey", "a".into()), ("secretKey", "s".into())]);
    let request =
        proto::ConfigureRequest { args: Some(wire::encode(&args)), ..proto::ConfigureRequest::default() };
    client.configure(request).await.unwrap();
    client
}

#[tokio::test]
async fn every_answer_is_valid_or_a_useful_error() {
    let client = configured().await;
    let mut answered = 0;
    let mut defects = Defects::default();
    for seed in 0..cases() {
        let call = Call::of(seed, Reach::Alone);
        let answer = call.clone().send(&mut client.clone()).await;
        answered += u64::from(answer.is_ok());
        let Err(why) = judge(&call, &answer) else { continue };
        if defects.is_new(&why) {
            let fails = |call: Call| {
                let mut client = client.clone();
                async move { judge(&call, &call.clone().send(&mut client).await).is_err() }
            };
            defects.add(seed, &why, smallest(call, fails).await);
        }
    }
    defects.none();
    assert!(answered > cases() / 2, "most requests get far, not {answered} of {}", cases());
    if soak::is_on() {
        soak::tell("bad input: requests without a process", cases());
    }
}

/// Equal inputs are no change, and a property that is null is as good as none.
#[tokio::test]
async fn what_means_the_same_is_no_change() {
    let client = configured().await;
    for seed in 0..cases() / 10 {
        let dice = &mut Dice::new(seed);
        let thing = dice.pick(&SCHEMA.resources);
        let taste = Taste { wild: 15, unknown: 0, hushed: false };
        let Ok(inputs) = wire::decode(random::properties(&thing.inputs, taste, dice)) else { continue };
        if inputs.values().any(PropertyValue::contains_unknown) {
            continue;
        }
        let mut with_nulls = inputs.clone();
        for member in &thing.inputs {
            with_nulls.entry(member.name.clone()).or_default();
        }
        let urn = format!("urn:pulumi:dev::shop::{}::api", thing.token);
        let request = proto::DiffRequest {
            urn: urn.clone(),
            old_inputs: Some(wire::encode(&inputs)),
            news: Some(wire::encode(&with_nulls)),
            ..proto::DiffRequest::default()
        };
        let diff = match client.clone().diff(request).await {
            Ok(diff) => diff.into_inner(),
            // Protobuf itself reads nothing that lies so deep.
            Err(refused) if refused.message().ends_with("recursion limit reached") => continue,
            Err(refused) => panic!("seed {seed}: {refused}"),
        };
        assert!(diff.detailed_diff.is_empty(), "seed {seed}: {:?} in {inputs:?}", diff.detailed_diff);
        let failures = async |inputs: &PropertyMap| {
            let news = Some(wire::encode(inputs));
            let request = proto::CheckRequest { urn: urn.clone(), news, ..proto::CheckRequest::default() };
            let failures = client.clone().check(request).await.unwrap().into_inner().failures;
            // What is null can be named as a property, and what is absent only in the reason.
            let text = |failure: proto::CheckFailure| format!("{} {}", failure.property, failure.reason);
            failures.into_iter().map(|failure| text(failure).trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(failures(&inputs).await, failures(&with_nulls).await, "seed {seed}: {inputs:?}");
    }
}

/// What can be read of a wire can be written, and is the same when it is read again.
#[test]
fn what_is_read_can_be_written() {
    for seed in 0..cases() * 5 {
        let dice = &mut Dice::new(seed);
        let taste = Taste { wild: 1, unknown: 5, hushed: false };
        let sent =
            prost_types::Struct { fields: [("x".to_owned(), random::anything(taste, dice, 0))].into() };
        let Ok(read) = wire::decode(sent) else { continue };
        let again = wire::decode(wire::encode(&read)).unwrap();
        // Numbers that are none are not equal to themselves, but look alike.
        assert!(again == read || format!("{again:?}") == format!("{read:?}"), "seed {seed}: {read:?}");
    }
}
