//! Function URLs: a function or an alias has at most one.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{Lambda, Reference, body, not_found};
use crate::clock::{Clock, Timestamp};
use crate::error::ServiceError;
use crate::http::{self, Response};
use crate::identity::Scope;
use crate::lock::locked;
use crate::timestamp;

#[derive(Clone, Debug)]
pub(crate) struct Url {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) reference: Reference,
    pub(crate) auth: String,
    pub(crate) invoke_mode: String,
    pub(crate) cors: Option<Value>,
    created: Timestamp,
    modified: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Urls {
    endpoint: String,
    all: Mutex<BTreeMap<(Scope, Reference), Url>>,
}

impl Urls {
    pub(crate) fn new(endpoint: String) -> Self {
        Self { endpoint, all: Mutex::default() }
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Url> {
        locked(&self.all).values().find(|url| url.id == id).cloned()
    }

    /// Forgets the URL of an alias, or all those of a function.
    pub(crate) fn forget(&self, scope: &Scope, reference: &Reference) {
        locked(&self.all).retain(|(in_scope, of), _| {
            in_scope != scope
                || of.function != reference.function
                || (reference.qualifier.is_some() && of.qualifier != reference.qualifier)
        });
    }

    pub(crate) fn of_function(&self, scope: &Scope, function: &str) -> Vec<Value> {
        let all = locked(&self.all);
        let urls = all.values().filter(|url| url.scope == *scope && url.reference.function == function);
        urls.map(|url| self.describe(url)).collect()
    }

    fn describe(&self, url: &Url) -> Value {
        let mut answer = json!({
            "FunctionUrl": format!("{}/_url/{}/", self.endpoint, url.id),
            "FunctionArn": url.scope.arn("lambda", &format!("function:{}", url.reference.qualified())),
            "AuthType": url.auth,
            "InvokeMode": url.invoke_mode,
            "CreationTime": timestamp::iso(url.created),
            "LastModifiedTime": timestamp::iso(url.modified),
        });
        if let Some(cors) = &url.cors {
            answer["Cors"] = cors.clone();
        }
        answer
    }
}

impl Lambda {
    pub(super) async fn url_config(
        &self,
        scope: &Scope,
        operation: &str,
        reference: &Reference,
        input: &Bytes,
    ) -> Result<Response, ServiceError> {
        self.check_qualifier(scope, operation, reference).await?;
        if operation == "ListFunctionUrlConfigs" {
            let urls = self.urls.of_function(scope, &reference.function);
            return Ok(http::json(200, &json!({ "FunctionUrlConfigs": urls })));
        }
        let input = body(input)?;
        let now = Clock::now();
        let mut all = locked(&self.urls.all);
        let key = (scope.clone(), reference.clone());
        let url = all.get_mut(&key);
        match (operation, url) {
            ("CreateFunctionUrlConfig", None) => {
                let url = create(scope, reference, &input, now)?;
                let answer = self.urls.describe(&url);
                all.insert(key, url);
                Ok(http::json(201, &answer))
            }
            ("CreateFunctionUrlConfig", Some(_)) => {
                let message =
                    format!("FunctionUrlConfig exists for this Lambda function: {}", reference.qualified());
                Err(ServiceError::new(409, "ResourceConflictException", message))
            }
            (_, None) => Err(ServiceError::new(
                404,
                "ResourceNotFoundException",
                "The resource you requested does not exist.",
            )),
            ("DeleteFunctionUrlConfig", Some(_)) => {
                all.remove(&key);
                Ok(http::empty(204))
            }
            ("UpdateFunctionUrlConfig", Some(url)) => {
                change(url, &input)?;
                url.modified = now;
                Ok(http::json(200, &self.urls.describe(url)))
            }
            (_, Some(url)) => Ok(http::json(200, &self.urls.describe(url))),
        }
    }

    /// A URL belongs to an alias that exists, or to a function without a qualifier.
    async fn check_qualifier(
        &self,
        scope: &Scope,
        operation: &str,
        reference: &Reference,
    ) -> Result<(), ServiceError> {
        if reference.qualifier.is_some() && reference.alias().is_none() {
            let message = "A function URL's qualifier is the name of an alias";
            return Err(ServiceError::bad("ValidationException", message));
        }
        if matches!(operation, "CreateFunctionUrlConfig" | "ListFunctionUrlConfigs") {
            let qualifier = reference.alias().unwrap_or("$LATEST");
            let found = self.functions.configuration(scope, &reference.function, qualifier).await;
            found.map_err(|_| not_found(scope, reference))?;
        }
        Ok(())
    }
}

fn create(scope: &Scope, reference: &Reference, input: &Value, now: Timestamp) -> Result<Url, ServiceError> {
    let mut url = Url {
        id: (0..32).map(|_| fastrand::alphanumeric().to_ascii_lowercase()).collect(),
        scope: scope.clone(),
        reference: reference.clone(),
        auth: String::new(),
        invoke_mode: "BUFFERED".to_owned(),
        cors: None,
        created: now,
        modified: now,
    };
    change(&mut url, input)?;
    if url.auth.is_empty() {
        return Err(ServiceError::bad("ValidationException", "AuthType must be specified"));
    }
    Ok(url)
}

fn change(url: &mut Url, input: &Value) -> Result<(), ServiceError> {
    for (place, name, known) in [
        (&mut url.auth, "AuthType", ["NONE", "AWS_IAM"]),
        (&mut url.invoke_mode, "InvokeMode", ["BUFFERED", "RESPONSE_STREAM"]),
    ] {
        match input[name].as_str() {
            None => {}
            Some(value) if known.contains(&value) => value.clone_into(place),
            Some(value) => {
                let message = format!("{value} is not a value of {name}");
                return Err(ServiceError::bad("ValidationException", message));
            }
        }
    }
    if let Some(cors) = input.get("Cors") {
        let empty = cors.as_object().is_none_or(serde_json::Map::is_empty);
        url.cors = if empty { None } else { Some(cors.clone()) };
    }
    Ok(())
}
