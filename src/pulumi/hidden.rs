//! What must not be said: the texts that a program has marked as secret never get into a line or an error.

use std::sync::Arc;

use super::{
    failure::Failure,
    value::{PropertyMap, PropertyValue},
};

const MASK: &str = "[secret]";
/// In bytes. Shorter texts are part of ordinary words, and keep no secret.
const SHORTEST: usize = 4;

/// The secret texts of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden(Arc<[String]>);

impl Hidden {
    pub(super) fn of<'a>(properties: impl IntoIterator<Item = &'a PropertyMap>) -> Self {
        let mut texts = Vec::new();
        for value in properties.into_iter().flat_map(PropertyMap::values) {
            collect(value, false, &mut texts);
        }
        // What holds another one is cut out first.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self(texts.into())
    }

    pub(super) fn cut_out(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }

    pub(super) fn cut_out_of(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Plain { message } => Failure::Plain { message: self.cut_out(message) },
            Failure::Cancelled { message } => Failure::Cancelled { message: self.cut_out(message) },
            Failure::Bug { message } => Failure::Bug { message: self.cut_out(message) },
            Failure::Partial(mut partial) => {
                partial.reasons = partial.reasons.into_iter().map(|reason| self.cut_out(reason)).collect();
                Failure::Partial(partial)
            }
        }
    }
}

fn collect(value: &PropertyValue, secret: bool, texts: &mut Vec<String>) {
    let secret = secret || value.is_secret();
    match value.reveal() {
        PropertyValue::String(text) if secret && text.len() >= SHORTEST => texts.push(text.clone()),
        PropertyValue::Array(items) => items.iter().for_each(|item| collect(item, secret, texts)),
        PropertyValue::Object(map) => map.values().for_each(|item| collect(item, secret, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::properties;

    #[test]
    fn secret_texts_are_cut_out_wherever_they_lie_and_others_stay() {
        let alarms = PropertyValue::Array(vec![PropertyValue::secret("orders-latency"), "plain".into()]);
        let inputs = properties([
            ("functionName", PropertyValue::secret("orders")),
            ("version", PropertyValue::secret("3")),
            ("alarms", alarms),
        ]);
        let hidden = Hidden::of([&inputs]);
        let said = hidden.cut_out("orders:stable: version 3, orders-latency and plain".to_owned());
        assert_eq!(said, "[secret]:stable: version 3, [secret] and plain");
        let failure = hidden.cut_out_of(Failure::plain("no orders"));
        assert_eq!(failure, Failure::plain("no [secret]"));
    }
}
