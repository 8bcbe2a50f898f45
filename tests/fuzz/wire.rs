//! Values as they come over the wire: mostly what the schema asks for, sometimes anything at all.

use std::collections::BTreeMap;

use prost_types::{ListValue, Struct, Value, value::Kind};

use super::{
    dice::Dice,
    shape::{Member, Shape},
    text::{self, HUSH_NUMBER},
};

pub(crate) const MARK: &str = "4dabf18193072939515e22adb298388d";
pub(crate) const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE: &str = "5cf8f73096256a8f31e491e813e4eb8e";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
const MARKS: [&str; 9] = [
    SECRET,
    OUTPUT,
    RESOURCE,
    ASSET,
    ARCHIVE,
    "803fd3297a5875dc03ca845dda5d2a98",
    "8c8bffffffffffffffffffffffffffff",
    "",
    "1B47061264138C4AC30D75FD1EB44270",
];
const UNKNOWNS: [&str; 7] = [
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

/// How wild the values are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taste {
    /// One of so many values is none that the schema asks for; 0: none, and all texts and numbers are sensible.
    pub(crate) wild: usize,
    /// One of so many values is not known yet; 0: none.
    pub(crate) unknown: usize,
    /// Whether the insides of secrets can be found again.
    pub(crate) hushed: bool,
}

pub(crate) fn kind(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

pub(crate) fn text(text: impl Into<String>) -> Value {
    kind(Kind::StringValue(text.into()))
}

pub(crate) fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    kind(Kind::StructValue(Struct { fields: fields.into_iter().collect() }))
}

pub(crate) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    kind(Kind::ListValue(ListValue { values: values.into_iter().collect() }))
}

pub(crate) fn unknown(dice: &mut Dice) -> Value {
    text(*dice.pick(&UNKNOWNS))
}

pub(crate) fn secret(value: Value) -> Value {
    marked(SECRET, [("value", value)])
}

fn marked<const N: usize>(mark: &str, fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    object(fields.chain([(MARK.to_owned(), text(mark))]))
}

/// Properties of these names. Those that are not required are there as often as not.
pub(crate) fn properties(members: &[Member], taste: Taste, dice: &mut Dice) -> Struct {
    Struct { fields: fields(members, taste, false, dice) }
}

fn fields(members: &[Member], taste: Taste, secret: bool, dice: &mut Dice) -> BTreeMap<String, Value> {
    // Few properties beside the required ones let a request pass the rules that look at several.
    let rarity = 1 + dice.below(12);
    let mut fields = BTreeMap::new();
    for member in members {
        let given = if member.required { !dice.one_in(40) } else { dice.one_in(rarity) };
        if given {
            fields.insert(member.name.clone(), value(&member.name, &member.shape, taste, secret, dice));
        }
    }
    if taste.wild > 0 && dice.one_in(taste.wild * 2) {
        fields.insert(text::odd(dice), anything(taste, dice, 0));
    }
    fields
}

fn value(name: &str, shape: &Shape, taste: Taste, secret: bool, dice: &mut Dice) -> Value {
    if taste.unknown > 0 && dice.one_in(taste.unknown) {
        return unknown(dice);
    }
    if dice.one_in(15) {
        let inner = plain(name, shape, taste, taste.hushed, dice);
        return wrapped(inner, dice);
    }
    if !secret && taste.wild > 0 && dice.one_in(taste.wild) {
        return anything(taste, dice, 0);
    }
    plain(name, shape, taste, secret, dice)
}

/// A secret, in either of the forms that the engine knows.
fn wrapped(inner: Value, dice: &mut Dice) -> Value {
    if dice.one_in(3) {
        return marked(OUTPUT, [("value", inner), ("secret", kind(Kind::BoolValue(true)))]);
    }
    self::secret(inner)
}

fn plain(name: &str, shape: &Shape, taste: Taste, secret: bool, dice: &mut Dice) -> Value {
    let tame = taste.wild == 0 && !secret;
    match shape {
        Shape::Text if tame => text(text::sensible(name)),
        Shape::Text => text(text::text(name, secret, dice)),
        Shape::Word(words) if !secret || dice.one_in(2) => text(dice.pick(words).as_str()),
        Shape::Word(_) => text(text::HUSH),
        Shape::Flag => kind(Kind::BoolValue(dice.one_in(2))),
        Shape::Number if secret => kind(Kind::NumberValue(HUSH_NUMBER)),
        Shape::Number if tame => kind(Kind::NumberValue(10.0)),
        Shape::Number => kind(Kind::NumberValue(text::number(dice))),
        Shape::List(items) => {
            let count = if dice.one_in(30) { 14 } else { dice.below(4) };
            list((0..count).map(|_| value(name, items, taste, secret, dice)))
        }
        Shape::Map => object((0..dice.below(4)).map(|index| {
            let key = if !tame && dice.one_in(10) { text::odd(dice) } else { format!("key{index}") };
            (key, value(name, &Shape::Text, taste, secret, dice))
        })),
        Shape::Object(members) => object(fields(members, taste, secret, dice)),
    }
}

/// Anything at all, with many marks and sentinels in it.
pub(crate) fn anything(taste: Taste, dice: &mut Dice, depth: usize) -> Value {
    let leaf = depth > 5 || dice.one_in(2);
    match dice.below(if leaf { 7 } else { 11 }) {
        0 => Value { kind: None },
        1 => kind(Kind::NullValue(i32::try_from(dice.below(3)).unwrap())),
        2 => kind(Kind::BoolValue(dice.one_in(2))),
        3 | 4 => kind(Kind::NumberValue(text::number(dice))),
        5 if taste.unknown > 0 => unknown(dice),
        5 | 6 => text(text::odd(dice)),
        7 => list((0..dice.below(5)).map(|_| anything(taste, dice, depth + 1))),
        8 => object((0..dice.below(5)).map(|_| (text::odd(dice), anything(taste, dice, depth + 1)))),
        9 if dice.one_in(20) => deep(dice),
        _ => broken_mark(taste, dice, depth),
    }
}

/// An object that says it is something else, and may not be.
fn broken_mark(taste: Taste, dice: &mut Dice, depth: usize) -> Value {
    const FIELDS: [&str; 12] = [
        "value",
        "secret",
        "dependencies",
        "urn",
        "id",
        "name",
        "type",
        "packageVersion",
        "hash",
        "text",
        "path",
        "assets",
    ];
    let mut fields: BTreeMap<String, Value> = (0..dice.below(5))
        .map(|_| ((*dice.pick(&FIELDS)).to_owned(), anything(taste, dice, depth + 1)))
        .collect();
    let mark = if dice.one_in(10) { anything(taste, dice, depth + 1) } else { text(*dice.pick(&MARKS)) };
    fields.insert(MARK.to_owned(), mark);
    object(fields)
}

/// Deeper than any value should be; protobuf itself refuses the deepest of them.
fn deep(dice: &mut Dice) -> Value {
    let levels = 10 + dice.below(110);
    (0..levels).fold(text("core"), |inner, _| match dice.below(3) {
        0 => list([inner]),
        1 => object([("n".to_owned(), inner)]),
        _ => secret(inner),
    })
}
