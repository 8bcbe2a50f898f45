//! Whose credentials these are.

use super::clients::Clients;
use super::error::Answered;
use crate::rollout::cloud::Identity;

const DEFAULT_PARTITION: &str = "aws";

impl Clients {
    /// Asked for once: credentials belong to the same account for the life of a provider.
    pub(super) async fn identity(&self) -> Answered<Identity> {
        self.identity.get_or_try_init(|| self.ask_identity()).await.cloned()
    }

    async fn ask_identity(&self) -> Answered<Identity> {
        let request = self.sts().await.get_caller_identity();
        let caller = self.call("sts:GetCallerIdentity", || request.send()).await?;
        let region = self.sdk().await.region().map(ToString::to_string).unwrap_or_default();
        Ok(Identity {
            account: caller.account().unwrap_or_default().to_owned(),
            partition: partition(caller.arn().unwrap_or_default()).to_owned(),
            region,
        })
    }
}

/// The partition in an ARN, `arn:PARTITION:…`.
fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or(DEFAULT_PARTITION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_is_read_from_the_callers_arn() {
        assert_eq!(partition("arn:aws:iam::123456789012:user/me"), "aws");
        assert_eq!(partition("arn:aws-us-gov:sts::123456789012:assumed-role/r/s"), "aws-us-gov");
        assert_eq!(partition(""), "aws");
    }
}
