//! The one endpoint: names every call, answers those that the sandbox has, passes on the others, and notes them all.

mod accounts;
mod admin;
mod faults;
mod inventory;
mod operation;
mod refusal;
mod server;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use operation::Wire;
pub(crate) use server::serve;

use self::accounts::Accounts;
use self::faults::{Fault, Faults};
use self::operation::Operation;
use crate::clock::Clock;
use crate::cloudwatch::{self, CloudWatch};
use crate::codedeploy::CodeDeploy;
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::iam::Roles;
use crate::identity::{Credential, DEFAULT_REGION, Scope};
use crate::journal::{Entry, Journal};
use crate::lambda::Lambda;
use crate::limits::{self, Rates};
use crate::logs;
use crate::upstream::Upstream;

/// Marks what ministack's triggers invoke: nobody called that, so it is not noted and no fault hits it.
const OWN_TRIGGER: &str = "x-rollout-sandbox";

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as a fault that was asked for")]
pub(crate) struct Cut;

/// Everything behind the endpoint.
#[derive(Debug)]
pub(crate) struct Gateway {
    clock: Clock,
    upstream: Upstream,
    codedeploy: Arc<CodeDeploy>,
    cloudwatch: Arc<CloudWatch>,
    lambda: Arc<Lambda>,
    roles: Arc<Roles>,
    accounts: Accounts,
    journal: Journal,
    faults: Faults,
    rates: Option<Arc<Rates>>,
}

/// What a gateway is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) upstream: Upstream,
    pub(crate) codedeploy: Arc<CodeDeploy>,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) roles: Arc<Roles>,
    /// The rates of callers, if they are limited.
    pub(crate) rates: Option<Arc<Rates>>,
}

impl Gateway {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { clock, upstream, codedeploy, cloudwatch, lambda, roles, rates } = parts;
        let accounts = Accounts::new(upstream.clone());
        let (journal, faults) = (Journal::default(), Faults::default());
        Arc::new(Self {
            clock,
            upstream,
            codedeploy,
            cloudwatch,
            lambda,
            roles,
            accounts,
            journal,
            faults,
            rates,
        })
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request) -> Result<Response, Cut> {
        let path = request.uri().path();
        if path.starts_with("/_sandbox") {
            return Ok(self.admin(request).await);
        }
        if path.starts_with("/_url/") {
            return Ok(self
                .lambda
                .call_url(request)
                .await
                .unwrap_or_else(|error| refusal::write(Wire::Rest, &error)));
        }
        let credential = Credential::of(&request);
        let operation = Operation::of(&request, credential.as_ref());
        let scope = self.scope(credential.as_ref()).await;
        if request.headers().contains_key(OWN_TRIGGER) {
            return Ok(self.dispatch(&operation, &scope, request).await);
        }
        let agent = http::header(request.headers(), "user-agent").map(str::to_owned);
        let outcome = self.answer(&operation, &scope, request).await;
        self.note(&operation, &scope, agent, outcome.as_ref().ok());
        outcome
    }

    /// The answer, unless a fault comes in between.
    async fn answer(&self, operation: &Operation, scope: &Scope, request: Request) -> Result<Response, Cut> {
        match self.faults.next(&scope.account, &operation.service, &operation.name) {
            None if !self.admitted(operation, scope) => {
                Ok(refusal::of(operation, &limits::throttling(&operation.service)))
            }
            None => Ok(self.dispatch(operation, scope, request).await),
            Some(Fault::Refuse(error)) => Ok(refusal::of(operation, &error)),
            Some(Fault::ResetBefore) => Err(Cut),
            Some(Fault::ResetAfter) => {
                self.dispatch(operation, scope, request).await;
                Err(Cut)
            }
            Some(Fault::Delay(duration)) => {
                tokio::time::sleep(duration).await;
                Ok(self.dispatch(operation, scope, request).await)
            }
        }
    }

    fn admitted(&self, operation: &Operation, scope: &Scope) -> bool {
        self.rates.as_ref().is_none_or(|rates| rates.admit(scope, &operation.service, &operation.name))
    }

    async fn dispatch(&self, operation: &Operation, scope: &Scope, request: Request) -> Response {
        let answer = match operation.service.as_str() {
            "codedeploy" => self.codedeploy(scope, &operation.name, &request).await,
            "cloudwatch" => return self.cloudwatch(scope, operation, &request),
            "lambda" => self.lambda.handle(scope, &operation.name, request).await,
            "iam" => self.iam(scope, &operation.name, request).await,
            "logs" if operation.name == "FilterLogEvents" => logs::filter(&self.upstream, request).await,
            _ => self.upstream.forward(request).await.map_err(ServiceError::from),
        };
        answer.unwrap_or_else(|error| refusal::of(operation, &error))
    }

    async fn codedeploy(
        &self,
        scope: &Scope,
        operation: &str,
        request: &Request,
    ) -> Result<Response, ServiceError> {
        let input = if request.body().is_empty() { Value::Null } else { json(request)? };
        let answer = self.codedeploy.handle(scope, operation, &input).await?;
        let body = if answer.is_null() { String::new() } else { answer.to_string() };
        Ok(http::with_body(200, "application/x-amz-json-1.1", body))
    }

    fn cloudwatch(&self, scope: &Scope, operation: &Operation, request: &Request) -> Response {
        use cloudwatch::protocol;
        let answer = protocol::read(operation.wire, request.body())
            .and_then(|input| self.cloudwatch.handle(scope, &operation.name, &input));
        match answer {
            Ok(answer) => protocol::write(operation.wire, &operation.name, &answer),
            Err(error) => protocol::refuse(operation.wire, &error),
        }
    }

    /// IAM is ministack's; what changes there is remembered, because CodeDeploy sees it later.
    async fn iam(&self, scope: &Scope, operation: &str, request: Request) -> Result<Response, ServiceError> {
        let body = request.body().clone();
        if matches!(operation, "SimulatePrincipalPolicy" | "SimulateCustomPolicy") {
            let parameter = |name: &str| operation::parameter(&body, name);
            return self.roles.simulate(scope, operation, parameter).await;
        }
        let response = self.upstream.forward(request).await?;
        if response.status().is_success() {
            self.roles.note(scope, operation, |name| operation::parameter(&body, name));
        }
        Ok(response)
    }

    async fn scope(&self, credential: Option<&Credential>) -> Scope {
        let region = credential.map_or(DEFAULT_REGION, |credential| credential.region.as_str());
        Scope::new(self.accounts.of(credential).await, region)
    }

    fn note(
        &self,
        operation: &Operation,
        scope: &Scope,
        user_agent: Option<String>,
        response: Option<&Response>,
    ) {
        let status = response.map_or(0, |response| response.status().as_u16());
        self.journal.add(Entry {
            n: 0,
            time: Clock::now(),
            service: operation.service.clone(),
            operation: operation.name.clone(),
            mutating: operation.mutating,
            status,
            error_code: response.and_then(refusal::code),
            account: scope.account.clone(),
            region: scope.region.clone(),
            user_agent,
        });
    }
}

fn json(request: &Request) -> Result<Value, ServiceError> {
    serde_json::from_slice(request.body()).map_err(|error| {
        ServiceError::bad("SerializationException", format!("The body is not JSON: {error}"))
    })
}
