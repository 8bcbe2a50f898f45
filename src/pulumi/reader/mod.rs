//! Reads declared properties into typed values, and collects everything that is wrong with them.

mod found;
mod place;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    rc::Rc,
};

use self::{
    found::{Found, listed, whole},
    place::Place,
};
use super::{
    check::CheckFailure,
    input::Input,
    path::{PropertyPath, Segment},
    suggest::nearest,
    value::{PropertyMap, PropertyValue},
};

/// More are not read by anybody, and each takes more memory than the few bytes that it may be about.
const MOST_FAILURES: usize = 100;
const AND_MORE: &str = "There is more that is wrong; mend the properties that are named first.";

/// What is wrong with a secret would say something about it.
const SECRET_FAILURE: &str = "is not valid (its value is a secret)";

/// A view of declared properties.
///
/// Each method reads one property. What cannot be read is noted as a failure and comes back as [`Input::Unknown`];
/// [`Reader::finish`] adds the properties that nobody asked for and hands out all failures at once.
/// No failure ever contains the value of a secret.
#[derive(Debug)]
pub struct Reader<'a> {
    properties: Cow<'a, PropertyMap>,
    place: Place<'a>,
    /// Whether something around these properties is secret.
    secret: bool,
    lenient: bool,
    /// As they were asked for, and as often.
    asked: RefCell<Vec<&'static str>>,
    failures: Rc<RefCell<Vec<CheckFailure>>>,
}

impl<'a> Reader<'a> {
    /// Reads the inputs of a resource or the arguments of a function.
    pub fn new(properties: &'a PropertyMap) -> Self {
        Self::at(Place::Root, Cow::Borrowed(properties))
    }

    /// Reads the configuration of a provider. Depending on how it was given, a boolean, a number, a list or an
    /// object may come as a string of JSON; and the `version` of the provider may be among it.
    pub fn lenient(properties: &'a PropertyMap) -> Self {
        let reader = Self { lenient: true, ..Self::new(properties) };
        reader.ignore("version");
        reader
    }

    /// All failures, including those of the properties that were not asked for.
    pub fn finish(self) -> Vec<CheckFailure> {
        self.report_strangers();
        self.failures.take()
    }

    pub fn string(&self, key: &'static str) -> Input<String> {
        self.get(key).and_then(|found| self.text(&found).map(str::to_owned))
    }

    pub fn boolean(&self, key: &'static str) -> Input<bool> {
        self.get_typed(key).and_then(|found| self.typed(&found, "true or false", PropertyValue::as_bool))
    }

    pub fn number(&self, key: &'static str) -> Input<f64> {
        self.get_typed(key).and_then(|found| self.typed(&found, "a number", PropertyValue::as_number))
    }

    pub fn integer(&self, key: &'static str) -> Input<i64> {
        self.get_typed(key).and_then(|found| self.typed(&found, "a whole number", whole))
    }

    /// A whole number within limits.
    pub fn integer_in(&self, key: &'static str, range: RangeInclusive<i64>) -> Input<i64> {
        self.get_typed(key).and_then(|found| {
            let expected = format_args!("a whole number from {} to {}", range.start(), range.end());
            self.typed(&found, expected, |value| whole(value).filter(|number| range.contains(number)))
        })
    }

    /// A string that means something: `parse` says what, or why it does not.
    pub fn parse<T>(&self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Input<T> {
        self.get(key).and_then(|found| self.text(&found).and_then(|text| self.parsed(&found, text, parse)))
    }

    /// A string out of a given few.
    pub fn choice<T: Clone>(&self, key: &'static str, choices: &[(&str, T)]) -> Input<T> {
        self.get(key).and_then(|found| self.chosen(&found, choices))
    }

    /// A list of strings out of a given few.
    pub fn choices<T: Clone>(&self, key: &'static str, choices: &[(&str, T)]) -> Input<Vec<Input<T>>> {
        self.list(key, "a list of strings", |found| self.chosen(found, choices))
    }

    /// A list of strings. Null elements are left out.
    pub fn strings(&self, key: &'static str) -> Input<Vec<Input<String>>> {
        self.list(key, "a list of strings", |found| self.text(found).map(str::to_owned))
    }

    /// An object with names of the user's own and strings as values. Null values are left out.
    pub fn string_map(&self, key: &'static str) -> Input<BTreeMap<String, Input<String>>> {
        self.get_typed(key).and_then(|found| {
            let entries = self.typed(&found, "an object of strings", PropertyValue::as_object);
            entries.map(|entries| {
                let entries = entries.iter().map(|(name, value)| {
                    let entry = found.below(Place::Key(&found.place, name), value);
                    (name.clone(), entry.and_then(|entry| self.text(&entry).map(str::to_owned)))
                });
                entries.filter(|(_, value)| !value.is_absent()).collect()
            })
        })
    }

    /// An object, read by a reader of its own.
    pub fn object<T>(&self, key: &'static str, read: impl FnOnce(&Reader<'_>) -> T) -> Input<T> {
        self.get_typed(key).and_then(|found| self.nested(&found, read))
    }

    /// A list of objects, each read by a reader of its own. Null elements are left out.
    pub fn objects<T>(&self, key: &'static str, read: impl Fn(&Reader<'_>) -> T) -> Input<Vec<Input<T>>> {
        self.list(key, "a list of objects", |found| self.nested(found, &read))
    }

    /// A property of any type, without the secret around it.
    pub fn any(&self, key: &'static str) -> Input<PropertyValue> {
        self.get_typed(key).map(|found| found.value.into_owned())
    }

    /// Notes a failure if the property was not declared.
    pub fn required<T>(&self, key: &'static str, input: Input<T>) -> Input<T> {
        if input.is_absent() {
            self.note(self.path(key), "is required, but was not given");
            return Input::Unknown;
        }
        input
    }

    /// Lets a property be, whatever it is.
    pub fn ignore(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    /// Notes that something is wrong with the value of a property. The reason reads on from its name: "must be …". It
    /// may tell the value, so nobody hears it of a secret.
    pub fn fail(&self, key: &'static str, reason: impl Into<String>) {
        self.fail_at(self.path(key), reason);
    }

    /// The same, at a path in this reader.
    pub fn fail_at(&self, path: PropertyPath, reason: impl Into<String>) {
        let secret = match path.segments().get(self.place.depth()) {
            Some(Segment::Key(key)) => self.is_secret(key),
            _ => self.secret,
        };
        if secret {
            return self.note(path, SECRET_FAILURE);
        }
        self.note(path, reason);
    }

    /// Notes that a property should not be there, or not be absent. The reason must tell nothing of its value.
    pub fn misplaced(&self, key: &'static str, reason: impl Into<String>) {
        self.note(self.path(key), reason);
    }

    /// Where a property of this reader is.
    pub fn path(&self, key: &'static str) -> PropertyPath {
        self.place.path().key(key)
    }

    /// Whether a property was declared as a secret, or within one.
    pub fn is_secret(&self, key: &str) -> bool {
        self.secret || self.properties.get(key).is_some_and(PropertyValue::contains_secret)
    }

    fn at(place: Place<'a>, properties: Cow<'a, PropertyMap>) -> Self {
        Self {
            properties,
            place,
            secret: false,
            lenient: false,
            asked: RefCell::default(),
            failures: Rc::default(),
        }
    }

    fn note(&self, path: PropertyPath, reason: impl Into<String>) {
        let mut failures = self.failures.borrow_mut();
        match failures.len() {
            ..MOST_FAILURES => failures.push(CheckFailure { path, reason: reason.into() }),
            MOST_FAILURES => failures.push(CheckFailure::new(PropertyPath::root(), AND_MORE)),
            _ => {}
        }
    }

    fn get(&self, key: &'static str) -> Input<Found<'_>> {
        self.ignore(key);
        let Some(value) = self.properties.get(key) else {
            return Input::Absent;
        };
        Found::new(Place::Key(&self.place, key), value, self.secret)
    }

    /// A property that is no string, although it may be written as one.
    fn get_typed(&self, key: &'static str) -> Input<Found<'_>> {
        self.get(key).map(|found| if self.lenient { found.unquoted() } else { found })
    }

    fn list<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl Fn(&Found<'_>) -> Input<T>,
    ) -> Input<Vec<Input<T>>> {
        self.get_typed(key).and_then(|found| {
            let items = self.typed(&found, what, PropertyValue::as_array);
            items.map(|items| {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| found.below(Place::Index(&found.place, index), item));
                items.map(|item| item.and_then(|item| read(&item))).filter(|item| !item.is_absent()).collect()
            })
        })
    }

    fn text<'f>(&self, found: &'f Found<'_>) -> Input<&'f str> {
        self.typed(found, "a string", PropertyValue::as_str)
    }

    fn typed<'f, T>(
        &self,
        found: &'f Found<'_>,
        expected: impl fmt::Display,
        convert: impl FnOnce(&'f PropertyValue) -> Option<T>,
    ) -> Input<T> {
        if let Some(value) = convert(&found.value) {
            return Input::Known(value);
        }
        self.note(found.place.path(), format!("must be {expected}, not {}", found.shown()));
        Input::Unknown
    }

    fn parsed<T>(
        &self,
        found: &Found<'_>,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Input<T> {
        match parse(text) {
            Ok(value) => return Input::Known(value),
            Err(_) if found.secret => {
                self.note(found.place.path(), SECRET_FAILURE);
            }
            Err(why) => self.note(found.place.path(), format!("cannot be {}: {why}", found.shown())),
        }
        Input::Unknown
    }

    fn chosen<T: Clone>(&self, found: &Found<'_>, choices: &[(&str, T)]) -> Input<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        self.text(found).and_then(|text| {
            if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
                return Input::Known(choice.clone());
            }
            let allowed = listed(names().map(|name| format!("\"{name}\"")), "or");
            let hint = match nearest(text, names()) {
                Some(meant) if !found.secret => format!("; did you mean \"{meant}\"?"),
                _ => String::new(),
            };
            self.note(found.place.path(), format!("must be {allowed}, not {}{hint}", found.shown()));
            Input::Unknown
        })
    }

    fn nested<T>(&self, found: &Found<'_>, read: impl FnOnce(&Reader<'_>) -> T) -> Input<T> {
        self.typed(found, "an object", |value| {
            let reader = Reader {
                secret: found.secret,
                lenient: self.lenient,
                failures: Rc::clone(&self.failures),
                ..Reader::at(found.place, Cow::Borrowed(value.as_object()?))
            };
            let result = read(&reader);
            reader.report_strangers();
            Some(result)
        })
    }

    /// Notes each property that nobody asked for. Names that start with two underscores are the engine's own.
    fn report_strangers(&self) {
        let asked = self.asked.borrow();
        for (key, value) in self.properties.iter() {
            if self.failures.borrow().len() > MOST_FAILURES {
                return;
            }
            if asked.iter().any(|name| name == key) || value.is_null() || key.starts_with("__") {
                continue;
            }
            let hint = if let Some(meant) = nearest(key, asked.iter().copied()) {
                format!("did you mean \"{meant}\"?")
            } else {
                let known: BTreeSet<_> = asked.iter().collect();
                format!("known are {}", listed(known.iter().map(ToString::to_string), "and"))
            };
            self.note(self.place.path().key(key.clone()), format!("is not known here; {hint}"));
        }
    }
}
