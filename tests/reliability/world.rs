//! The sandbox, functions in it, and what must be true of AWS whatever happened to a provider.

use std::{process::Stdio, time::Duration};

use aws_sdk_cloudwatch::{
    Client as CloudWatch,
    types::{ComparisonOperator, StateValue, Statistic},
};
use aws_sdk_codedeploy::{
    Client as CodeDeploy,
    types::{AppSpecContent, DeploymentCreator, DeploymentInfo, RevisionLocation, RevisionLocationType},
};
use aws_sdk_lambda::{
    Client as Lambda,
    config::{BehaviorVersion, Credentials, Region},
    types::{Environment, FunctionCode, Runtime, State},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

pub(crate) const REGION: &str = "us-east-1";

/// A ZIP with one file, `index.mjs`: `export const handler = async () => ({ ok: process.env.OK === "yes" });`
const CODE: &str = "UEsDBBQAAAAAAAAAIVzCZhj1RgAAAEYAAAAJAAAAaW5kZXgubWpzZXhwb3J0IGNvbnN0IGhhbmRsZXIgPSBhc3luYyAoKSA9PiAoeyBvazogcHJvY2Vzcy5lbnYuT0sgPT09ICJ5ZXMiIH0pO1BLAQIUAxQAAAAAAAAAIVzCZhj1RgAAAEYAAAAJAAAAAAAAAAAAAACkAQAAAABpbmRleC5tanNQSwUGAAAAAAEAAQA3AAAAbQAAAAAA";

/// How often somebody looks who waits for something to happen.
const LOOK: Duration = Duration::from_millis(5);

/// Far longer than anything here takes: what does not come by then never does.
const PATIENCE: Duration = Duration::from_mins(10);

/// Waits for something that has to happen.
pub(crate) async fn in_time<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, happens).await.unwrap_or_else(|_| panic!("{what} never came"))
}

/// A deployment, with the versions that its description names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) error: String,
}

impl Deployment {
    /// With which the provider took traffic back when a version failed under all of it.
    pub(crate) fn is_way_back(&self) -> bool {
        self.description.contains(": back from version")
    }

    fn of(info: DeploymentInfo) -> Self {
        let description = info.description.unwrap_or_default();
        let (_, versions) = description.split_once(" version ").unwrap();
        let (from, to) = versions.split_once(" to ").unwrap();
        // A way back says its reason, too.
        let (to, _) = to.split_once(',').unwrap_or((to, ""));
        let error = info.error_information.and_then(|error| error.code);
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            status: info.status.unwrap().as_str().to_owned(),
            error: error.map(|code| code.as_str().to_owned()).unwrap_or_default(),
            description,
        }
    }
}

/// Whether a hook, an alarm or the bake judged this version bad the last time that it was deployed.
pub(crate) fn was_judged_bad(deployments: &[Deployment], version: &str) -> bool {
    let tried = deployments.iter().rposition(|d| d.to == version && !d.is_way_back());
    tried.is_some_and(|last| {
        let taken_back = deployments[last..].iter().any(|d| d.is_way_back() && d.from == version);
        taken_back || ["ALARM_ACTIVE", "HOOK_EXECUTION_FAILURE"].contains(&deployments[last].error.as_str())
    })
}

pub(crate) struct World {
    pub(crate) endpoint: String,
    pub(crate) speed: u32,
    pub(crate) lambda: Lambda,
    pub(crate) code_deploy: CodeDeploy,
    cloud_watch: CloudWatch,
    // The sandbox ends when its standard input does.
    _sandbox: Child,
}

impl World {
    pub(crate) async fn start(speed: u32) -> Self {
        Self::start_with(speed, &[]).await
    }

    /// With more of the sandbox's options.
    pub(crate) async fn start_with(speed: u32, options: &[&str]) -> Self {
        let test = std::env::current_exe().unwrap();
        let binary = test.ancestors().nth(2).unwrap().join("rollout-sandbox");
        let mut sandbox = Command::new(&binary)
            .args(["--port", "0", "--exit-with-stdin", "--speed", &speed.to_string()])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot be started ({error}): run `make build`", binary.display())
            });
        let mut line = String::new();
        BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let start = line.find("http://").unwrap_or_else(|| panic!("the sandbox is not ready: {line}"));
        let endpoint = line[start..].split_whitespace().next().unwrap().to_owned();
        let http = aws_smithy_http_client::Builder::new().build_http();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let lambda = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http.clone())
            .credentials_provider(credentials.clone())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .build();
        let code_deploy = aws_sdk_codedeploy::Config::builder()
            .behavior_version(aws_sdk_codedeploy::config::BehaviorVersion::latest())
            .http_client(http.clone())
            .credentials_provider(credentials.clone())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .build();
        let cloud_watch = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(aws_sdk_cloudwatch::config::BehaviorVersion::latest())
            .http_client(http)
            .credentials_provider(credentials)
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .build();
        Self {
            endpoint,
            speed,
            lambda: Lambda::from_conf(lambda),
            code_deploy: CodeDeploy::from_conf(code_deploy),
            cloud_watch: CloudWatch::from_conf(cloud_watch),
            _sandbox: sandbox,
        }
    }

    /// A function without a version.
    pub(crate) async fn make_function(&self, name: &str) {
        let code = BASE64.decode(CODE).unwrap();
        let code = FunctionCode::builder().zip_file(code.into()).build();
        self.lambda
            .create_function()
            .function_name(name)
            .role("arn:aws:iam::000000000000:role/function")
            .runtime(Runtime::Nodejs20x)
            .handler("index.handler")
            .code(code)
            .send()
            .await
            .unwrap();
    }

    /// Publishes a version that answers well, or not.
    pub(crate) async fn publish(&self, function: &str, note: &str, ok: bool) -> String {
        let variables = [("OK", if ok { "yes" } else { "no" }), ("NOTE", note)];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let environment = Environment::builder().set_variables(Some(variables.into())).build();
        let configured =
            self.lambda.update_function_configuration().function_name(function).environment(environment);
        configured.send().await.unwrap();
        let published = self.lambda.publish_version().function_name(function).send().await.unwrap();
        published.version.unwrap()
    }

    /// Waits until a version can be invoked.
    pub(crate) async fn until_active(&self, function: &str, version: &str) {
        let active = Box::pin(async {
            let state = || async {
                let asked = self.lambda.get_function_configuration().function_name(function);
                asked.qualifier(version).send().await.unwrap().state
            };
            while state().await != Some(State::Active) {
                tokio::time::sleep(LOOK).await;
            }
        });
        in_time("an active version", active).await;
    }

    /// The versions that an alias serves, with their shares in percent; empty without the alias.
    pub(crate) async fn serves(&self, function: &str, alias: &str) -> Vec<(String, f64)> {
        let Ok(found) = self.lambda.get_alias().function_name(function).name(alias).send().await else {
            return Vec::new();
        };
        let weights = found.routing_config.and_then(|config| config.additional_version_weights);
        let mut served = vec![(found.function_version.unwrap(), 100.0)];
        for (version, weight) in weights.unwrap_or_default() {
            served.push((version, weight * 100.0));
        }
        served
    }

    /// Everything that exists of one function, beside itself and its versions.
    pub(crate) async fn pieces_of(&self, function: &str) -> Vec<String> {
        let state = self.admin("state").await;
        let mut found = Vec::new();
        for scope in state["scopes"].as_array().unwrap() {
            for (service, kinds) in scope.as_object().unwrap().iter().filter(|(_, kinds)| kinds.is_object()) {
                for (kind, things) in kinds.as_object().unwrap() {
                    let things = things.as_array().unwrap().iter().flat_map(pieces);
                    found.extend(things.map(|thing| format!("{service} {kind}: {thing}")));
                }
            }
        }
        found.retain(|thing| thing.contains(function));
        found
    }

    /// Deployment configurations that somebody made.
    pub(crate) async fn shared_configs(&self) -> Vec<String> {
        let state = self.admin("state").await;
        let scopes = state["scopes"].as_array().unwrap().iter();
        let configs = scopes.filter_map(|scope| scope["codedeploy"]["deploymentConfigs"].as_array().cloned());
        configs.flatten().map(|config| config.to_string()).collect()
    }

    /// The function's deployments, oldest first; without CodeDeploy's own rollbacks.
    pub(crate) async fn deployments(&self, function: &str) -> Vec<Deployment> {
        let mut infos = Vec::new();
        for ids in self.deployment_ids(function).await.chunks(25) {
            let found = self.code_deploy.batch_get_deployments().set_deployment_ids(Some(ids.to_vec()));
            infos.extend(found.send().await.unwrap().deployments_info.unwrap_or_default());
        }
        infos.retain(|info| info.creator != Some(DeploymentCreator::CodeDeployRollback));
        infos.sort_by_key(|info| info.create_time);
        infos.into_iter().map(Deployment::of).collect()
    }

    async fn deployment_ids(&self, function: &str) -> Vec<String> {
        let application = format!("rollout-{function}.stable");
        let listed =
            self.code_deploy.list_deployments().application_name(application).deployment_group_name("stable");
        listed.send().await.ok().and_then(|found| found.deployments).unwrap_or_default()
    }

    /// Somebody stops what is running, as in the console.
    pub(crate) async fn stop_all(&self, function: &str, rollback: bool) {
        for id in self.deployment_ids(function).await {
            let stopped =
                self.code_deploy.stop_deployment().deployment_id(id).auto_rollback_enabled(rollback);
            // What has ended cannot be stopped.
            drop(stopped.send().await);
        }
    }

    /// Somebody deploys a version in the rollout's own group.
    pub(crate) async fn deploy(&self, function: &str, from: &str, to: &str) -> Option<String> {
        let description = format!("by hand: version {from} to {to}");
        self.deploy_as(function, from, to, &description, None).await
    }

    /// The same in other words, and with a hook before traffic.
    pub(crate) async fn deploy_as(
        &self,
        function: &str,
        from: &str,
        to: &str,
        description: &str,
        hook: Option<&str>,
    ) -> Option<String> {
        let hooks: Vec<_> =
            hook.iter().map(|hook| serde_json::json!({ "BeforeAllowTraffic": hook })).collect();
        let app_spec = serde_json::json!({
            "version": "0.0",
            "Resources": [{ "it": { "Type": "AWS::Lambda::Function", "Properties": {
                "Name": function, "Alias": "stable", "CurrentVersion": from, "TargetVersion": to } } }],
            "Hooks": hooks,
        });
        let content = AppSpecContent::builder().content(app_spec.to_string()).build();
        let revision = RevisionLocation::builder()
            .revision_type(RevisionLocationType::AppSpecContent)
            .app_spec_content(content)
            .build();
        let deployment = self
            .code_deploy
            .create_deployment()
            .application_name(format!("rollout-{function}.stable"))
            .deployment_group_name("stable")
            .deployment_config_name("CodeDeployDefault.LambdaAllAtOnce")
            .description(description)
            .revision(revision);
        deployment.send().await.ok()?.deployment_id
    }

    /// Waits until nothing of the function is in flight any more.
    pub(crate) async fn until_quiet(&self, function: &str) {
        let quiet = Box::pin(async {
            while !self.deployments_live(function).await.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        });
        in_time("the end of all deployments", quiet).await;
    }

    /// Waits until something is in flight.
    pub(crate) async fn until_deploying(&self, function: &str) {
        let deploying = Box::pin(async {
            while self.deployments_live(function).await.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        });
        in_time("a deployment", deploying).await;
    }

    pub(crate) async fn deployments_live(&self, function: &str) -> Vec<String> {
        let live = ["Created", "Queued", "InProgress"].map(Into::into).to_vec();
        let listed = self
            .code_deploy
            .list_deployments()
            .application_name(format!("rollout-{function}.stable"))
            .deployment_group_name("stable")
            .set_include_only_statuses(Some(live));
        listed.send().await.ok().and_then(|found| found.deployments).unwrap_or_default()
    }

    /// Waits until an alias is served by two versions.
    pub(crate) async fn until_split(&self, function: &str, alias: &str) {
        let split = Box::pin(async {
            while self.serves(function, alias).await.len() < 2 {
                tokio::time::sleep(LOOK).await;
            }
        });
        in_time("an alias that is split", split).await;
    }

    /// Waits until an alias is served by this version alone.
    pub(crate) async fn until_served(&self, function: &str, alias: &str, version: &str) {
        let whole = [(version.to_owned(), 100.0)];
        let served = Box::pin(async {
            while self.serves(function, alias).await != whole {
                tokio::time::sleep(LOOK).await;
            }
        });
        in_time("all traffic on one version", served).await;
    }

    /// What a person would do in the console.
    pub(crate) async fn put_alias(&self, function: &str, alias: &str, version: &str) {
        let moved = self.lambda.update_alias().function_name(function).name(alias).function_version(version);
        if moved.send().await.is_err() {
            let made =
                self.lambda.create_alias().function_name(function).name(alias).function_version(version);
            made.send().await.unwrap();
        }
    }

    /// An alarm that stays as it is told.
    pub(crate) async fn make_alarm(&self, name: &str) {
        let alarm = self
            .cloud_watch
            .put_metric_alarm()
            .alarm_name(name)
            .namespace("Shop")
            .metric_name("Latency")
            .statistic(Statistic::Sum)
            .period(60)
            .evaluation_periods(1)
            .threshold(1.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .treat_missing_data("ignore");
        alarm.send().await.unwrap();
        self.set_alarm(name, StateValue::Ok).await;
    }

    pub(crate) async fn set_alarm(&self, name: &str, state: StateValue) {
        let set = self.cloud_watch.set_alarm_state().alarm_name(name).state_value(state).state_reason("told");
        set.send().await.unwrap();
    }

    pub(crate) async fn admin(&self, what: &str) -> Value {
        let host = self.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("GET /_sandbox/{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap()
    }
}

/// What there is of a thing: of a function only what hangs on it.
fn pieces(thing: &Value) -> Vec<String> {
    let Some(aliases) = thing["aliases"].as_array() else { return vec![thing.to_string()] };
    let listed = |key: &str| thing[key].as_array().cloned().unwrap_or_default();
    let hung = aliases.iter().cloned().chain(listed("urls")).chain(listed("policies"));
    hung.map(|piece| format!("{} {piece}", thing["name"])).collect()
}
