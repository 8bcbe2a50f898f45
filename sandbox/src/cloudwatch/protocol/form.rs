//! The oldest protocol: a form with dotted names in, XML out.

use hyper::body::Bytes;
use serde_json::{Map, Value};

use super::is_time;
use crate::error::ServiceError;
use crate::http::{self, Response};
use crate::timestamp;
use crate::xml::escape;

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// `A.member.1.B=x` becomes `{"A": [{"B": "x"}]}`.
pub(crate) fn read(body: &Bytes) -> Value {
    let mut tree = Value::Object(Map::new());
    for (name, value) in form_urlencoded::parse(body) {
        let mut place = &mut tree;
        for part in name.split('.') {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[part];
        }
        *place = Value::String(value.into_owned());
    }
    lists(tree)
}

/// Turns `{"member": {"1": …, "2": …}}` into a list, in the order of the numbers.
fn lists(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    if members.len() == 1
        && let Some(Value::Object(items)) = members.get("member")
    {
        let mut items: Vec<_> = items.iter().collect();
        items.sort_by_key(|(number, _)| number.parse::<u32>().unwrap_or(u32::MAX));
        return Value::Array(items.into_iter().map(|(_, item)| lists(item.clone())).collect());
    }
    Value::Object(members.into_iter().map(|(name, member)| (name, lists(member))).collect())
}

pub(crate) fn response(operation: &str, answer: &Value) -> Response {
    let result = format!("<{operation}Result>{}</{operation}Result>", write(answer, false));
    let body = format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata><RequestId>{}</RequestId>\
         </ResponseMetadata></{operation}Response>",
        request_id()
    );
    http::with_body(200, "text/xml", body)
}

pub(crate) fn error(error: &ServiceError) -> Response {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        error.code,
        escape(&error.message),
        request_id()
    );
    http::with_body(error.status, "text/xml", body)
}

fn write(value: &Value, time: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if time => timestamp::iso(number.as_f64().unwrap_or_default()),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escape(text),
        Value::Array(items) => items.iter().map(|item| element("member", &write(item, time))).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| element(name, &write(member, is_time(name)))).collect()
        }
    }
}

fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

fn request_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_with_dots_are_structures() {
        let body = "Action=X&Names.member.2=b&Names.member.1=a&Names.member.10=c&D.member.1.Name=n&D.member.1.Value=v+w";
        let expected =
            json!({ "Action": "X", "Names": ["a", "b", "c"], "D": [{ "Name": "n", "Value": "v w" }] });
        assert_eq!(read(&Bytes::from_static(body.as_bytes())), expected);
    }

    #[test]
    fn answers_are_xml() {
        let answer = json!({ "Alarms": [{ "Name": "a<b", "StateUpdatedTimestamp": 0.5 }] });
        let body = response("DescribeAlarms", &answer).into_body();
        let text = String::from_utf8_lossy(&body).into_owned();
        let inside = "<Alarms><member><Name>a&lt;b</Name>\
                      <StateUpdatedTimestamp>1970-01-01T00:00:00.500Z</StateUpdatedTimestamp></member></Alarms>";
        assert!(text.contains(&format!("<DescribeAlarmsResult>{inside}</DescribeAlarmsResult>")), "{text}");
    }
}
