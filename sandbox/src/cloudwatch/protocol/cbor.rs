//! CBOR, as Smithy's RPC protocol uses it: points in time have tag 1.

use ciborium::Value as Cbor;
use hyper::body::Bytes;
use serde_json::{Map, Number, Value};

use super::is_time;
use crate::http::{self, Response};

const EPOCH: u64 = 1;

pub(crate) fn read(body: &Bytes) -> Result<Value, String> {
    let value: Cbor = ciborium::from_reader(body.as_ref()).map_err(|error| error.to_string())?;
    json(value)
}

pub(crate) fn response(status: u16, answer: &Value) -> Response {
    let mut body = Vec::new();
    // Writing to memory fails only for values that JSON does not have.
    if let Err(error) = ciborium::into_writer(&cbor(answer, false), &mut body) {
        tracing::error!(%error, "an answer could not be written as CBOR");
    }
    let mut response = http::with_body(status, "application/cbor", body);
    http::set_header(response.headers_mut(), "smithy-protocol", "rpc-v2-cbor");
    response
}

fn json(value: Cbor) -> Result<Value, String> {
    Ok(match value {
        Cbor::Integer(integer) => {
            let integer = i128::from(integer);
            i64::try_from(integer).map(Value::from).map_err(|_| format!("{integer} is too large"))?
        }
        Cbor::Float(float) => Number::from_f64(float).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Tag(_, inner) => json(*inner)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Cbor::Map(pairs) => {
            let mut map = Map::new();
            for (name, member) in pairs {
                let Cbor::Text(name) = name else { return Err("a member's name is not text".to_owned()) };
                map.insert(name, json(member)?);
            }
            Value::Object(map)
        }
        _ => Value::Null,
    })
}

fn cbor(value: &Value, time: bool) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) if time => {
            Cbor::Tag(EPOCH, Box::new(Cbor::Float(number.as_f64().unwrap_or_default())))
        }
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Cbor::Integer(integer.into()),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::Array(items) => Cbor::Array(items.iter().map(|item| cbor(item, time)).collect()),
        Value::Object(members) => {
            let pairs =
                members.iter().map(|(name, member)| (Cbor::Text(name.clone()), cbor(member, is_time(name))));
            Cbor::Map(pairs.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_back() {
        let value =
            json!({ "a": 1, "b": -2.5, "c": [true, null, "x"], "Timestamp": 1.5, "Timestamps": [2.0] });
        let body = response(200, &value).into_body();
        assert_eq!(read(&body).unwrap(), value);
    }

    #[test]
    fn times_are_tagged_and_whole_doubles_stay_doubles() {
        let answer = json!({ "StateUpdatedTimestamp": 3.0, "Threshold": 0.0, "Period": 60 });
        let Cbor::Map(pairs) = cbor(&answer, false) else { panic!("a map") };
        let find = |name: &str| {
            pairs.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value).unwrap()
        };
        assert_eq!(*find("StateUpdatedTimestamp"), Cbor::Tag(1, Box::new(Cbor::Float(3.0))));
        assert_eq!(*find("Threshold"), Cbor::Float(0.0));
        assert_eq!(*find("Period"), Cbor::Integer(60.into()));
    }

    #[test]
    fn garbage_is_refused() {
        assert!(read(&Bytes::from_static(&[0xff, 0x00])).is_err());
    }
}
