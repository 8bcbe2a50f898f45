//! A function's code: from the archive in a program to the bytes of a zip file.

use std::io::{Cursor, Write};

use lambda_rollout::pulumi::{ArchiveSource, AssetSource, Failure, PropertyValue};
use zip::write::SimpleFileOptions;

pub(crate) fn zip(code: Option<&PropertyValue>) -> Result<Vec<u8>, Failure> {
    let Some(PropertyValue::Archive(archive)) = code.map(PropertyValue::reveal) else {
        return Err(Failure::plain("the stand-in needs the function's code as an archive"));
    };
    let ArchiveSource::Assets(entries) = &archive.source else {
        return Err(Failure::plain("the stand-in takes code as an AssetArchive only"));
    };
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, entry) in entries {
        let bytes = bytes_of(entry)?;
        writer.start_file(name.as_str(), options).map_err(failed)?;
        writer.write_all(&bytes).map_err(failed)?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}

fn bytes_of(entry: &PropertyValue) -> Result<Vec<u8>, Failure> {
    match entry.reveal() {
        PropertyValue::Asset(asset) => match &asset.source {
            AssetSource::Text(text) => Ok(text.clone().into_bytes()),
            AssetSource::Path(path) => std::fs::read(path).map_err(failed),
            _ => Err(Failure::plain("the stand-in takes assets with a text or a path only")),
        },
        _ => Err(Failure::plain("the stand-in takes archives of assets only")),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::plain(error.to_string())
}
