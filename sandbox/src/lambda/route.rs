//! Lambda's paths: which operation a method and a path are.

use hyper::Method;

use crate::http;

/// The segments behind the API's date, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    segments: Vec<String>,
}

impl Path {
    /// Reads `/2015-03-31/functions/…`; any date will do, and only Lambda's collections are known.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        const COLLECTIONS: [&str; 5] =
            ["functions", "event-source-mappings", "tags", "layers", "account-settings"];
        let (date, rest) = path.strip_prefix('/')?.split_once('/')?;
        let dated = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let segments: Vec<_> = rest.trim_end_matches('/').split('/').map(http::decode).collect();
        (dated && COLLECTIONS.contains(&segments[0].as_str())).then_some(Self { segments })
    }

    /// What stands at a place, or nothing.
    pub(crate) fn segment(&self, index: usize) -> Option<&str> {
        self.segments.get(index).map(String::as_str)
    }

    /// The function as the caller wrote it: a name, an ARN, either with a qualifier.
    pub(crate) fn function(&self) -> Option<&str> {
        (self.segments[0] == "functions").then(|| self.segment(1)).flatten()
    }
}

/// The name of the operation, if it is one that is known here.
pub(crate) fn operation(method: &Method, path: &Path) -> Option<&'static str> {
    let method = method.as_str();
    let segments: Vec<_> = path.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["functions", ..] => of_function(method, &segments[1..]),
        ["event-source-mappings"] => {
            pick(method, &[("GET", "ListEventSourceMappings"), ("POST", "CreateEventSourceMapping")])
        }
        ["event-source-mappings", _] => pick(
            method,
            &[
                ("GET", "GetEventSourceMapping"),
                ("PUT", "UpdateEventSourceMapping"),
                ("DELETE", "DeleteEventSourceMapping"),
            ],
        ),
        ["tags", ..] => {
            pick(method, &[("GET", "ListTags"), ("POST", "TagResource"), ("DELETE", "UntagResource")])
        }
        ["account-settings"] => pick(method, &[("GET", "GetAccountSettings")]),
        _ => None,
    }
}

fn of_function(method: &str, rest: &[&str]) -> Option<&'static str> {
    match rest {
        [] => pick(method, &[("GET", "ListFunctions"), ("POST", "CreateFunction")]),
        [_] => pick(method, &[("GET", "GetFunction"), ("DELETE", "DeleteFunction")]),
        [_, "aliases"] => pick(method, &[("GET", "ListAliases"), ("POST", "CreateAlias")]),
        [_, "aliases", _] => {
            pick(method, &[("GET", "GetAlias"), ("PUT", "UpdateAlias"), ("DELETE", "DeleteAlias")])
        }
        [_, "policy"] => pick(method, &[("GET", "GetPolicy"), ("POST", "AddPermission")]),
        [_, "policy", _] => pick(method, &[("DELETE", "RemovePermission")]),
        [_, "event-invoke-config", "list"] => pick(method, &[("GET", "ListFunctionEventInvokeConfigs")]),
        [_, part] => of_part(method, part),
        _ => None,
    }
}

fn of_part(method: &str, part: &str) -> Option<&'static str> {
    let choices: &[(&str, &str)] = match part {
        "configuration" => &[("GET", "GetFunctionConfiguration"), ("PUT", "UpdateFunctionConfiguration")],
        "code" => &[("PUT", "UpdateFunctionCode")],
        "invocations" => &[("POST", "Invoke")],
        "response-streaming-invocations" => &[("POST", "InvokeWithResponseStream")],
        "versions" => &[("GET", "ListVersionsByFunction"), ("POST", "PublishVersion")],
        "urls" => &[("GET", "ListFunctionUrlConfigs")],
        "url" => &[
            ("GET", "GetFunctionUrlConfig"),
            ("POST", "CreateFunctionUrlConfig"),
            ("PUT", "UpdateFunctionUrlConfig"),
            ("DELETE", "DeleteFunctionUrlConfig"),
        ],
        "concurrency" => &[
            ("GET", "GetFunctionConcurrency"),
            ("PUT", "PutFunctionConcurrency"),
            ("DELETE", "DeleteFunctionConcurrency"),
        ],
        "provisioned-concurrency" => &[
            ("GET", "GetProvisionedConcurrencyConfig"),
            ("PUT", "PutProvisionedConcurrencyConfig"),
            ("DELETE", "DeleteProvisionedConcurrencyConfig"),
        ],
        "event-invoke-config" => &[
            ("GET", "GetFunctionEventInvokeConfig"),
            ("PUT", "PutFunctionEventInvokeConfig"),
            ("POST", "UpdateFunctionEventInvokeConfig"),
            ("DELETE", "DeleteFunctionEventInvokeConfig"),
        ],
        "code-signing-config" => &[("GET", "GetFunctionCodeSigningConfig")],
        "runtime-management-config" => &[("GET", "GetRuntimeManagementConfig")],
        "recursion-config" => &[("GET", "GetFunctionRecursionConfig"), ("PUT", "PutFunctionRecursionConfig")],
        _ => &[],
    };
    pick(method, choices)
}

fn pick(method: &str, choices: &[(&str, &'static str)]) -> Option<&'static str> {
    choices.iter().find(|(wanted, _)| *wanted == method).map(|(_, operation)| *operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_operations() {
        for (method, path, expected) in [
            ("GET", "/2015-03-31/functions/", Some("ListFunctions")),
            ("POST", "/2015-03-31/functions/f%3Alive/invocations", Some("Invoke")),
            ("PUT", "/2015-03-31/functions/f/aliases/live", Some("UpdateAlias")),
            ("POST", "/2021-10-31/functions/f/url", Some("CreateFunctionUrlConfig")),
            ("DELETE", "/2015-03-31/functions/f/policy/sid", Some("RemovePermission")),
            ("GET", "/2015-03-31/event-source-mappings/", Some("ListEventSourceMappings")),
            ("GET", "/2017-03-31/tags/arn%3Aaws%3Alambda", Some("ListTags")),
            ("PATCH", "/2015-03-31/functions/f", None),
        ] {
            let parsed = Path::parse(path).unwrap();
            assert_eq!(operation(&method.parse().unwrap(), &parsed), expected, "{method} {path}");
        }
    }

    #[test]
    fn other_paths_are_not_lambdas() {
        for path in ["/", "/bucket/functions/f", "/2015-03-31/other", "/service/x/operation/y"] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
    }
}
