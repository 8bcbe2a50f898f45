//! Two stacks declare one function's rollout: nothing of the one is stopped, moved or marked by the other.

use lambda_rollout::pulumi::PropertyMap;

use crate::{
    engine::{End, Resource},
    gate::Gate,
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;
const CHANGES: [&str; 7] = [
    "StopDeployment",
    "CreateDeployment",
    "UpdateDeploymentGroup",
    "TagResource",
    "TagRole",
    "PUT /",
    "DELETE /",
];

/// The alias's mark, which says whose it is.
async fn mark(world: &World, function: &str) -> String {
    let alias = world.lambda.get_alias().function_name(function).name("stable").send().await.unwrap();
    alias.description.unwrap()
}

/// An update of this resource is refused in these words, while a deployment of the other one's runs, and changes nothing.
async fn is_refused(world: &World, resource: &mut Resource, declared: &PropertyMap, words: &[&str]) {
    let gate = Gate::before(&world.endpoint).await;
    resource.endpoint.clone_from(&gate.url);
    let message = resource.up(declared).await.failed();
    for word in words {
        assert!(message.contains(word), "\"{word}\" is missing: {message}");
    }
    let changes: Vec<_> =
        gate.calls().into_iter().filter(|call| CHANGES.iter().any(|change| call.is(change))).collect();
    assert!(changes.is_empty(), "{changes:?}");
    resource.endpoint.clone_from(&world.endpoint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_is_refused_leaves_what_runs_alone() {
    let world = World::start(SPEED).await;
    world.make_function("shared").await;
    for note in ["first", "second", "third"] {
        world.publish("shared", note, true).await;
    }
    let mut first = Story::new(&world, "shared");
    first.settles("1", "1").await;
    let mut second = Story::new(&world, "shared");
    second.rollout.stack = "second";

    let slowly = first.declared_slowly("2");
    let refused = async {
        world.until_split("shared", "stable").await;
        let declared = second.declared("3");
        is_refused(&world, &mut second.rollout, &declared, &["belongs to shop/dev/shared", "adopt: true"])
            .await;
        assert_eq!(world.deployments_live("shared").await.len(), 1, "what ran was stopped");
        world.stop_all("shared", true).await;
    };
    let (stopped, ()) = tokio::join!(first.rollout.up(&slowly), refused);
    stopped.failed();

    // What a stop without rollback has left behind is not the second one's to put back, either.
    let slowly = first.declared_slowly("2");
    let stop = async {
        world.until_split("shared", "stable").await;
        world.stop_all("shared", false).await;
    };
    let (stopped, ()) = tokio::join!(first.rollout.up(&slowly), stop);
    stopped.failed();
    let declared = second.declared("3");
    is_refused(&world, &mut second.rollout, &declared, &["belongs to shop/dev/shared"]).await;
    assert!(second.rollout.state.is_none());
    let declared = first.declared("2");
    assert_eq!(first.rollout.up(&declared).await, End::Done);
    assert_eq!(world.serves("shared", "stable").await, [("2".to_owned(), 100.0)]);
    first.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_whose_rollout_was_taken_over_is_told_and_touches_nothing() {
    let world = World::start(SPEED).await;
    world.make_function("taken").await;
    for note in ["first", "second", "third"] {
        world.publish("taken", note, true).await;
    }
    let mut first = Story::new(&world, "taken");
    first.settles("1", "1").await;
    let mut second = Story::new(&world, "taken");
    second.rollout.stack = "second";
    let adopting = |mut declared: PropertyMap| {
        declared.insert("adopt".to_owned(), true.into());
        declared
    };
    let inputs = adopting(second.declared("1"));
    second.settles_as(&inputs, "1").await;
    let theirs = mark(&world, "taken").await;
    assert!(theirs.contains("shop/second/taken"), "{theirs}");

    // While the second one is at work, the first one is updated, refreshed and destroyed.
    let slowly = adopting(second.declared_slowly("2"));
    let first_one = async {
        world.until_split("taken", "stable").await;
        let declared = first.declared("3");
        let words = ["taken:stable belongs to shop/second/taken now", "take this rollout out", "adopt: true"];
        is_refused(&world, &mut first.rollout, &declared, &words).await;
        assert!(matches!(first.rollout.refresh().await, End::Done | End::Same));
        is_refused(&world, &mut first.rollout, &declared, &words).await;
        assert_eq!(first.rollout.destroy().await, End::Done);
        assert_eq!(mark(&world, "taken").await, theirs);
        assert_eq!(world.deployments_live("taken").await.len(), 1, "what ran was stopped");
        world.stop_all("taken", true).await;
    };
    let (stopped, ()) = tokio::join!(second.rollout.up(&slowly), first_one);
    stopped.failed();
    let inputs = adopting(second.declared("2"));
    assert_eq!(second.rollout.up(&inputs).await, End::Done);
    assert_eq!(second.rollout.up(&inputs).await, End::Same);
    second.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_taken_back_whole() {
    let world = World::start(SPEED).await;
    world.make_function("back").await;
    world.publish("back", "first", true).await;
    world.publish("back", "second", true).await;
    let mut first = Story::new(&world, "back");
    first.settles("1", "1").await;
    let mut second = Story::new(&world, "back");
    second.rollout.stack = "second";
    let mut declared = second.declared("1");
    declared.insert("adopt".to_owned(), true.into());
    second.settles_as(&declared, "1").await;
    let mut declared = first.declared("2");
    declared.insert("adopt".to_owned(), true.into());
    first.settles_as(&declared, "2").await;
    // Each piece carries the mark of the one that has it: the second one's end takes none of them along.
    let pieces = world.pieces_of("back").await;
    assert_eq!(second.rollout.destroy().await, End::Done);
    assert_eq!(world.pieces_of("back").await, pieces);
    first.vanishes().await;
}
