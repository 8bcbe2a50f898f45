//! From inputs that may be unknown in a preview to plain values: what is unknown gets a stand-in and is noted.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::pulumi::{Input, Reader};
use crate::rollout::appspec::Hooks;
use crate::rollout::cloud::{Cors, FunctionUrl, Permission, Tags};
use crate::rollout::duration;
use crate::rollout::function::{self, FunctionRef};
use crate::rollout::spec::RollbackEvent;
use crate::rollout::strategy::{Strategy, StrategyError};

/// The names of the inputs that hold something unknown.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Unknowns(BTreeSet<&'static str>);

impl Unknowns {
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes values out of a reader, and notes which of them are unknown.
#[derive(Debug, Default)]
pub struct Gather(RefCell<BTreeSet<&'static str>>);

impl Gather {
    pub fn unknowns(self) -> Unknowns {
        Unknowns(self.0.into_inner())
    }

    fn note(&self, key: &'static str) {
        self.0.borrow_mut().insert(key);
    }

    /// The value, or the stand-in if it is unknown; `None` if it is absent.
    pub fn take<T>(&self, key: &'static str, input: Input<T>, stand_in: T) -> Option<T> {
        match input {
            Input::Known(value) => Some(value),
            Input::Absent => None,
            Input::Unknown => {
                self.note(key);
                Some(stand_in)
            }
        }
    }

    pub fn text(&self, r: &Reader<'_>, key: &'static str) -> Option<String> {
        self.take(key, r.string(key), String::new())
    }

    pub fn flag(&self, r: &Reader<'_>, key: &'static str, default: bool) -> bool {
        self.take(key, r.boolean(key), default).unwrap_or(default)
    }

    /// A list of strings; unknown elements are left out and noted.
    pub fn texts(&self, r: &Reader<'_>, key: &'static str) -> Option<Vec<String>> {
        self.known_items(key, r.strings(key))
    }

    /// A list of words out of a few.
    pub fn choices<T: Clone>(
        &self,
        r: &Reader<'_>,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<Vec<T>> {
        self.known_items(key, r.choices(key, choices))
    }

    pub fn choice<T: Copy>(&self, r: &Reader<'_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let stand_in = choices.first().map(|(_, value)| *value)?;
        self.take(key, r.choice(key, choices), stand_in)
    }

    pub fn duration(&self, r: &Reader<'_>, key: &'static str) -> Option<Duration> {
        let input = r.parse(key, |text| duration::parse(text).map_err(|error| error.to_string()));
        self.take(key, input, Duration::from_mins(1))
    }

    pub fn function(&self, r: &Reader<'_>, key: &'static str) -> FunctionRef {
        let input = r.parse(key, |text| FunctionRef::parse(text).map_err(|error| error.to_string()));
        let stand_in = FunctionRef { name: "unknown".to_owned(), place: None };
        self.take(key, r.required(key, input), stand_in.clone()).unwrap_or(stand_in)
    }

    pub fn version(&self, r: &Reader<'_>, key: &'static str) -> String {
        let input = r.parse(key, |text| function::check_version(text).map_err(|error| error.to_string()));
        self.take(key, r.required(key, input), String::new()).unwrap_or_default()
    }

    pub fn alias(&self, r: &Reader<'_>, key: &'static str) -> Option<String> {
        let input = r.parse(key, |text| function::check_alias(text).map_err(|error| error.to_string()));
        self.take(key, input, String::new())
    }

    /// A string that must be there.
    pub fn required_text(&self, r: &Reader<'_>, key: &'static str) -> String {
        self.take(key, r.required(key, r.string(key)), String::new()).unwrap_or_default()
    }

    pub fn text_map(&self, r: &Reader<'_>, key: &'static str) -> BTreeMap<String, String> {
        let map = self.take(key, r.string_map(key), BTreeMap::new()).unwrap_or_default();
        map.into_iter()
            .filter_map(|(name, value)| self.take(key, value, String::new()).map(|value| (name, value)))
            .collect()
    }

    /// A whole number within limits.
    pub fn integer_in(
        &self,
        r: &Reader<'_>,
        key: &'static str,
        limits: RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        self.take(key, r.integer_in(key, limits), default).unwrap_or(default)
    }

    /// An object that is read by `read`; unknowns inside count for the object.
    pub fn object<T>(
        &self,
        r: &Reader<'_>,
        key: &'static str,
        read: impl FnOnce(&Self, &Reader<'_>) -> T,
    ) -> Option<T> {
        let inner = Self::default();
        let value = r.object(key, |object| read(&inner, object));
        if value.is_unknown() || !inner.0.borrow().is_empty() {
            self.note(key);
        }
        value.known()
    }

    /// A list of objects, each read by `read`.
    pub fn objects<T>(
        &self,
        r: &Reader<'_>,
        key: &'static str,
        read: impl Fn(&Self, &Reader<'_>) -> T,
    ) -> Vec<T> {
        let inner = Self::default();
        let values = r.objects(key, |object| read(&inner, object));
        if !inner.0.borrow().is_empty() {
            self.note(key);
        }
        self.known_items(key, values).unwrap_or_default()
    }

    fn known_items<T>(&self, key: &'static str, input: Input<Vec<Input<T>>>) -> Option<Vec<T>> {
        let items = self.take(key, input, Vec::new())?;
        if items.iter().any(Input::is_unknown) {
            self.note(key);
        }
        Some(items.into_iter().filter_map(Input::known).collect())
    }
}

#[derive(Debug, Clone, Copy)]
enum StrategyType {
    AllAtOnce,
    Canary,
    Linear,
}

const STRATEGY_TYPES: [(&str, StrategyType); 3] = [
    ("allAtOnce", StrategyType::AllAtOnce),
    ("canary", StrategyType::Canary),
    ("linear", StrategyType::Linear),
];

/// `{type, percentage?, interval?}`; the missing parts are 10 % and 5 minutes.
pub fn strategy(u: &Gather, r: &Reader<'_>) -> Strategy {
    let kind = u.take("type", r.required("type", r.choice("type", &STRATEGY_TYPES)), StrategyType::Canary);
    let percentage = r.integer("percentage");
    let interval = r.parse("interval", |text| duration::parse(text).map_err(|error| error.to_string()));
    if let Some(StrategyType::AllAtOnce) = kind {
        for (key, given) in [("percentage", !percentage.is_absent()), ("interval", !interval.is_absent())] {
            if given {
                r.misplaced(key, "has no meaning for the type \"allAtOnce\": leave it out, or choose \"canary\" or \"linear\"");
            }
        }
        return Strategy::AllAtOnce;
    }
    let interval = u.take("interval", interval, Duration::from_mins(1)).unwrap_or(Duration::from_mins(5));
    let percentage = u.take("percentage", percentage, 50).unwrap_or(10);
    let parts = Strategy::check_parts(percentage, interval).and_then(|(percentage, minutes)| {
        let strategy = match kind {
            Some(StrategyType::Linear) => Strategy::Linear { percentage, minutes },
            _ => Strategy::Canary { percentage, minutes },
        };
        strategy.check().map(|()| strategy)
    });
    parts.unwrap_or_else(|error| {
        let key = if matches!(error, StrategyError::Percentage(_)) { "percentage" } else { "interval" };
        r.fail(key, error.to_string());
        Strategy::default()
    })
}

pub fn hooks(u: &Gather, r: &Reader<'_>) -> Hooks {
    let hook = |key: &'static str| u.take(key, r.parse(key, check_hook), String::new());
    Hooks { before_traffic: hook("beforeTraffic"), after_traffic: hook("afterTraffic") }
}

/// A function's name or ARN, with or without a qualifier.
fn check_hook(text: &str) -> Result<String, String> {
    match FunctionRef::parse(text) {
        Ok(_) | Err(function::NameError::Qualified(_)) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

const ROLLBACK_EVENTS: [(&str, RollbackEvent); 3] =
    [("failure", RollbackEvent::Failure), ("stop", RollbackEvent::Stop), ("alarm", RollbackEvent::Alarm)];

/// The events that roll back: all of them unless said.
pub fn auto_rollback(u: &Gather, r: &Reader<'_>) -> Vec<RollbackEvent> {
    let named = u.choices(r, "autoRollback", &ROLLBACK_EVENTS);
    let mut events = named.unwrap_or_else(|| RollbackEvent::ALL.to_vec());
    events.sort_unstable();
    events.dedup();
    events
}

pub fn function_url(u: &Gather, r: &Reader<'_>) -> FunctionUrl {
    let types = [("AWS_IAM", "AWS_IAM"), ("NONE", "NONE")];
    let modes = [("BUFFERED", "BUFFERED"), ("RESPONSE_STREAM", "RESPONSE_STREAM")];
    FunctionUrl {
        authorization_type: u.choice(r, "authorizationType", &types).unwrap_or("AWS_IAM").to_owned(),
        invoke_mode: u.choice(r, "invokeMode", &modes).unwrap_or("BUFFERED").to_owned(),
        // Lambda keeps no empty settings.
        cors: u.object(r, "cors", cors).filter(|cors| *cors != Cors::default()),
    }
}

const LONGEST_BAKE: Duration = Duration::from_hours(48);

pub fn bake(u: &Gather, r: &Reader<'_>) -> Option<Duration> {
    let bake = u.duration(r, "bake");
    if bake.is_some_and(|bake| bake > LONGEST_BAKE) {
        let longest = duration::format(LONGEST_BAKE);
        r.misplaced("bake", format!("is longer than {longest}, the longest bake there is"));
    }
    bake
}

/// The limit of both CodeDeploy and Lambda.
const LONGEST_DESCRIPTION: usize = 256;

pub fn description(u: &Gather, r: &Reader<'_>) -> Option<String> {
    let text = u.text(r, "description");
    let length = text.as_ref().map_or(0, |text| text.chars().count());
    if length > LONGEST_DESCRIPTION {
        r.fail(
            "description",
            format!("has {length} characters, and AWS takes at most {LONGEST_DESCRIPTION}: shorten it"),
        );
    }
    text
}

/// Limits of the services that are tagged; two tags are the rollout's own mark.
const MOST_TAGS: usize = 48;
const LONGEST_TAG: (usize, usize) = (128, 256);

pub fn tags(u: &Gather, r: &Reader<'_>, key: &'static str) -> Tags {
    let tags = u.text_map(r, key);
    if tags.len() > MOST_TAGS {
        r.fail(
            key,
            format!(
                "{} tags are too many: AWS takes at most {MOST_TAGS} beside the rollout's own",
                tags.len()
            ),
        );
    }
    for (name, value) in &tags {
        if let Err(reason) = check_tag(name, value) {
            r.fail_at(r.path(key).key(name.clone()), reason);
        }
    }
    tags
}

fn check_tag(name: &str, value: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    let reserved =
        ["aws:", "lambda-rollout:"].into_iter().find(|prefix| name.to_lowercase().starts_with(prefix));
    if let Some(prefix) = reserved {
        return Err(format!("is a reserved name: tags that begin with {prefix} are not yours to set"));
    }
    if name.is_empty() || name.chars().count() > LONGEST_TAG.0 || value.chars().count() > LONGEST_TAG.1 {
        return Err("is too long or empty: a name has 1 to 128 characters, a value at most 256".to_owned());
    }
    match name.chars().chain(value.chars()).find(|c| !allowed(*c)) {
        Some(c) => Err(format!("holds '{c}': AWS allows letters, digits, spaces and _ . : / = + - @")),
        None => Ok(()),
    }
}

/// Lambda's limit, in seconds.
const LONGEST_MAX_AGE: i64 = 86_400;

fn cors(u: &Gather, r: &Reader<'_>) -> Cors {
    let max_age = u.take("maxAge", r.integer_in("maxAge", 0..=LONGEST_MAX_AGE), 0);
    Cors {
        allow_credentials: u.flag(r, "allowCredentials", false),
        allow_headers: u.texts(r, "allowHeaders").unwrap_or_default(),
        allow_methods: u.texts(r, "allowMethods").unwrap_or_default(),
        allow_origins: u.texts(r, "allowOrigins").unwrap_or_default(),
        expose_headers: u.texts(r, "exposeHeaders").unwrap_or_default(),
        max_age: max_age.and_then(|seconds| i32::try_from(seconds).ok()),
    }
}

pub fn permission(u: &Gather, r: &Reader<'_>) -> Permission {
    let principal = r.required("principal", r.parse("principal", check_principal));
    let action = u.take("action", r.parse("action", check_action), String::new());
    Permission {
        principal: u.take("principal", principal, String::new()).unwrap_or_default(),
        action: action.unwrap_or_else(|| "lambda:InvokeFunction".to_owned()),
        source_arn: u.text(r, "sourceArn"),
        source_account: u.text(r, "sourceAccount"),
        principal_org_id: u.text(r, "principalOrgId"),
        event_source_token: u.text(r, "eventSourceToken"),
        ..Permission::default()
    }
}

fn check_principal(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty; name a service (sns.amazonaws.com), an account or an ARN".to_owned());
    }
    Ok(text.to_owned())
}

fn check_action(text: &str) -> Result<String, String> {
    if text.starts_with("lambda:") {
        return Ok(text.to_owned());
    }
    Err("it is no action of Lambda's; one looks like lambda:InvokeFunction".to_owned())
}

/// An ARN of this service, such as `arn:aws:sns:eu-west-1:123456789012:topic`.
pub fn arn(r: &Reader<'_>, key: &'static str, service: &str, example: &str) -> Input<String> {
    r.parse(key, |text| check_arn(text, service, example).map(|()| text.to_owned()))
}

fn check_arn(text: &str, service: &str, example: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fine = matches!(parts.as_slice(), ["arn", partition, named, _, _, rest]
        if partition.starts_with("aws") && *named == service && !rest.is_empty());
    if fine { Ok(()) } else { Err(format!("it is no ARN of {service}; one looks like {example}")) }
}
