//! What a rollout remembers between two runs: the part of the state that decisions rest on.

use std::time::SystemTime;

use super::cloud::Identity;
use super::leftover::Leftover;
use super::owner::Owner;
use super::plan::IN_PROGRESS;
use super::refusal::Refusal;

/// How many versions that were served in full are remembered.
const SERVED_KEPT: usize = 10;

#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// Whose mark is on the pieces.
    pub owner: Owner,
    /// Read by an import: the next update puts the importer's mark on the pieces.
    pub imported: bool,
    /// Who has begun to put their mark on the pieces, and has not come to the end: some carry it already.
    pub heir: Option<Owner>,
    pub account: String,
    pub region: String,
    pub partition: String,
    pub made: Made,
    pub application: String,
    pub group: String,
    pub deployment_config: String,
    pub service_role_arn: String,
    /// Empty = the rollout keeps no alias for the version under test.
    pub latest_alias_name: String,
    pub url: String,
    pub latest_url: String,
    /// The alarm of the newest deployment, while it exists.
    pub error_alarm: String,
    pub deployment_id: String,
    pub deployment_status: String,
    /// What the alias served in full when it was last read; empty = there is no alias yet.
    pub serving_version: String,
    /// The version that was judged bad by a hook, the smoke test or an alarm; empty = none.
    pub failed_version: String,
    /// The triggers at the last deployment.
    pub trigger_mark: String,
    /// The tags that the pieces were given last.
    pub tag_mark: String,
    /// The permissions boundary that the role was given last; empty = none.
    pub boundary: String,
    /// What an earlier declaration made and nobody has removed yet.
    pub leftovers: Vec<Leftover>,
    /// What a refresh found to be other than it was left.
    pub drift: Vec<Drift>,
    /// What the alias served before the last deployment; empty = it is not known.
    pub previous_version: String,
    /// Versions that this rollout has served in full, oldest first.
    pub served: Vec<String>,
    pub last_rollout: Option<LastRollout>,
}

/// Something that the next update would mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The property that stands for it.
    pub property: String,
    /// What the update would do, in words.
    pub mend: String,
}

/// Which pieces are ours to change and to delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    pub alias: bool,
    pub latest_alias: bool,
    pub application: bool,
    pub group: bool,
    pub role: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LastRollout {
    pub version: String,
    /// `Succeeded`, `Failed`, `Inconclusive`, `InProgress`.
    pub status: String,
    pub reason: String,
    /// The largest share of traffic that the version had, in percent.
    pub percentage: u8,
    /// The deployment that took the traffic back; empty = none.
    pub rollback: String,
    /// What a person should do now; empty = nothing.
    pub next: String,
    pub requests: f64,
    pub errors: f64,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
}

impl LastRollout {
    /// One that begins.
    pub fn of(version: &str, started: SystemTime) -> Self {
        Self {
            version: version.to_owned(),
            status: IN_PROGRESS.to_owned(),
            reason: String::new(),
            percentage: 0,
            rollback: String::new(),
            next: String::new(),
            requests: 0.0,
            errors: 0.0,
            started,
            ended: None,
        }
    }
}

impl Memory {
    pub fn new(owner: Owner, account: &str, region: &str, partition: &str) -> Self {
        Self {
            owner,
            imported: false,
            heir: None,
            account: account.to_owned(),
            region: region.to_owned(),
            partition: partition.to_owned(),
            made: Made::default(),
            application: String::new(),
            group: String::new(),
            deployment_config: String::new(),
            service_role_arn: String::new(),
            latest_alias_name: String::new(),
            url: String::new(),
            latest_url: String::new(),
            error_alarm: String::new(),
            deployment_id: String::new(),
            deployment_status: String::new(),
            serving_version: String::new(),
            failed_version: String::new(),
            trigger_mark: String::new(),
            tag_mark: String::new(),
            boundary: String::new(),
            leftovers: Vec::new(),
            drift: Vec::new(),
            previous_version: String::new(),
            served: Vec::new(),
            last_rollout: None,
        }
    }

    /// What was made in one account and region is never taken for gone, and never made, in another.
    pub fn check_place(&self, id: &str, here: &Identity) -> Result<(), Refusal> {
        if here.account == self.account && here.region == self.region {
            return Ok(());
        }
        Err(Refusal::WrongPlace {
            id: id.to_owned(),
            known_account: self.account.clone(),
            known_region: self.region.clone(),
            account: here.account.clone(),
            region: here.region.clone(),
        })
    }

    /// Whether a piece with this mark is of this making of the resource.
    pub fn is_holder(&self, holder: &Owner) -> bool {
        *holder == self.owner || self.heir.as_ref() == Some(holder)
    }

    /// Whether the mark is of this resource, whichever making of it.
    pub fn is_same_resource(&self, holder: &Owner) -> bool {
        let heir = self.heir.as_ref().is_some_and(|heir| heir.is_same_resource(holder));
        heir || self.owner.is_same_resource(holder)
    }

    /// Whether a run has seen the end of this deployment and of its rollout: nothing about them can change any more.
    pub fn saw_end(&self, deployment: &str) -> bool {
        let ended = ["Succeeded", "Failed", "Stopped"].contains(&self.deployment_status.as_str());
        let told = self.last_rollout.as_ref().is_some_and(|last| last.status != IN_PROGRESS);
        self.deployment_id == deployment && ended && told
    }

    /// Whether the application of that name is ours to change.
    pub fn made_application(&self, name: &str) -> bool {
        self.made.application && self.application == name
    }

    /// Whether the group of that name is ours to change.
    pub fn made_group(&self, application: &str, name: &str) -> bool {
        self.made.group && self.application == application && self.group == name
    }

    /// What served before a version that failed: what the alias had when it was deployed or, if that is not known or
    /// gone, what this rollout has served in full.
    pub fn good_before(&self, failed: &str) -> Option<&str> {
        let served = self.served.iter().rev();
        let known = std::iter::once(&self.previous_version).chain(served).map(String::as_str);
        known.into_iter().find(|version| !version.is_empty() && *version != failed)
    }

    /// A version that somebody has deleted is no way back any more.
    pub fn forget_version(&mut self, version: &str) {
        self.served.retain(|known| known != version);
        if self.previous_version == version {
            self.previous_version.clear();
        }
    }

    /// The alias serves this version alone, and nothing is wrong with it.
    pub fn record_serving(&mut self, version: &str) {
        version.clone_into(&mut self.serving_version);
        if self.failed_version == version {
            self.failed_version.clear();
        }
        self.served.retain(|known| known != version);
        self.served.push(version.to_owned());
        if self.served.len() > SERVED_KEPT {
            self.served.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_served_before_a_failed_version_is_what_the_alias_had_then() {
        let mut memory = Memory::new(Owner::nobody(), "", "", "");
        assert_eq!(memory.good_before("3"), None);
        memory.record_serving("1");
        memory.record_serving("2");
        assert_eq!(memory.good_before("3"), Some("2"));
        // Somebody had moved the alias by hand.
        "1".clone_into(&mut memory.previous_version);
        assert_eq!(memory.good_before("3"), Some("1"));
        memory.forget_version("1");
        assert_eq!(memory.good_before("3"), Some("2"));
        assert_eq!(memory.good_before("2"), None);
    }
}
