//! What may be answered to a bad request: something valid, or an error that a person can use.

use std::collections::BTreeSet;

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, plain, proto, same, wire};
use prost::Message;
use prost_types::{Struct, Value, value::Kind};
use tonic::{Code, Status};

use super::{
    request::{Answer, Call},
    text::{HUSH, HUSH_DIGITS, HUSH_NUMBER},
    wire::{MARK, SECRET},
};

/// An error's message travels in a header; clients drop answers whose headers are too large.
const LONGEST_MESSAGE: usize = 256 << 10;

type Verdict = Result<(), String>;

/// Says what is wrong with an answer.
pub(crate) fn judge(call: &Call, answer: &Result<Answer, Status>) -> Verdict {
    let answer = match answer {
        Err(status) => return judge_error(call, status),
        Ok(answer) => answer,
    };
    match (call, answer) {
        (Call::Check(request), Answer::Checked(answer)) => judge_checked(request, answer),
        (Call::CheckConfig(_), Answer::Checked(answer)) => {
            decoded(answer.inputs.as_ref())?;
            answer.failures.iter().try_for_each(|failure| judge_failure(failure, &PropertyMap::new()))
        }
        (_, Answer::Differs(answer)) => judge_difference(answer),
        (Call::Create(request), Answer::Created(answer)) => {
            let outputs = decoded(answer.properties.as_ref())?;
            let inputs = readable(request.properties.as_ref());
            all(request.preview || !answer.id.is_empty(), "it was created without an id")?;
            judge_outputs(&inputs, &outputs, request.preview)
        }
        (Call::Update(request), Answer::Updated(answer)) => {
            let outputs = decoded(answer.properties.as_ref())?;
            judge_outputs(&readable(request.news.as_ref()), &outputs, request.preview)
        }
        (Call::Read(_), Answer::Read(answer)) if !answer.id.is_empty() => {
            let (outputs, inputs) = (decoded(answer.properties.as_ref())?, decoded(answer.inputs.as_ref())?);
            all(known(&outputs) && known(&inputs), "what was read is not known")
        }
        (Call::Invoke(request), Answer::Invoked(answer)) => {
            decoded(answer.r#return.as_ref())?;
            let declared = readable(request.args.as_ref());
            answer.failures.iter().try_for_each(|failure| judge_failure(failure, &declared))
        }
        _ => Ok(()),
    }
}

fn all(holds: bool, otherwise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn judge_error(call: &Call, status: &Status) -> Verdict {
    let text = status.message();
    all(text.len() > 10, &format!("an error says nothing: {status:?}"))?;
    all(text.len() <= LONGEST_MESSAGE, &format!("a message of {} bytes", text.len()))?;
    let lower = text.to_lowercase();
    for word in ["panicked", "crashed", "a bug", "this bug", "unwrap"] {
        all(!lower.contains(word), &format!("\"{word}\" for bad input: {text}"))?;
    }
    let acts = match call {
        Call::Create(request) => !request.preview,
        Call::Update(request) => !request.preview,
        Call::Read(_) => true,
        _ => false,
    };
    match status.code() {
        Code::FailedPrecondition | Code::InvalidArgument | Code::Aborted => {}
        Code::Unknown if acts => judge_partial(call, status)?,
        // Protobuf refuses what is nested too deep.
        Code::Internal if lower.contains("recursion") => {}
        code => return Err(format!("{code:?}: {text}")),
    }
    // An object's name stands in what AWS says; before that nothing of a secret is to be seen.
    all(
        acts || matches!(call, Call::Invoke(_) | Call::Delete(_)) || !tells(text),
        &format!("a secret is told: {text}"),
    )
}

/// `google.rpc.Status`, as far as it has to be known here.
#[derive(Clone, PartialEq, Message)]
struct Detailed {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

fn judge_partial(call: &Call, status: &Status) -> Verdict {
    let detailed = Detailed::decode(status.details()).map_err(|error| error.to_string())?;
    let [any] = detailed.details.as_slice() else {
        return Err(format!("unknown, without details: {status:?}"));
    };
    let partial =
        proto::ErrorResourceInitFailed::decode(any.value.as_slice()).map_err(|error| error.to_string())?;
    all(!partial.id.is_empty() && !partial.reasons.is_empty(), "a partial state without an id or a reason")?;
    let outputs = decoded(partial.properties.as_ref())?;
    let inputs = match call {
        Call::Create(request) => readable(request.properties.as_ref()),
        Call::Update(request) => readable(request.news.as_ref()),
        _ => PropertyMap::new(),
    };
    all(known(&outputs), "a partial state that is not known")?;
    all(!shows(&outputs, &inputs), &format!("a partial state shows a secret: {outputs:?}"))
}

fn judge_checked(request: &proto::CheckRequest, answer: &proto::CheckResponse) -> Verdict {
    let declared = readable(request.news.as_ref());
    let inputs = decoded(answer.inputs.as_ref())?;
    all(same(&plain(&declared), &plain(&inputs)), "the check changed the inputs")?;
    all(keeps_secrets(&declared, &inputs), "the check took a secret's mark away")?;
    answer.failures.iter().try_for_each(|failure| judge_failure(failure, &declared))
}

/// A failure names a property that was declared, or names it in the reason; and it tells no secret.
fn judge_failure(failure: &proto::CheckFailure, declared: &PropertyMap) -> Verdict {
    all(failure.reason.len() > 5, &format!("a failure without a reason: {failure:?}"))?;
    let shown = format!("{} {}", failure.property, failure.reason);
    all(!tells(&shown), &format!("a secret is told: {shown}"))?;
    if failure.property.is_empty() {
        return Ok(());
    }
    let quoted = |key: &str| format!("[\"{}\"]", key.replace('"', "\\\""));
    let named = declared.iter().find(|(key, _)| **key == failure.property || quoted(key) == failure.property);
    let Some((_, value)) = named else { return Err(format!("{} was not declared", failure.property)) };
    all(!value.contains_secret(), &format!("{} is secret, and the engine would show it", failure.property))
}

fn judge_difference(answer: &proto::DiffResponse) -> Verdict {
    use proto::{diff_response::DiffChanges, property_diff::Kind};
    let none = answer.changes() == DiffChanges::DiffNone;
    all(none == answer.detailed_diff.is_empty(), "the difference contradicts itself")?;
    let replaces = answer
        .detailed_diff
        .values()
        .any(|change| matches!(change.kind(), Kind::AddReplace | Kind::DeleteReplace | Kind::UpdateReplace));
    all(replaces != answer.replaces.is_empty(), "it replaces, and does not say what")
}

/// Outputs hold the inputs, and what is made from a secret is secret.
fn judge_outputs(inputs: &PropertyMap, outputs: &PropertyMap, preview: bool) -> Verdict {
    all(preview || known(outputs), "outputs that are not known")?;
    all(!shows(outputs, inputs), &format!("outputs show a secret: {outputs:?}"))?;
    all(keeps_secrets(inputs, outputs), "an output lost the mark of its input")?;
    let lost: Vec<_> = inputs.keys().filter(|key| !outputs.contains_key(*key)).collect();
    all(lost.is_empty(), &format!("inputs are not among the outputs: {lost:?}"))
}

fn known(map: &PropertyMap) -> bool {
    !map.values().any(PropertyValue::contains_unknown)
}

/// What could be read of a request; one that could not was answered with an error.
fn readable(wire: Option<&Struct>) -> PropertyMap {
    wire.and_then(|wire| wire::decode(wire.clone()).ok()).unwrap_or_default()
}

/// The properties of an answer, which are always there and valid.
fn decoded(wire: Option<&Struct>) -> Result<PropertyMap, String> {
    let wire = wire.ok_or("an answer without properties")?;
    wire::decode(wire.clone()).map_err(|error| format!("an answer that cannot be read: {error}"))
}

/// Each secret property is secret on the other side, too.
fn keeps_secrets(before: &PropertyMap, after: &PropertyMap) -> bool {
    before.iter().all(|(key, value)| keeps_secret(value, after.get(key)))
}

fn keeps_secret(before: &PropertyValue, after: Option<&PropertyValue>) -> bool {
    let Some(after) = after else { return true };
    if after.is_secret() {
        return true;
    }
    if before.is_secret() {
        return false;
    }
    match (before.reveal(), after.reveal()) {
        (PropertyValue::Object(before), PropertyValue::Object(after)) => keeps_secrets(before, after),
        (PropertyValue::Array(before), PropertyValue::Array(after)) => {
            before.iter().zip(after).all(|(before, after)| keeps_secret(before, Some(after)))
        }
        _ => true,
    }
}

/// Whether anything that only secrets hold stands in the open.
fn shows(outputs: &PropertyMap, inputs: &PropertyMap) -> bool {
    let open: BTreeSet<&str> =
        inputs.iter().filter(|(_, value)| holds(value)).map(|(key, _)| key.as_str()).collect();
    outputs.iter().any(|(key, value)| !open.contains(key.as_str()) && holds(value))
}

fn holds(value: &PropertyValue) -> bool {
    if value.is_secret() {
        return false;
    }
    match value.reveal() {
        PropertyValue::String(text) => tells(text),
        PropertyValue::Number(number) => (number - HUSH_NUMBER).abs() < 0.5,
        PropertyValue::Array(items) => items.iter().any(holds),
        PropertyValue::Object(map) => map.values().any(holds),
        _ => false,
    }
}

fn tells(text: &str) -> bool {
    text.contains(HUSH) || text.contains(HUSH_DIGITS)
}

/// A request as a person reads it.
pub(crate) fn shown(call: &mut Call) -> String {
    let properties: Vec<String> =
        call.properties().into_iter().map(|set| json(&set.fields).to_string()).collect();
    let mut bare = call.clone();
    bare.properties().into_iter().for_each(|set| set.fields.clear());
    format!("{bare:?}\n  properties: {}", properties.join("\n              "))
}

fn json<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>) -> serde_json::Value {
    let entries = fields.into_iter().map(|(key, value)| {
        let key = if key == MARK { "MARK".to_owned() } else { key.clone() };
        (key, json_of(value))
    });
    serde_json::Value::Object(entries.collect())
}

fn json_of(value: &Value) -> serde_json::Value {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
        Some(Kind::BoolValue(value)) => (*value).into(),
        Some(Kind::NumberValue(number)) => serde_json::Number::from_f64(*number)
            .map_or_else(|| number.to_string().into(), serde_json::Value::Number),
        Some(Kind::StringValue(text)) if text == SECRET => "SECRET".into(),
        Some(Kind::StringValue(text)) => text.as_str().into(),
        Some(Kind::ListValue(list)) => list.values.iter().map(json_of).collect(),
        Some(Kind::StructValue(object)) => json(&object.fields),
    }
}
