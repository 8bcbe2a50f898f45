//! A function's code: from the archive in a program to the bytes of a zip file.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;

use lambda_rollout::pulumi::{ArchiveSource, AssetSource, Failure, PropertyValue};
use zip::write::SimpleFileOptions;

pub(crate) fn zip(code: Option<&PropertyValue>) -> Result<Vec<u8>, Failure> {
    let Some(PropertyValue::Archive(archive)) = code.map(PropertyValue::reveal) else {
        return Err(Failure::plain("the stand-in needs the function's code as an archive"));
    };
    let mut files = BTreeMap::new();
    match &archive.source {
        // A zip file is taken as it is.
        ArchiveSource::Path(path) if Path::new(path).is_file() => return std::fs::read(path).map_err(failed),
        source => collect("", source, &mut files)?,
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        writer.start_file(name, options).map_err(failed)?;
        writer.write_all(&bytes).map_err(failed)?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}

fn collect(
    prefix: &str,
    source: &ArchiveSource,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    match source {
        ArchiveSource::Path(path) => folder(prefix, Path::new(path), files),
        ArchiveSource::Assets(entries) => {
            for (name, entry) in entries {
                let name = format!("{prefix}{name}");
                match entry.reveal() {
                    PropertyValue::Asset(asset) => {
                        files.insert(name, bytes_of(&asset.source)?);
                    }
                    PropertyValue::Archive(archive) => collect(&format!("{name}/"), &archive.source, files)?,
                    _ => return Err(Failure::plain(format!("{name} is neither a file nor an archive"))),
                }
            }
            Ok(())
        }
        _ => Err(Failure::plain("the stand-in takes archives of files in a folder or of assets only")),
    }
}

fn folder(prefix: &str, path: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            folder(&format!("{name}/"), &entry.path(), files)?;
        } else {
            files.insert(name, std::fs::read(entry.path()).map_err(failed)?);
        }
    }
    Ok(())
}

fn bytes_of(source: &AssetSource) -> Result<Vec<u8>, Failure> {
    match source {
        AssetSource::Text(text) => Ok(text.clone().into_bytes()),
        AssetSource::Path(path) => std::fs::read(path).map_err(|error| failed(format!("{path}: {error}"))),
        _ => Err(Failure::plain("the stand-in takes assets with a text or a path only")),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::plain(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_rollout::pulumi::{Archive, Asset};

    fn text(text: &str) -> PropertyValue {
        PropertyValue::from(Asset { source: AssetSource::Text(text.to_owned()), ..Asset::default() })
    }

    fn archive(source: ArchiveSource) -> PropertyValue {
        PropertyValue::from(Archive { source, ..Archive::default() })
    }

    #[test]
    fn archives_within_archives_are_folders() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/resources");
        let code = archive(ArchiveSource::Assets(BTreeMap::from([
            ("index.js".to_owned(), text("x")),
            ("table".to_owned(), archive(ArchiveSource::Path(here.to_owned()))),
        ])));
        let bytes = zip(Some(&code)).unwrap();
        let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names: Vec<_> = archive.file_names().collect();
        assert!(names.contains(&"index.js") && names.contains(&"table/lambda.yaml"), "{names:?}");
    }

    #[test]
    fn what_cannot_be_taken_is_refused() {
        let far = archive(ArchiveSource::Uri("https://example.com/code.zip".to_owned()));
        let gone = archive(ArchiveSource::Path("/nowhere/at/all".to_owned()));
        for code in [None, Some(&text("x")), Some(&far), Some(&gone)] {
            assert!(zip(code).is_err());
        }
    }
}
