//! Where calls go and as whom: the provider's settings, completed from the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, RuntimeComponents, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};

use super::error::Route;

const DEFAULT_MAX_RETRIES: u32 = 4;
/// With the calls that may start at once, less than ten a second in any minute.
const DEFAULT_REQUESTS_PER_SECOND: f64 = 9.0;
const DEFAULT_STARTS_PER_SECOND: f64 = 1.0;
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(40);
/// Single sign-on and programs that print credentials can take longer than the SDK's five seconds.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);
const SESSION_NAME: &str = "lambda-rollout";

/// An AWS service that the provider calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    CodeDeploy,
    Lambda,
    Iam,
    CloudWatch,
    Logs,
    Sts,
}

/// What the provider was configured with; what is absent comes from the environment.
#[derive(Clone, Default)]
pub struct AwsConfig {
    pub region: Option<String>,
    pub profile: Option<String>,
    pub access_key: Option<String>,
    pub secret_key: Option<String>,
    pub token: Option<String>,
    pub assume_role: Option<AssumeRole>,
    /// By service: `codedeploy`, `lambda`, `iam`, `cloudwatch`, `logs`, `sts`.
    pub endpoints: BTreeMap<String, String>,
    /// How often a call is repeated after its first try.
    pub max_retries: Option<u32>,
    pub requests_per_second: Option<f64>,
    pub deployment_starts_per_second: Option<f64>,
}

#[derive(Clone, Default)]
pub struct AssumeRole {
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration: Option<Duration>,
}

impl Service {
    /// The name in the provider's `endpoints`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::CodeDeploy => "codedeploy",
            Self::Lambda => "lambda",
            Self::Iam => "iam",
            Self::CloudWatch => "cloudwatch",
            Self::Logs => "logs",
            Self::Sts => "sts",
        }
    }

    /// The variable that the SDK reads this service's endpoint from.
    fn endpoint_variable(self) -> &'static str {
        match self {
            Self::CodeDeploy => "AWS_ENDPOINT_URL_CODEDEPLOY",
            Self::Lambda => "AWS_ENDPOINT_URL_LAMBDA",
            Self::Iam => "AWS_ENDPOINT_URL_IAM",
            Self::CloudWatch => "AWS_ENDPOINT_URL_CLOUDWATCH",
            Self::Logs => "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
        }
    }

    /// The service of an operation as IAM writes it, `codedeploy:GetDeployment`.
    pub(super) fn of(operation: &str) -> Self {
        match operation.split(':').next() {
            Some("codedeploy") => Self::CodeDeploy,
            Some("iam") => Self::Iam,
            Some("cloudwatch") => Self::CloudWatch,
            Some("logs") => Self::Logs,
            Some("sts") => Self::Sts,
            _ => Self::Lambda,
        }
    }
}

impl AwsConfig {
    /// The region that calls will go to, without any call. SST names it in a variable of its own.
    pub async fn region(&self) -> Option<String> {
        if let Some(region) = first_region(self.region.as_deref(), environment) {
            return Some(region);
        }
        let mut profile = ProfileFileRegionProvider::builder();
        if let Some(name) = given(self.profile.as_deref()) {
            profile = profile.profile_name(name);
        }
        profile.build().region().await.map(|region| region.to_string())
    }

    /// Reads variables and files; no call is made before the first client makes one.
    pub(super) async fn load(&self) -> SdkConfig {
        let region = self.region().await.map(Region::new);
        let http = http_client();
        let config = self.load_as_caller(region.as_ref(), &http, None).await;
        let Some(role) = &self.assume_role else {
            return config;
        };
        let sts = self.load_as_caller(region.as_ref(), &http, self.endpoint(Service::Sts)).await;
        let credentials = SharedCredentialsProvider::new(role.provider(&sts).await);
        config.into_builder().credentials_provider(credentials).build()
    }

    /// The endpoint that this service was given in the provider's settings.
    pub(super) fn endpoint(&self, service: Service) -> Option<&str> {
        given(self.endpoints.get(service.key()).map(String::as_str))
    }

    /// Where this service's calls go and as whom, for a person.
    pub(super) fn route(&self, service: Service, config: &SdkConfig) -> Route {
        let credentials = if let Some(role) = &self.assume_role {
            format!("the role {}", role.role_arn)
        } else if self.static_credentials().is_some() {
            "the provider's keys".to_owned()
        } else if let Some(profile) = given(self.profile.as_deref()) {
            format!("the profile \"{profile}\"")
        } else {
            "the environment".to_owned()
        };
        Route { endpoint: self.describe_endpoint(service, config), credentials }
    }

    fn describe_endpoint(&self, service: Service, config: &SdkConfig) -> String {
        let configured = self
            .endpoint(service)
            .map(str::to_owned)
            .or_else(|| environment(service.endpoint_variable()))
            .or_else(|| config.endpoint_url().map(str::to_owned));
        configured.unwrap_or_else(|| match config.region() {
            Some(region) => format!("the {} endpoint of {region}", service.key()),
            None => format!("the {} endpoint (no region is set)", service.key()),
        })
    }

    pub(super) fn requests_per_second(&self) -> f64 {
        self.requests_per_second.unwrap_or(DEFAULT_REQUESTS_PER_SECOND)
    }

    pub(super) fn deployment_starts_per_second(&self) -> f64 {
        self.deployment_starts_per_second.unwrap_or(DEFAULT_STARTS_PER_SECOND)
    }

    /// The configuration with the caller's own credentials, before any role is assumed.
    async fn load_as_caller(
        &self,
        region: Option<&Region>,
        http: &SharedHttpClient,
        endpoint: Option<&str>,
    ) -> SdkConfig {
        let mut loader = self.loader(region, http);
        if let Some(url) = endpoint {
            loader = loader.endpoint_url(url);
        }
        if let Some(credentials) = self.static_credentials() {
            return loader.credentials_provider(credentials).load().await;
        }
        if let Some(profile) = given(self.profile.as_deref()) {
            let credentials = profile_credentials(profile, region, http);
            return loader.credentials_provider(credentials).load().await;
        }
        match sst_credentials(environment) {
            Some(sst) => loader.credentials_provider(usual_or(sst, region, http)).load().await,
            None => loader.load().await,
        }
    }

    fn loader(&self, region: Option<&Region>, http: &SharedHttpClient) -> ConfigLoader {
        let attempts = self.max_retries.unwrap_or(DEFAULT_MAX_RETRIES).saturating_add(1);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        // A region that is given, even an absent one, keeps the SDK from asking the instance metadata service.
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(region.cloned())
            .http_client(http.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(timeouts)
            .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build());
        if let Some(profile) = given(self.profile.as_deref()) {
            loader = loader.profile_name(profile);
        }
        if let Ok(name) = AppName::new(SESSION_NAME) {
            loader = loader.app_name(name);
        }
        loader
    }

    /// With half a pair the call fails at the service: falling back to other credentials could be another account.
    fn static_credentials(&self) -> Option<Credentials> {
        let (id, secret) = (given(self.access_key.as_deref()), given(self.secret_key.as_deref()));
        (id.is_some() || secret.is_some()).then(|| {
            let token = given(self.token.as_deref()).map(str::to_owned);
            Credentials::new(
                id.unwrap_or_default(),
                secret.unwrap_or_default(),
                token,
                None,
                "provider configuration",
            )
        })
    }
}

impl AssumeRole {
    async fn provider(&self, config: &SdkConfig) -> AssumeRoleProvider {
        let mut builder = AssumeRoleProvider::builder(&self.role_arn)
            .configure(config)
            .session_name(given(self.session_name.as_deref()).unwrap_or(SESSION_NAME));
        if let Some(id) = given(self.external_id.as_deref()) {
            builder = builder.external_id(id);
        }
        if let Some(duration) = self.duration {
            builder = builder.session_length(duration);
        }
        builder.build().await
    }
}

/// Credentials and what else might be secret stay out.
impl fmt::Debug for AwsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsConfig")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("assume_role", &self.assume_role)
            .field("endpoints", &self.endpoints)
            .field("max_retries", &self.max_retries)
            .field("requests_per_second", &self.requests_per_second)
            .field("deployment_starts_per_second", &self.deployment_starts_per_second)
            .finish_non_exhaustive()
    }
}

/// The external id is shared with the role's owner alone, so it stays out.
impl fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssumeRole")
            .field("role_arn", &self.role_arn)
            .field("session_name", &self.session_name)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// A profile named in the provider's settings is meant, even if the environment holds keys of somebody else.
fn profile_credentials(
    profile: &str,
    region: Option<&Region>,
    http: &SharedHttpClient,
) -> ProfileFileCredentialsProvider {
    let config = ProviderConfig::without_region().with_region(region.cloned()).with_http_client(http.clone());
    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build()
}

/// SST hands the credentials that it found itself to providers in variables of its own.
fn sst_credentials(variable: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
    let (id, secret) = (variable("SST_AWS_ACCESS_KEY_ID")?, variable("SST_AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret, variable("SST_AWS_SESSION_TOKEN"), None, "SST"))
}

/// The SDK's own chain, with these credentials in place of the instance metadata service at its end: that one may
/// answer with an error, or after a long time, where nobody means to use it.
fn usual_or(last: Credentials, region: Option<&Region>, http: &SharedHttpClient) -> CredentialsProviderChain {
    let config = ProviderConfig::without_region().with_region(region.cloned()).with_http_client(http.clone());
    let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(&config).build();
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Profile", profile)
        .or_else("WebIdentityToken", web_identity)
        .or_else("Container", container)
        .or_else("SST", last)
}

/// One pool of connections for all services. It honours the proxy variables.
fn http_client() -> SharedHttpClient {
    HttpBuilder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        if let Some(settings) = settings {
            connector = connector.connector_settings(settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}

fn first_region(input: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    const VARIABLES: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "SST_AWS_REGION"];
    given(input).map(str::to_owned).or_else(|| VARIABLES.into_iter().find_map(variable))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// An empty setting is as good as none.
fn given(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(variables: &[(&str, &str)], name: &str) -> Option<String> {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    fn region(input: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        first_region(input, |name| lookup(variables, name))
    }

    #[test]
    fn the_region_comes_from_the_input_then_from_aws_then_from_sst() {
        let mut variables =
            vec![("SST_AWS_REGION", "sst"), ("AWS_DEFAULT_REGION", "default"), ("AWS_REGION", "usual")];
        assert_eq!(region(Some("input"), &variables).as_deref(), Some("input"));
        assert_eq!(region(Some(""), &variables).as_deref(), Some("usual"));
        assert_eq!(region(None, &variables).as_deref(), Some("usual"));
        variables.pop();
        assert_eq!(region(None, &variables).as_deref(), Some("default"));
        variables.pop();
        assert_eq!(region(None, &variables).as_deref(), Some("sst"));
        variables.pop();
        assert_eq!(region(None, &variables), None);
    }

    #[test]
    fn credentials_of_sst_need_both_keys() {
        let variables = [
            ("SST_AWS_ACCESS_KEY_ID", "id"),
            ("SST_AWS_SECRET_ACCESS_KEY", "secret"),
            ("SST_AWS_SESSION_TOKEN", "token"),
        ];
        let with = |count: usize| sst_credentials(|name| lookup(&variables[..count], name));
        assert!(with(0).is_none() && with(1).is_none());
        assert_eq!(with(2).map(|keys| keys.session_token().map(str::to_owned)), Some(None));
        assert_eq!(
            with(3).and_then(|keys| keys.session_token().map(str::to_owned)).as_deref(),
            Some("token")
        );
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let secret = || Some("hush".to_owned());
        let config = AwsConfig {
            region: Some("eu-west-1".to_owned()),
            access_key: secret(),
            secret_key: secret(),
            token: secret(),
            assume_role: Some(AssumeRole {
                role_arn: "arn:aws:iam::123456789012:role/deployer".to_owned(),
                external_id: secret(),
                ..AssumeRole::default()
            }),
            ..AwsConfig::default()
        };
        let text = format!("{config:?}");
        assert!(text.contains("eu-west-1") && text.contains("role/deployer"), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn half_a_pair_of_keys_does_not_fall_back_to_other_credentials() {
        let with = |access_key: Option<&str>, secret_key: Option<&str>| {
            let (access_key, secret_key) = (access_key.map(str::to_owned), secret_key.map(str::to_owned));
            AwsConfig { access_key, secret_key, ..AwsConfig::default() }.static_credentials()
        };
        assert!(with(None, None).is_none());
        assert!(with(Some(""), Some("")).is_none());
        assert_eq!(with(Some("id"), None).map(|keys| keys.access_key_id().to_owned()).as_deref(), Some("id"));
        assert!(with(None, Some("secret")).is_some());
    }

    #[test]
    fn an_operation_tells_its_service() {
        for (operation, service) in [
            ("codedeploy:GetDeployment", Service::CodeDeploy),
            ("lambda:InvokeFunction", Service::Lambda),
            ("iam:GetRole", Service::Iam),
            ("cloudwatch:DescribeAlarms", Service::CloudWatch),
            ("logs:FilterLogEvents", Service::Logs),
            ("sts:GetCallerIdentity", Service::Sts),
        ] {
            assert_eq!(Service::of(operation), service);
        }
    }

    #[test]
    fn a_route_names_the_configured_endpoint_and_the_source_of_credentials() {
        let sdk = SdkConfig::builder().region(Region::new("eu-west-1")).build();
        let endpoints = BTreeMap::from([("lambda".to_owned(), "http://127.0.0.1:4566".to_owned())]);
        let mut config = AwsConfig { endpoints, ..AwsConfig::default() };
        let credentials = |config: &AwsConfig| config.route(Service::Lambda, &sdk).credentials;
        assert_eq!(config.route(Service::Lambda, &sdk).endpoint, "http://127.0.0.1:4566");
        assert_eq!(credentials(&config), "the environment");
        config.profile = Some("prod".to_owned());
        assert_eq!(credentials(&config), "the profile \"prod\"");
        config.access_key = Some("id".to_owned());
        assert_eq!(credentials(&config), "the provider's keys");
        let role_arn = "arn:aws:iam::123456789012:role/deployer".to_owned();
        config.assume_role = Some(AssumeRole { role_arn, ..AssumeRole::default() });
        assert_eq!(credentials(&config), "the role arn:aws:iam::123456789012:role/deployer");
    }
}
