//! Every operation that the provider calls, so that as much of the SDK is linked. The benchmark never gets here.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// Calls each operation of a client, and counts what succeeded.
macro_rules! call {
    ($client:expr, $($operation:ident),+ $(,)?) => {{
        let client = $client;
        let mut succeeded = 0_usize;
        $(succeeded += usize::from(Box::pin(client.$operation().send()).await.is_ok());)+
        succeeded
    }};
}

pub(crate) async fn call_everything() -> usize {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    code_deploy(&config).await + lambda(&config).await + iam(&config).await + others(&config).await
}

async fn code_deploy(config: &aws_config::SdkConfig) -> usize {
    call!(
        aws_sdk_codedeploy::Client::new(config),
        batch_get_deployments,
        create_application,
        create_deployment,
        create_deployment_config,
        create_deployment_group,
        delete_application,
        delete_deployment_config,
        delete_deployment_group,
        get_application,
        get_deployment,
        get_deployment_config,
        get_deployment_group,
        list_deployment_groups,
        list_deployment_targets,
        list_deployments,
        list_tags_for_resource,
        stop_deployment,
        tag_resource,
        update_deployment_group,
    )
}

async fn lambda(config: &aws_config::SdkConfig) -> usize {
    call!(
        aws_sdk_lambda::Client::new(config),
        add_permission,
        create_alias,
        create_function_url_config,
        delete_alias,
        delete_function_url_config,
        get_alias,
        get_function_configuration,
        get_function_event_invoke_config,
        get_function_url_config,
        get_policy,
        invoke,
        remove_permission,
        update_alias,
        update_function_url_config,
    )
}

async fn iam(config: &aws_config::SdkConfig) -> usize {
    call!(
        aws_sdk_iam::Client::new(config),
        create_role,
        delete_role,
        delete_role_permissions_boundary,
        delete_role_policy,
        get_role,
        get_role_policy,
        put_role_permissions_boundary,
        put_role_policy,
        simulate_principal_policy,
        tag_role,
    )
}

async fn others(config: &aws_config::SdkConfig) -> usize {
    call!(
        aws_sdk_cloudwatch::Client::new(config),
        delete_alarms,
        describe_alarms,
        get_metric_data,
        put_metric_alarm,
    ) + call!(aws_sdk_cloudwatchlogs::Client::new(config), filter_log_events)
        + call!(aws_sdk_sts::Client::new(config), get_caller_identity)
}
