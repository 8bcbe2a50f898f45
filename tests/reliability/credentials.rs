//! Credentials expire during a long wait: for a while, for good, or because they only ever last for minutes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use lambda_rollout::pulumi::PropertyMap;

use crate::{
    clock::many_hours,
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;
/// The SDK replaces credentials ten seconds before they expire: these are replaced after a second.
const LIFETIME: Duration = Duration::from_secs(11);

const EXPIRED: Verdict = Verdict::Refuse(400, "ExpiredTokenException");

/// A function whose first version serves, behind a gate.
async fn served<'a>(world: &'a World, function: &'a str) -> (Story<'a>, Gate, PropertyMap) {
    world.make_function(function).await;
    let first = world.publish(function, "first", true).await;
    let second = world.publish(function, "second", true).await;
    let mut story = Story::new(world, function);
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let declared = story.declared(&second);
    (story, gate, declared)
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_expired_for_a_while_are_waited_for() {
    let world = World::start(SPEED).await;
    let (mut story, gate, declared) = served(&world, "while").await;
    let refused = AtomicUsize::new(0);
    gate.judge(move |call| {
        let waits = call.is("BatchGetDeployments") || refused.load(Ordering::SeqCst) > 0;
        if waits && refused.fetch_add(1, Ordering::SeqCst) < 6 { EXPIRED } else { Verdict::Pass }
    });
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    story.settles_as(&declared, "2").await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_stay_expired_fail_the_update_and_not_the_deployment() {
    let world = World::start(SPEED).await;
    let (mut story, gate, declared) = served(&world, "good").await;
    let lost = AtomicUsize::new(0);
    gate.judge(move |call| {
        let waits = call.is("BatchGetDeployments") || lost.load(Ordering::SeqCst) > 0;
        if waits {
            lost.store(1, Ordering::SeqCst);
        }
        if waits { EXPIRED } else { Verdict::Pass }
    });
    let End::Failed(message) = story.rollout.up(&declared).await else { panic!("it was not told") };
    for words in
        ["ExpiredTokenException", "check the provider's credentials", "goes on by itself", "pulumi up"]
    {
        assert!(message.contains(words), "{message}");
    }
    let End::Failed(message) = story.rollout.up(&declared).await else { panic!("it was not told again") };
    assert!(message.contains("check the provider's credentials"), "{message}");
    gate.open();
    story.settles_as(&declared, "2").await;
    assert_eq!(world.deployments("good").await.len(), 1);
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_minutes_last_through_a_rollout_of_hours() {
    let world = World::start(3600).await;
    let (mut story, gate, mut declared) = served(&world, "hours").await;
    declared.insert("strategy".to_owned(), many_hours());
    let purse = Purse::new();
    let variables = [
        ("AWS_ACCESS_KEY_ID", String::new()),
        ("AWS_SECRET_ACCESS_KEY", String::new()),
        ("AWS_PROFILE", "hours".to_owned()),
        ("AWS_CONFIG_FILE", purse.profile().display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE", purse.folder.join("none").display().to_string()),
    ];
    story.rollout.environment = variables.map(|(name, value)| (name.to_owned(), value)).into();
    // Whoever asks for credentials gets new ones, and AWS takes those alone that have not expired.
    let issued = AtomicUsize::new(0);
    fill(&purse.folder, 0);
    let folder = purse.folder.clone();
    gate.judge(move |call| {
        fill(&folder, issued.fetch_add(1, Ordering::SeqCst) + 1);
        let expiry = call.access_key.rsplit('Z').next().and_then(|seconds| seconds.parse().ok());
        if expiry.is_some_and(|seconds: u64| seconds > now()) { Verdict::Pass } else { EXPIRED }
    });
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    let mut keys: Vec<_> = gate.calls().into_iter().map(|call| call.access_key).collect();
    keys.sort();
    keys.dedup();
    assert!(keys.len() > 2, "the same credentials all the time: {keys:?}");
    story.settles_as(&declared, "2").await;
    story.vanishes().await;
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Where a profile's program finds what it prints.
struct Purse {
    folder: PathBuf,
}

impl Purse {
    fn new() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("purse-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let purse = Self { folder };
        let profile =
            format!("[profile hours]\ncredential_process = cat {}\n", printed(&purse.folder).display());
        fs::write(purse.profile(), profile).unwrap();
        purse
    }

    fn profile(&self) -> PathBuf {
        self.folder.join("config")
    }
}

impl Drop for Purse {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn printed(folder: &Path) -> PathBuf {
    folder.join("credentials.json")
}

/// New credentials, whose key says when they expire. A reader finds the old ones or the new ones, never half.
fn fill(folder: &Path, number: usize) {
    let expiry = now() + LIFETIME.as_secs();
    let time = aws_smithy_types::DateTime::from_secs(i64::try_from(expiry).unwrap());
    let expiration = time.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap();
    let credentials = serde_json::json!({
        "Version": 1, "AccessKeyId": format!("ASIA{number}Z{expiry}"), "SecretAccessKey": "secret",
        "SessionToken": "token", "Expiration": expiration,
    });
    let next = folder.join(format!("next-{number}"));
    fs::write(&next, credentials.to_string()).unwrap();
    fs::rename(next, printed(folder)).unwrap();
}
