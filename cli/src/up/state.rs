//! What is kept beside the data: the administrators' token and the topics' generation.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The administrators' token: for its owner alone.
const TOKEN: &str = "admin-token";
/// The topics' generation.
const TOPICS: &str = "topics.json";
/// Readable by the owner alone.
const PRIVATE: u32 = 0o600;

/// The data folder's own notes.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

/// `topics.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Topics {
    /// Kafka's own id; `None`: it had none yet when this was written.
    cluster: Option<String>,
    /// Which Kafka: `managed`, or `host:port`.
    kafka: String,
    generation: String,
}

/// Kafka as it is found before the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// `managed`, or `host:port`.
    pub(crate) kafka: String,
    /// Its id, where it has one already.
    pub(crate) cluster: Option<String>,
    /// Are our topics there?
    pub(crate) topics_exist: bool,
}

impl State {
    /// Opens, or makes, the folder.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("--data-dir: can't make the folder {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the token is.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.join(TOKEN)
    }

    /// The administrators' token: the one that is kept, else a new one.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub(crate) fn admin_token(&self) -> anyhow::Result<String> {
        let file = self.token_file();
        let context = || format!("the administrators' token in {}", file.display());
        match fs::read_to_string(&file) {
            Ok(token) if !token.trim().is_empty() => {
                fs::set_permissions(&file, fs::Permissions::from_mode(PRIVATE)).with_context(context)?;
                return Ok(token.trim().to_owned());
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(context),
            _ => {}
        }
        let token = hex(&rand::random::<[u8; 32]>());
        self.write(TOKEN, format!("{token}\n").as_bytes()).with_context(context)?;
        Ok(token)
    }

    /// The generation of the topics in the Kafka that was `found`: the one that is kept, unless they are not, or no longer,
    /// the topics it was kept for.
    ///
    /// # Errors
    /// The note can't be written.
    pub(crate) fn topic_generation(&self, found: &Found) -> anyhow::Result<String> {
        let kept = self.topics().filter(|kept| kept.kafka == found.kafka && found.topics_exist);
        // Written before the first start, when Kafka had no id yet, and not after it: that start was cut off.
        let kept = kept.filter(|kept| kept.cluster.is_none() || kept.cluster == found.cluster);
        let generation = kept.map_or_else(|| hex(&rand::random::<[u8; 8]>()), |kept| kept.generation);
        self.keep_topics(found, &generation)?;
        Ok(generation)
    }

    /// Keeps `generation` for the topics of the Kafka that was `found`.
    ///
    /// # Errors
    /// The note can't be written.
    pub(crate) fn keep_topics(&self, found: &Found, generation: &str) -> anyhow::Result<()> {
        let topics =
            Topics { cluster: found.cluster.clone(), kafka: found.kafka.clone(), generation: generation.to_owned() };
        let context = || format!("the topics' generation in {}", self.folder.join(TOPICS).display());
        self.write(TOPICS, &serde_json::to_vec_pretty(&topics)?).with_context(context)
    }

    fn topics(&self) -> Option<Topics> {
        serde_json::from_slice(&fs::read(self.folder.join(TOPICS)).ok()?).ok()
    }

    /// Whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = self.folder.join(format!(".{name}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::File::options().write(true).create_new(true).mode(PRIVATE).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, self.folder.join(name))
    }
}

/// Hex SHA-256, as the API knows the token.
pub(crate) fn sha256(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cluster: Option<&str>, topics_exist: bool) -> Found {
        Found { kafka: "managed".into(), cluster: cluster.map(str::to_owned), topics_exist }
    }

    #[test]
    fn a_generation_lasts_as_long_as_its_topics() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("deep/er")).unwrap();
        let first = state.topic_generation(&found(None, false)).unwrap();
        // The first start was cut off after it had made the topics.
        assert_eq!(state.topic_generation(&found(Some("c1"), true)).unwrap(), first);
        assert_eq!(state.topic_generation(&found(Some("c1"), true)).unwrap(), first);
        let other_cluster = state.topic_generation(&found(Some("c2"), true)).unwrap();
        assert_ne!(other_cluster, first);
        let remade = state.topic_generation(&found(Some("c2"), false)).unwrap();
        assert_ne!(remade, other_cluster);
        let elsewhere = Found { kafka: "127.0.0.1:9092".into(), ..found(Some("c2"), true) };
        assert_ne!(state.topic_generation(&elsewhere).unwrap(), remade);
    }

    #[test]
    fn the_token_is_kept_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let token = state.admin_token().unwrap();
        assert_eq!(token.len(), 64);
        fs::set_permissions(state.token_file(), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(state.admin_token().unwrap(), token);
        assert_eq!(fs::metadata(state.token_file()).unwrap().permissions().mode() & 0o777, PRIVATE);
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
