//! A run takes up what a killed one has made, by putting its mark on each piece, and one of the marks cannot be set.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::End,
    gate::{Call, Gate, Verdict},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

/// The marks on the pieces: role, application, group and both aliases.
const MARKS: [fn(&Call) -> bool; 5] = [
    |call| call.operation == "TagRole",
    |call| call.operation == "TagResource" && call.body.contains(":application:"),
    |call| call.operation == "TagResource" && call.body.contains(":deploymentgroup:"),
    |call| call.is("PUT /") && call.is("/aliases/stable"),
    |call| call.is("PUT /") && call.is("/aliases/latest"),
];

fn permitted(mut declared: PropertyMap) -> PropertyMap {
    let permission = PropertyValue::Object(properties([("principal", "events.amazonaws.com".into())]));
    declared.insert("permissions".to_owned(), PropertyValue::Array(vec![permission]));
    declared
}

/// A create that is killed when everything is made but what hangs on the alias.
async fn is_killed(story: &mut Story<'_>, declared: &PropertyMap) {
    let gate = Gate::before(&story.world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    gate.judge(|call| if call.is("/policy") && call.is("POST /") { Verdict::Hold } else { Verdict::Pass });
    tokio::select! {
        end = story.rollout.up(declared) => panic!("it was not killed: {end:?}"),
        () = gate.saw("POST /2015-03-31/functions/half/policy", 1) => {}
    }
    assert!(story.rollout.state.is_none());
    story.rollout.endpoint.clone_from(&story.world.endpoint);
}

/// An update in which this mark cannot be set.
async fn fails_at(story: &mut Story<'_>, declared: &PropertyMap, mark: fn(&Call) -> bool) {
    let gate = Gate::before(&story.world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    gate.judge(
        move |call| {
            if mark(call) { Verdict::Refuse(403, "AccessDeniedException") } else { Verdict::Pass }
        },
    );
    let message = story.rollout.up(declared).await.failed();
    assert!(gate.calls().iter().any(mark), "that mark was not to be set: {message}");
    assert!(message.contains("AccessDeniedException"), "{message}");
    story.rollout.endpoint.clone_from(&story.world.endpoint);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_up_half_is_taken_up_whole_by_the_next_update() {
    let world = World::start(SPEED).await;
    world.make_function("half").await;
    let good = world.publish("half", "good", true).await;
    let bad = world.publish("half", "bad", false).await;
    for mark in MARKS {
        for next in [&good, &bad] {
            let mut story = Story::new(&world, "half");
            let first = permitted(story.declared(&good));
            is_killed(&mut story, &first).await;
            let declared = permitted(story.declared(next));
            fails_at(&mut story, &declared, mark).await;
            // What stands in the state then is all that there is, or nothing of it does.
            if story.rollout.destroy().await == End::Done {
                assert_eq!(world.pieces_of("half").await, Vec::<String>::new());
            }
            let expected = if next == &good { vec![End::Done, End::Same] } else { Vec::new() };
            for end in expected {
                assert_eq!(story.rollout.up(&declared).await, end);
            }
            if next == &bad {
                story.rollout.up(&declared).await.failed();
                assert!(story.rollout.state.is_some(), "what was made is in no state");
            }
            assert_eq!(world.serves("half", "stable").await, [(good.clone(), 100.0)]);
            story.vanishes().await;
        }
    }
}

/// An import puts the importer's mark on everything, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_half_goes_whole() {
    let world = World::start(SPEED).await;
    world.make_function("half").await;
    let good = world.publish("half", "good", true).await;
    for mark in MARKS {
        let mut theirs = Story::new(&world, "half");
        theirs.settles(&good, &good).await;
        let mut story = Story::new(&world, "half");
        story.rollout.stack = "importer";
        assert_eq!(story.rollout.import("half:stable").await, End::Done);
        let declared = story.declared(&good);
        fails_at(&mut story, &declared, mark).await;
        story.vanishes().await;
        // Again, to be finished this time.
        theirs.rollout.state = None;
        theirs.settles(&good, &good).await;
        assert_eq!(story.rollout.import("half:stable").await, End::Done);
        fails_at(&mut story, &declared, mark).await;
        story.settles_as(&declared, &good).await;
        story.vanishes().await;
    }
}
