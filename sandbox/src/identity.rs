//! Who is calling, and where: read from the signature's credential scope, which is never verified.

use hyper::header::AUTHORIZATION;

use crate::http::{self, Request};

pub(crate) const DEFAULT_ACCOUNT: &str = "000000000000";
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// An account and a region: what keeps one user's things apart from another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scope {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Scope {
    pub(crate) fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The part of AWS that the region is in.
    pub(crate) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// An ARN of this account and region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// What a credential scope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

impl Credential {
    /// From the Authorization header, or from a presigned URL.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let header = http::header(request.headers(), AUTHORIZATION.as_str());
        let scope = header
            .and_then(|header| header.split("Credential=").nth(1))
            .map(|rest| rest.split([',', ' ']).next().unwrap_or_default().to_owned())
            .or_else(|| http::query(request.uri(), "X-Amz-Credential"))?;
        let mut parts = scope.split('/');
        let access_key = parts.next()?.to_owned();
        let (_date, region, service) = (parts.next()?, parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Self { access_key, region, service })
    }

    /// The account that an access key of twelve digits names.
    pub(crate) fn account(&self) -> Option<&str> {
        let key = self.access_key.as_str();
        (key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit())).then_some(key)
    }
}

/// An Authorization header that names an account, for calls that the sandbox itself makes.
pub(crate) fn authorization(scope: &Scope, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
        scope.account, scope.region
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Bytes;

    fn request(header: Option<&str>, uri: &str) -> Request {
        let mut builder = hyper::Request::builder().uri(uri);
        if let Some(header) = header {
            builder = builder.header(AUTHORIZATION, header);
        }
        builder.body(Bytes::new()).unwrap()
    }

    #[test]
    fn reads_the_header() {
        let scope = Scope::new("123456789012", "eu-west-1");
        let credential = Credential::of(&request(Some(&authorization(&scope, "lambda")), "/")).unwrap();
        assert_eq!(credential.account(), Some("123456789012"));
        assert_eq!((credential.region.as_str(), credential.service.as_str()), ("eu-west-1", "lambda"));
    }

    #[test]
    fn reads_a_presigned_url() {
        let uri = "/b/k?X-Amz-Credential=AKIA1%2F20260101%2Feu-north-1%2Fs3%2Faws4_request";
        let credential = Credential::of(&request(None, uri)).unwrap();
        assert_eq!((credential.region.as_str(), credential.service.as_str()), ("eu-north-1", "s3"));
        assert_eq!(credential.account(), None);
    }

    #[test]
    fn an_unsigned_request_has_none() {
        assert_eq!(Credential::of(&request(None, "/")), None);
        assert_eq!(Credential::of(&request(Some("Bearer x"), "/")), None);
    }
}
