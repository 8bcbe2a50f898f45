//! Why a rollout does not even start: what certainly cannot work, each with its cure.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "version {version} of {function} does not exist in {region}: publish it first (`publish: true` on the function) and pass its number"
    )]
    NoVersion { function: String, version: String, region: String },

    #[error(
        "version {version} of {function} cannot run (Lambda says Failed: {reason}): mend the function and publish a new version"
    )]
    VersionFailed { function: String, version: String, reason: String },

    #[error(
        "{what} \"{name}\" exists already and {holder}: {cure}, or set `adopt: true` to take it over (no traffic moves by that)"
    )]
    Taken { what: &'static str, name: String, holder: String, cure: String },

    #[error(
        "alias {alias} belongs to {holder} now, which took it over: take this rollout out of the program (what belongs to others stays as it is), or set `adopt: true` to take the alias back (no traffic moves by that)"
    )]
    TakenOver { alias: String, holder: String },

    #[error(
        "alias {alias} is split between version {main} and version {second} ({percent} %), and no deployment of this rollout made that: somebody else is shifting it. End that shift, or put the alias back to one version, then run again"
    )]
    ForeignWeights { alias: String, main: String, second: String, percent: String },

    #[error(
        "deployment {deployment} of version {version} is running on {id}: wait for its end, or choose `onConflict: stop` or `wait`"
    )]
    Busy { id: String, deployment: String, version: String },

    #[error(
        "deployment configuration \"{0}\" does not exist for Lambda: create it, or choose a `strategy` instead"
    )]
    NoConfig(String),

    #[error(
        "versions {old} and {new} have different {what}, and Lambda cannot split traffic between such versions: set `strategy: {{type: \"allAtOnce\"}}` for this version"
    )]
    NotWeightable { old: String, new: String, what: &'static str },

    #[error("hook {0} does not exist: deploy the hook function first, or correct its name in `hooks`")]
    NoHook(String),

    #[error(
        "service role {role} may not call hook {hook}: allow it lambda:InvokeFunction on the hook (AWS's managed policy allows only names that begin with CodeDeployHook_), or let a FunctionRollout make the role by leaving out its `serviceRoleArn`"
    )]
    HookNotCallable { hook: String, role: String },

    #[error(
        "role {role}, which this rollout made, may not call hook {hook}: its permissions boundary {boundary} does not allow it. Allow lambda:InvokeFunction on the hook in the boundary, or name another `permissionsBoundary`"
    )]
    HookBeyondBoundary { hook: String, role: String, boundary: String },

    #[error(
        "hook {hook} could never report: its role {role} may not do codedeploy:PutLifecycleEventHookExecutionStatus on {group}; allow that action in the role's policy"
    )]
    HookMayNotReport { hook: String, role: String, group: String },

    #[error("hook {hook} cannot run: its role {role} does not exist; give the function a role that does")]
    NoHookRole { hook: String, role: String },

    #[error("service role {0} does not exist: create it first, or correct `serviceRoleArn`")]
    NoServiceRole(String),

    #[error(
        "alarm \"{0}\" does not exist in this account and region: create it first, or take it out of `alarms`"
    )]
    NoAlarm(String),

    #[error(
        "alarm \"{name}\" is firing already{since} ({reason}); CodeDeploy would stop at once, so nothing was started. Wait until it is OK, or set `alarmsAlreadyFiring` to \"ignore\" or \"wait\" (also as provider configuration, for one run)"
    )]
    AlarmFiring { name: String, since: String, reason: String },

    #[error(
        "deployment group \"{0}\" is not this rollout's, so its notifications are not changed: set the triggers on the group, or leave out `notifications`"
    )]
    NotificationsOnForeignGroup(String),

    #[error(
        "alias {alias} of {function} does not exist: create it first, for example with a FunctionAlias with `follow: false`"
    )]
    NoAlias { function: String, alias: String },

    #[error(
        "deployment group \"{group}\" of application \"{application}\" does not exist: create it first, or correct the names"
    )]
    NoGroup { application: String, group: String },

    #[error(
        "{id} belongs to account {known_account} in {known_region}, and the credentials are of account {account} in {region}: use the provider or profile that made it"
    )]
    WrongPlace { id: String, known_account: String, known_region: String, account: String, region: String },

    #[error(
        "functionName names account {named_account} in {named_region}, and the provider works in account {account} in {region}: use a provider for that place"
    )]
    FunctionElsewhere { named_account: String, named_region: String, account: String, region: String },
}
