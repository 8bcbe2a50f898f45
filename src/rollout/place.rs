//! Where an operation works: AWS is asked who the caller is while the rest is read.

use super::cloud::{Cloud, CloudError, Identity};
use super::context::{Context, Doing, RolloutError};
use super::refusal::Refusal;

/// The caller's account and region.
pub async fn here<C: Cloud>(cx: &Context<'_, C>) -> Result<Identity, RolloutError> {
    cx.cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())
}

/// Reads what exists for `id`. What was read in a place that `check` refuses is worth nothing, not even its errors.
pub async fn read_here<C: Cloud, T>(
    cx: &Context<'_, C>,
    id: &str,
    check: impl FnOnce(&Identity) -> Result<(), Refusal>,
    read: impl Future<Output = Result<T, CloudError>>,
) -> Result<(Identity, T), RolloutError> {
    let (identity, found) = tokio::join!(here(cx), read);
    let identity = identity?;
    check(&identity)?;
    Ok((identity, found.doing(|| format!("could not read what exists for {id}"))?))
}
