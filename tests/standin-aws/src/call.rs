//! One call to AWS, and how each service wants to be called.

use serde_json::Value;

/// How a service is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// JSON, with the operation behind this prefix in a header.
    Json(&'static str),
    /// A form with this version of the API, answered in XML.
    Query(&'static str),
    /// Method and path, with JSON.
    Rest,
    /// Method and path, with XML.
    RestXml,
}

/// The services by their names in the table, the names that requests to them are signed with, and how they speak.
const SERVICES: [(&str, &str, Wire); 16] = [
    ("apigateway", "apigateway", Wire::Rest),
    ("apigatewayv2", "apigateway", Wire::Rest),
    ("cloudwatch", "monitoring", Wire::Query("2010-08-01")),
    ("codedeploy", "codedeploy", Wire::Json("CodeDeploy_20141006")),
    ("cognito-idp", "cognito-idp", Wire::Json("AWSCognitoIdentityProviderService")),
    ("dynamodb", "dynamodb", Wire::Json("DynamoDB_20120810")),
    ("events", "events", Wire::Json("AWSEvents")),
    ("iam", "iam", Wire::Query("2010-05-08")),
    ("kinesis", "kinesis", Wire::Json("Kinesis_20131202")),
    ("lambda", "lambda", Wire::Rest),
    ("logs", "logs", Wire::Json("Logs_20140328")),
    ("s3", "s3", Wire::RestXml),
    ("scheduler", "scheduler", Wire::Rest),
    ("sns", "sns", Wire::Query("2010-03-31")),
    ("sqs", "sqs", Wire::Json("AmazonSQS")),
    ("sts", "sts", Wire::Query("2011-06-15")),
];

/// What is asked of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) signed: &'static str,
    pub(crate) wire: Wire,
    pub(crate) target: Target,
    pub(crate) body: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Operation(String),
    Path { method: String, path: String },
}

impl Call {
    /// From a line like `sqs CreateQueue` or `lambda GET /2015-03-31/functions`.
    pub(crate) fn new(line: &str, body: Value) -> Result<Self, String> {
        let mut words = line.splitn(3, ' ');
        let (service, what, path) = (words.next().unwrap_or_default(), words.next(), words.next());
        let found = SERVICES.iter().find(|(name, ..)| *name == service);
        let (_, signed, wire) =
            found.ok_or_else(|| format!("the stand-in does not know the service \"{service}\""))?;
        let target = match (wire, what, path) {
            (Wire::Json(_) | Wire::Query(_), Some(operation), None) => {
                Target::Operation(operation.to_owned())
            }
            (Wire::Rest | Wire::RestXml, Some(method), Some(path)) => {
                Target::Path { method: method.to_owned(), path: path.to_owned() }
            }
            _ => return Err(format!("\"{line}\" is no call to {service}")),
        };
        Ok(Self { signed, wire: *wire, target, body })
    }

    /// What it is called in an error message.
    pub(crate) fn name(&self) -> String {
        match &self.target {
            Target::Operation(operation) => format!("{}:{operation}", self.signed),
            Target::Path { method, path } => format!("{}: {method} {path}", self.signed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_call_in_the_way_of_its_service() {
        let call = Call::new("sqs CreateQueue", Value::Null).unwrap();
        assert_eq!((call.wire, call.name().as_str()), (Wire::Json("AmazonSQS"), "sqs:CreateQueue"));
        let call = Call::new("apigatewayv2 GET /v2/apis", Value::Null).unwrap();
        assert_eq!((call.wire, call.name().as_str()), (Wire::Rest, "apigateway: GET /v2/apis"));
    }

    #[test]
    fn what_is_no_call_is_refused() {
        for line in ["ec2 RunInstances", "sqs", "sqs POST /", "lambda ListFunctions"] {
            assert!(Call::new(line, Value::Null).is_err(), "{line}");
        }
    }
}
