//! From the wire to property values.

use std::collections::BTreeMap;

use prost_types::{Struct, Value, value::Kind};

use super::super::{
    asset::{Archive, ArchiveSource, Asset, AssetSource, ResourceReference},
    input::Input,
    path::Segment,
    value::{OutputValue, PropertyMap, PropertyValue},
};
use super::{ARCHIVE, ASSET, BYTES, MARK, MAX_DEPTH, OUTPUT, Problem, RESOURCE, SECRET, UNKNOWNS, WireError};

type Fields = BTreeMap<String, Value>;

/// Reads the properties in a message.
pub fn decode(properties: Struct) -> Result<PropertyMap, WireError> {
    map(properties.fields, 0)
}

fn map(fields: Fields, depth: usize) -> Result<PropertyMap, WireError> {
    // Collecting results would not know how many there are, and make room for them again and again.
    let mut entries = Vec::with_capacity(fields.len());
    for (key, field) in fields {
        match value(field, depth + 1) {
            Ok(value) => entries.push((key, value)),
            Err(error) => return Err(error.within(Segment::Key(key.into()))),
        }
    }
    Ok(PropertyMap::from_iter(entries))
}

fn list(items: Vec<Value>, depth: usize) -> Result<Vec<PropertyValue>, WireError> {
    let mut values = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        values.push(value(item, depth + 1).map_err(|error| error.within(Segment::Index(index)))?);
    }
    Ok(values)
}

fn value(wire: Value, depth: usize) -> Result<PropertyValue, WireError> {
    if depth > MAX_DEPTH {
        return Err(WireError::new(Problem::TooDeep));
    }
    Ok(match wire.kind {
        None | Some(Kind::NullValue(_)) => PropertyValue::Null,
        Some(Kind::BoolValue(value)) => PropertyValue::Bool(value),
        Some(Kind::NumberValue(value)) => PropertyValue::Number(value),
        Some(Kind::StringValue(text)) if UNKNOWNS.contains(&text.as_str()) => PropertyValue::Unknown,
        Some(Kind::StringValue(text)) => PropertyValue::String(text),
        Some(Kind::ListValue(items)) => PropertyValue::Array(list(items.values, depth)?),
        Some(Kind::StructValue(object)) => match object.fields.get(MARK).cloned() {
            Some(mark) => marked(mark, object.fields, depth)?,
            None => PropertyValue::Object(map(object.fields, depth)?),
        },
    })
}

fn marked(mark: Value, fields: Fields, depth: usize) -> Result<PropertyValue, WireError> {
    let Some(Kind::StringValue(mark)) = mark.kind else {
        return Err(WireError::new(Problem::UnknownMark("not a string".to_owned())));
    };
    Ok(match mark.as_str() {
        SECRET => secret(fields, depth)?,
        OUTPUT => PropertyValue::Output(Box::new(output(fields, depth)?)),
        RESOURCE => resource(fields)?.into(),
        ASSET => asset(fields)?.into(),
        ARCHIVE => archive(fields, depth)?.into(),
        BYTES => return Err(WireError::new(Problem::Bytes)),
        _ => return Err(WireError::new(Problem::UnknownMark(shown(mark)))),
    })
}

/// A mark is a hexadecimal number; anything else may be a value that is nobody's business.
fn shown(mark: String) -> String {
    let is_mark = mark.len() <= MARK.len() && mark.chars().all(|c| c.is_ascii_hexdigit());
    if is_mark { mark } else { "not a mark".to_owned() }
}

fn secret(mut fields: Fields, depth: usize) -> Result<PropertyValue, WireError> {
    let inner = fields.remove("value").ok_or_else(|| WireError::malformed("a secret", "value"))?;
    Ok(PropertyValue::Secret(Box::new(value(inner, depth + 1)?)))
}

fn output(mut fields: Fields, depth: usize) -> Result<OutputValue, WireError> {
    const WHAT: &str = "an output";
    let inner = fields.remove("value").map(|inner| value(inner, depth + 1)).transpose()?;
    let secret = match take(&mut fields, "secret") {
        None => false,
        Some(Kind::BoolValue(secret)) => secret,
        Some(_) => return Err(WireError::malformed(WHAT, "secret")),
    };
    let dependencies = match take(&mut fields, "dependencies") {
        None => Vec::new(),
        Some(Kind::ListValue(urns)) => urns
            .values
            .into_iter()
            .map(|urn| match urn.kind {
                Some(Kind::StringValue(urn)) => Ok(urn),
                _ => Err(WireError::malformed(WHAT, "dependencies")),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(WireError::malformed(WHAT, "dependencies")),
    };
    Ok(OutputValue { value: inner, secret, dependencies })
}

fn resource(mut fields: Fields) -> Result<ResourceReference, WireError> {
    const WHAT: &str = "a resource";
    let urn = text(&mut fields, WHAT, "urn")?.ok_or_else(|| WireError::malformed(WHAT, "urn"))?;
    let id = match text(&mut fields, WHAT, "id")? {
        None => Input::Absent,
        Some(id) if id.is_empty() || UNKNOWNS.contains(&id.as_str()) => Input::Unknown,
        Some(id) => Input::Known(id),
    };
    Ok(ResourceReference {
        urn,
        id,
        name: text(&mut fields, WHAT, "name")?.unwrap_or_default(),
        type_token: text(&mut fields, WHAT, "type")?.unwrap_or_default(),
        package_version: text(&mut fields, WHAT, "packageVersion")?.unwrap_or_default(),
    })
}

fn asset(mut fields: Fields) -> Result<Asset, WireError> {
    const WHAT: &str = "an asset";
    let hash = text(&mut fields, WHAT, "hash")?.unwrap_or_default();
    let source = if let Some(text) = text(&mut fields, WHAT, "text")? {
        AssetSource::Text(text)
    } else if let Some(path) = text(&mut fields, WHAT, "path")? {
        AssetSource::Path(path)
    } else if let Some(uri) = text(&mut fields, WHAT, "uri")? {
        AssetSource::Uri(uri)
    } else {
        AssetSource::None
    };
    Ok(Asset { hash, source })
}

fn archive(mut fields: Fields, depth: usize) -> Result<Archive, WireError> {
    const WHAT: &str = "an archive";
    let hash = text(&mut fields, WHAT, "hash")?.unwrap_or_default();
    let source = match take(&mut fields, "assets") {
        Some(Kind::StructValue(assets)) => ArchiveSource::Assets(entries(assets.fields, depth)?),
        Some(_) => return Err(WireError::malformed(WHAT, "assets")),
        None => match (text(&mut fields, WHAT, "path")?, text(&mut fields, WHAT, "uri")?) {
            (Some(path), _) => ArchiveSource::Path(path),
            (None, Some(uri)) => ArchiveSource::Uri(uri),
            (None, None) => ArchiveSource::None,
        },
    };
    Ok(Archive { hash, source })
}

/// The entries of an archive: each is a file or an archive itself.
fn entries(fields: Fields, depth: usize) -> Result<PropertyMap, WireError> {
    let entries = map(fields, depth + 1)?;
    for (name, entry) in &entries {
        if !matches!(entry, PropertyValue::Asset(_) | PropertyValue::Archive(_)) {
            return Err(
                WireError::malformed("an archive", "assets").within(Segment::Key(name.clone().into()))
            );
        }
    }
    Ok(entries)
}

fn text(fields: &mut Fields, what: &'static str, field: &'static str) -> Result<Option<String>, WireError> {
    match take(fields, field) {
        None => Ok(None),
        Some(Kind::StringValue(text)) => Ok(Some(text)),
        Some(_) => Err(WireError::malformed(what, field)),
    }
}

/// Takes a field out; null counts as missing.
fn take(fields: &mut Fields, field: &str) -> Option<Kind> {
    match fields.remove(field)?.kind? {
        Kind::NullValue(_) => None,
        kind => Some(kind),
    }
}
