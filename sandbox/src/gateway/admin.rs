//! The sandbox's own endpoints: what exists, what was called, and faults.

use hyper::Method;
use serde_json::{Value, json};

use super::Gateway;
use super::faults::Rule;
use crate::http::{self, Request, Response};

const HELP: &str = "GET /_sandbox/health, GET /_sandbox/state, GET /_sandbox/journal?since=N, \
                    DELETE /_sandbox/journal, POST /_sandbox/faults, DELETE /_sandbox/faults";

impl Gateway {
    pub(super) async fn admin(&self, request: Request) -> Response {
        let what = request.uri().path().trim_start_matches("/_sandbox").trim_matches('/');
        match (request.method(), what) {
            (&Method::GET, "health") => http::json(200, &self.health()),
            (&Method::GET, "state") => http::json(200, &self.inventory().await),
            (&Method::GET, "journal") => {
                let since =
                    http::query(request.uri(), "since").and_then(|since| since.parse().ok()).unwrap_or(0);
                http::json(200, &json!({ "calls": self.journal.since(since), "last": self.journal.last() }))
            }
            (&Method::DELETE, "journal") => {
                self.journal.clear();
                http::empty(204)
            }
            (&Method::POST, "faults") => self.add_fault(&request),
            (&Method::DELETE, "faults") => {
                self.faults.clear(http::query(request.uri(), "account").as_deref());
                http::empty(204)
            }
            _ => http::json(404, &json!({ "message": format!("The sandbox has: {HELP}") })),
        }
    }

    fn health(&self) -> Value {
        json!({ "status": "ready", "version": env!("CARGO_PKG_VERSION"), "speed": self.clock.speed() })
    }

    fn add_fault(&self, request: &Request) -> Response {
        match serde_json::from_slice::<Rule>(request.body()) {
            Ok(rule) => {
                let told = json!(rule);
                self.faults.add(rule);
                http::json(201, &told)
            }
            Err(error) => http::json(400, &json!({ "message": format!("This is not a fault: {error}") })),
        }
    }
}
