//! Which account an access key belongs to: twelve digits are an account; an issued key is looked up in ministack.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::identity::{Credential, DEFAULT_ACCOUNT, DEFAULT_REGION, Scope};
use crate::lock::locked;
use crate::upstream::{Call, Upstream};
use crate::xml;

#[derive(Debug)]
pub(crate) struct Accounts {
    upstream: Upstream,
    known: Mutex<HashMap<String, String>>,
}

impl Accounts {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream, known: Mutex::default() }
    }

    pub(crate) async fn of(&self, credential: Option<&Credential>) -> String {
        let Some(credential) = credential else { return DEFAULT_ACCOUNT.to_owned() };
        if let Some(account) = credential.account() {
            return account.to_owned();
        }
        let key = credential.access_key.as_str();
        if !key.starts_with("ASIA") && !key.starts_with("AKIA") {
            return DEFAULT_ACCOUNT.to_owned();
        }
        if let Some(account) = locked(&self.known).get(key) {
            return account.clone();
        }
        let account = self.ask(key).await.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        locked(&self.known).insert(key.to_owned(), account.clone());
        account
    }

    async fn ask(&self, key: &str) -> Option<String> {
        let scope = Scope::new(key, DEFAULT_REGION);
        let call = Call { scope: &scope, service: "sts", headers: &[] };
        let query = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
        let reply = self.upstream.form(call, &query).await.ok()?;
        xml::text(&reply.text(), "Account")
    }
}
