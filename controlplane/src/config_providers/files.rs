//! Values out of files: one property of a properties file, or one whole file of a folder.
//!
//! Owns which files may be read and how much of them. Source: `FileConfigProvider`,
//! `DirectoryConfigProvider`, `AllowedPaths`, Kafka 4.1. Unlike Java it reads regular files only, up to a
//! limit, and demands `allowed.paths`.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use lakeward_api::{ConnectError, ErrorClass};

use super::{ConfigProvider, Found};
use crate::worker_config::properties;

/// Secrets are small; whoever points at a log or a device gets an error instead of a full memory.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// `allowed.paths`. Paths are compared by name, so symbolic links inside an allowed folder are followed
/// (mounted secrets of Kubernetes are such links).
pub(super) struct AllowedPaths(Vec<PathBuf>);

impl AllowedPaths {
    /// Reads the comma list; entries are not trimmed, as in Java. The `Err` is Java's message.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let allowed = list.trim_end_matches(',').split(',').map(|entry| {
            let path = normalized(Path::new(entry));
            if !path.is_absolute() {
                return Err(format!("Path {} is not absolute", path.display()));
            }
            if !path.exists() {
                return Err(format!("Path {} does not exist", path.display()));
            }
            Ok(path)
        });
        Ok(Self(allowed.collect::<Result<_, _>>()?))
    }

    /// `path` without dots if it is allowed.
    fn check(&self, path: &str) -> Option<PathBuf> {
        let normal = normalized(Path::new(path));
        let is_allowed = self.0.iter().any(|allowed| normal.starts_with(allowed));
        if !is_allowed {
            tracing::warn!(path, "a configuration variable names a path outside allowed.paths");
        }
        is_allowed.then_some(normal)
    }
}

/// `path` without `.` and `..`, by name only. Source: `java.nio.file.Path#normalize`.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match normal.components().next_back() {
                Some(Component::Normal(_)) => {
                    normal.pop();
                }
                // Nothing is above the root.
                Some(Component::RootDir) => {}
                _ => normal.push(".."),
            },
            part => normal.push(part),
        }
    }
    normal
}

/// One property of a properties file per variable.
pub(super) struct FileConfigProvider {
    pub(super) allowed: AllowedPaths,
}

impl ConfigProvider for FileConfigProvider {
    fn get(&self, path: &str, keys: &[&str]) -> Result<Found, ConnectError> {
        let Some(file) = Some(path).filter(|path| !path.is_empty()).and_then(|path| self.allowed.check(path))
        else {
            return Ok(Found::new());
        };
        let text = read_text(&file).map_err(|err| {
            ConnectError::config(format!("Could not read properties from file {path}")).with_source(err)
        })?;
        let mut known = properties::parse(text.as_bytes()).map_err(|_| {
            let class = "java.lang.IllegalArgumentException";
            ConnectError::new(ErrorClass::Config, class, "Malformed \\uxxxx encoding.")
        })?;
        Ok(keys.iter().filter_map(|key| known.remove_entry(*key)).collect())
    }
}

/// One whole file of a folder per variable, final newline included.
pub(super) struct DirectoryConfigProvider {
    pub(super) allowed: AllowedPaths,
}

impl ConfigProvider for DirectoryConfigProvider {
    fn get(&self, path: &str, keys: &[&str]) -> Result<Found, ConnectError> {
        let Some(folder) =
            Some(path).filter(|path| !path.is_empty()).and_then(|path| self.allowed.check(path))
        else {
            return Ok(Found::new());
        };
        if !folder.is_dir() {
            tracing::warn!(path, "a configuration variable names a path that is not a folder");
            return Ok(Found::new());
        }
        let is_name = |key: &&str| !key.contains('/') && !matches!(*key, "" | "." | "..");
        let files = keys.iter().copied().filter(is_name).map(|key| (key, folder.join(key)));
        files
            .filter(|(_, file)| file.is_file())
            .map(|(key, file)| match read_text(&file) {
                Ok(text) => Ok((key.to_owned(), text)),
                Err(err) => {
                    let message = format!("Could not read file {} for property {key}", file.display());
                    Err(ConnectError::config(message).with_source(err))
                }
            })
            .collect()
    }
}

/// The text of a regular file of UTF-8.
fn read_text(path: &Path) -> std::io::Result<String> {
    let refused = |problem: String| Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
    if !std::fs::metadata(path)?.is_file() {
        return refused("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return refused(format!("it has more than {FILE_BYTES_MAX} bytes"));
    }
    // The error of the conversion would carry the contents.
    String::from_utf8(bytes).or_else(|_| refused("it is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("lakeward-providers-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("sub")).unwrap();
            std::fs::write(path.join("s.properties"), "k=v\nempty=\n").unwrap();
            std::fs::write(path.join("x"), "file\n").unwrap();
            Self(path)
        }

        fn path(&self, below: &str) -> String {
            format!("{}{below}", self.0.display())
        }

        fn allowed(&self) -> AllowedPaths {
            AllowedPaths::parse(&self.path("")).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // A failing test shows its own failure.
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    fn entries(found: &[(&str, &str)]) -> Found {
        found.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn allowed_paths_are_absolute_and_there_and_not_trimmed() {
        let problem = |list: &str| AllowedPaths::parse(list).err();
        assert_eq!(problem("rel/x").unwrap(), "Path rel/x is not absolute");
        assert_eq!(problem("/nonexist").unwrap(), "Path /nonexist does not exist");
        assert_eq!(problem("/etc, /tmp").unwrap(), "Path  /tmp is not absolute");
        assert_eq!(problem("/,,/tmp").unwrap(), "Path  is not absolute");
        assert_eq!(problem("/tmp/../tmp/,"), None);
    }

    #[test]
    fn properties_come_from_allowed_files_only() {
        let folder = Folder::new("file");
        let provider = FileConfigProvider { allowed: folder.allowed() };
        let get = |path: &str| provider.get(path, &["k", "z", "empty"]).unwrap();
        let all = entries(&[("k", "v"), ("empty", "")]);
        assert_eq!(get(&folder.path("/s.properties")), all);
        assert_eq!(get(&folder.path("/sub/../s.properties")), all);
        let outside =
            ["", "/etc/passwd", "s.properties", &folder.path("x/s"), &folder.path("/../../etc/passwd")];
        for outside in outside {
            assert_eq!(get(outside), Found::new(), "{outside}");
        }
    }

    #[test]
    fn an_unreadable_file_is_named_in_javas_words() {
        let folder = Folder::new("unreadable");
        std::fs::write(folder.0.join("latin"), b"a=\xe9").unwrap();
        std::fs::write(folder.0.join("escape"), "a=\\u12").unwrap();
        std::fs::write(folder.0.join("large"), vec![b'a'; FILE_BYTES_MAX as usize + 1]).unwrap();
        let provider = FileConfigProvider { allowed: folder.allowed() };
        for below in ["/none", "", "/latin", "/large"] {
            let path = folder.path(below);
            let err = provider.get(&path, &["a"]).unwrap_err();
            assert_eq!(err.to_string(), format!("Could not read properties from file {path}"));
            assert_eq!(err.java_class(), "org.apache.kafka.common.config.ConfigException");
        }
        let err = provider.get(&folder.path("/escape"), &["a"]).unwrap_err();
        assert_eq!(err.to_string(), "Malformed \\uxxxx encoding.");
    }

    #[test]
    fn files_of_a_folder_are_values_with_their_final_newline() {
        let folder = Folder::new("directory");
        let provider = DirectoryConfigProvider { allowed: folder.allowed() };
        let keys = ["x", "s.properties", "nope", "sub", "../x", ".", "", "sub/../x"];
        let found = provider.get(&folder.path(""), &keys).unwrap();
        assert_eq!(found, entries(&[("s.properties", "k=v\nempty=\n"), ("x", "file\n")]));
        for none in [folder.path("/x"), folder.path("/none"), "/etc".to_owned(), String::new()] {
            assert_eq!(provider.get(&none, &["x", "hostname"]).unwrap(), Found::new(), "{none}");
        }
    }
}
