//! The state file, from which a gateway starts when the registry is down: the configurations and the cursor of one
//! BOOKMARK, replaced atomically. It names its registry and filter, so that no other watch resumes from it, and
//! contains a hash, so that a damaged file isn't served.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use json_reader::{Json, JsonText};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{GatewayError, Timestamp, event::ActiveConfig, map::Checkpoint};
use crate::{AgentId, CustomerId};

/// The version of the file format. Files of other versions are rejected and left untouched.
const FORMAT: u32 = 1;

/// The registry and the filter of a watch. A cursor is valid only for these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    pub(super) url: String,
    pub(super) customer: Option<CustomerId>,
    pub(super) agents: Option<BTreeSet<AgentId>>,
    /// `None` for the default environment, also in files of releases that know no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

// Unknown fields are denied, because an unknown name may be a damaged known one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<S> {
    format: u32,
    /// SHA-256 over the text of `state`, in hex.
    sha256: String,
    state: S,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State<C> {
    subject: Subject,
    saved_at: Timestamp,
    revision: i64,
    cursor: String,
    configs: BTreeMap<AgentId, C>,
}

/// The content of the file when it was opened.
#[derive(Debug)]
pub(super) enum StoredState {
    /// The file doesn't exist.
    Nothing,
    /// The saved state, and the time of saving.
    Saved(Checkpoint, Timestamp),
    /// The file is damaged: the reason, and the path that it was moved to.
    Damaged(String, PathBuf),
}

/// The state file. It is locked while this value lives, so that no other watch writes it.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    subject: Subject,
    #[expect(dead_code, reason = "held for its lock")]
    lock: File,
}

impl StateFile {
    /// Locks the file and reads it. A damaged file is moved aside.
    ///
    /// # Errors
    /// [`GatewayError::Setting`] when the file belongs to another watch, has another format, is locked by another
    /// process, or can't be read.
    pub(super) fn open(path: &Path, subject: Subject) -> Result<(Self, StoredState), GatewayError> {
        let unusable = |why: String| {
            GatewayError::Setting(format!("can't use the state file {}: {why}", path.display()))
        };
        // Symbolic links are resolved, so that a save replaces the file and not the link.
        let place = match fs::canonicalize(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => path.to_owned(),
            place => place.map_err(|err| unusable(err.to_string()))?,
        };
        let beside = |end: &str| {
            let mut name = place.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(beside(".lock")).map_err(|err| unusable(err.to_string()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(unusable("another process uses it".to_owned())),
            Err(TryLockError::Error(err)) => return Err(unusable(err.to_string())),
        }
        let found = match fs::read(&place) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => StoredState::Nothing,
            Err(err) => return Err(unusable(err.to_string())),
            Ok(bytes) => match read(&bytes) {
                Ok(state) if state.subject != subject => {
                    return Err(unusable(format!("it belongs to another watch: {}", state.subject)));
                }
                Ok(state) => {
                    let State { revision, cursor, saved_at, configs, .. } = state;
                    let configs = configs.into_iter().map(|(agent, config)| (agent, config.into())).collect();
                    StoredState::Saved(Checkpoint { revision, cursor, configs }, saved_at)
                }
                Err(ReadStateError::Format(format)) => {
                    return Err(unusable(format!("its format must be {FORMAT}, got {format}")));
                }
                Err(ReadStateError::Damaged(why)) => {
                    let aside = beside(&format!(".damaged-{}", uuid::Uuid::now_v7()));
                    fs::rename(&place, &aside).map_err(|err| unusable(format!("{why}; {err}")))?;
                    StoredState::Damaged(why, aside)
                }
            },
        };
        Ok((Self { path: place, subject, lock }, found))
    }

    /// Returns the file's path, with symbolic links resolved.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file atomically. If that fails, the previous content remains.
    pub(super) fn save(&self, checkpoint: &Checkpoint, at: Timestamp) -> io::Result<()> {
        let configs: BTreeMap<AgentId, &ActiveConfig> =
            checkpoint.configs.iter().map(|(agent, config)| (*agent, config.as_ref())).collect();
        let Checkpoint { revision, cursor, .. } = checkpoint;
        let (revision, cursor) = (*revision, cursor.clone());
        let state = State { subject: self.subject.clone(), saved_at: at, revision, cursor, configs };
        let sha256 = hash(&serde_json::to_vec(&state)?);
        let bytes = serde_json::to_vec(&Envelope { format: FORMAT, sha256, state })?;
        let mut draft = self.path.clone().into_os_string();
        draft.push(".new");
        // Prompts are confidential, so the draft is created with mode 0600. A leftover one may have another mode.
        match fs::remove_file(&draft) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        // Syncs the folder, so that the rename survives a power failure too.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

enum ReadStateError {
    Format(u32),
    Damaged(String),
}

fn read(bytes: &[u8]) -> Result<State<ActiveConfig>, ReadStateError> {
    let damaged = |err: &dyn std::fmt::Display| ReadStateError::Damaged(err.to_string());
    // The size isn't limited, since the file contains all configurations of the watch.
    let file = json_reader::read(bytes, &json_reader::Limits::DEPTH_ONLY).map_err(|err| damaged(&err))?;
    let Head { format } = json_reader::from_json(&file).map_err(|err| damaged(&err))?;
    if format != FORMAT {
        return Err(ReadStateError::Format(format));
    }
    let Envelope::<Json> { format: _, sha256, state } =
        json_reader::from_json(&file).map_err(|err| damaged(&err))?;
    // Of the text in the file: an older or newer release would serialise other fields.
    if hash(JsonText::of(&state).as_str().as_bytes()) != sha256 {
        return Err(damaged(&"its content doesn't match its hash"));
    }
    json_reader::from_json(&state).map_err(|err| damaged(&err))
}

fn hash(state: &[u8]) -> String {
    hex::encode(Sha256::digest(state))
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, customer, agents, environment } = self;
        write!(f, "{url}")?;
        if let Some(environment) = environment {
            write!(f, ", the environment {environment}")?;
        }
        match customer {
            Some(customer) => write!(f, ", the customer {customer}")?,
            None => write!(f, ", all customers")?,
        }
        match agents {
            Some(agents) => write!(f, ", {} selected agents", agents.len()),
            None => write!(f, ", all agents"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{super::now, *};

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let id = uuid::Uuid::now_v7();
            let folder = std::env::temp_dir().join(format!("agent-registry-state-{id}"));
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn open(&self, url: &str) -> Result<(StateFile, StoredState), GatewayError> {
            let subject = Subject { url: url.to_owned(), customer: None, agents: None, environment: None };
            StateFile::open(&self.0.join("state"), subject)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn checkpoint() -> Checkpoint {
        let config = ActiveConfig {
            agent_id: uuid::Uuid::now_v7().into(),
            customer_id: uuid::Uuid::now_v7().into(),
            name: "a".to_owned(),
            version_id: uuid::Uuid::now_v7().into(),
            version_number: 1,
            system_prompt: "You help, \"friendly\".\n\u{1f980}".to_owned(),
            model_name: "m".to_owned(),
            model_parameters: JsonText::read(br#"{"temperature":1.0,"seed":9007199254740991,"a":1e0}"#)
                .unwrap(),
            tools: Vec::new(),
            extensions: JsonText::read(br#"{"org.example":{"b":1.0,"a":1e0}}"#).unwrap(),
            content_hash: "00".to_owned(),
            bytes_hash: Some("01".to_owned()),
            // The registry's instants have microseconds.
            activated_at: chrono::SubsecRound::trunc_subsecs(now(), 6),
            revision: "7".to_owned(),
        };
        let configs = [(config.agent_id, config.into())].into();
        Checkpoint { revision: 7, cursor: "7.0.ab".to_owned(), configs }
    }

    #[test]
    fn what_is_saved_is_read_and_is_nobody_elses() {
        let (folder, checkpoint) = (Folder::new(), checkpoint());
        let (file, found) = folder.open("http://a").unwrap();
        assert!(matches!(found, StoredState::Nothing));
        let at = now();
        // A leftover draft, readable for all, doesn't get in the way.
        fs::write(folder.0.join("state.new"), "left").unwrap();
        for _ in 0..2 {
            file.save(&checkpoint, at).unwrap();
        }
        assert_eq!(fs::metadata(folder.0.join("state")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(folder.open("http://a"), Err(GatewayError::Setting(_))), "the file is locked");
        drop(file);
        assert!(
            matches!(folder.open("http://b"), Err(GatewayError::Setting(_))),
            "the file belongs to another watch"
        );
        let (_, found) = folder.open("http://a").unwrap();
        let StoredState::Saved(read, then) = found else { panic!("{found:?}") };
        assert_eq!((read, then), (checkpoint, at));
    }

    #[test]
    fn a_file_of_the_first_release_is_read() {
        let folder = Folder::new();
        let agent = "01a20326-e777-71ce-9264-eefdca7dad0e";
        let config = format!(
            r#"{{"agentId":"{agent}","customerId":"{agent}","name":"a\u0001","versionId":"{agent}","versionNumber":1,"systemPrompt":"Help.\n","modelName":"m","modelParameters":{{"temperature":1.0}},"tools":[{{"name":"find","description":null,"inputSchema":{{"type":"object"}}}}],"contentHash":"00","activatedAt":"2026-11-01T10:00:00.000000Z","revision":"7"}}"#
        );
        let state = format!(
            r#"{{"subject":{{"url":"http://a","customer":null,"agents":null}},"saved_at":"2026-11-01T10:00:01.000000001Z","revision":7,"cursor":"7.0.ab","configs":{{"{agent}":{config}}}}}"#
        );
        let file = format!(r#"{{"format":1,"sha256":"{}","state":{state}}}"#, hash(state.as_bytes()));
        fs::write(folder.0.join("state"), file).unwrap();
        let (_, found) = folder.open("http://a").unwrap();
        let StoredState::Saved(read, _) = found else { panic!("{found:?}") };
        let config = read.configs.values().next().unwrap();
        assert_eq!((config.name.as_str(), &config.bytes_hash), ("a\u{1}", &None));
    }

    #[test]
    fn damage_of_any_byte_is_seen_and_kept() {
        let folder = Folder::new();
        folder.open("http://a").unwrap().0.save(&checkpoint(), now()).unwrap();
        let whole = fs::read(folder.0.join("state")).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let (mut damaged, mut refused) = (0, 0);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(folder.0.join("state"), &bytes).unwrap();
            match folder.open("http://a") {
                Ok((_, StoredState::Damaged(_, aside))) => {
                    damaged += 1;
                    assert_eq!(fs::read(aside).unwrap(), bytes);
                }
                // The format version is the only byte whose change is an unsupported format and not damage.
                Err(GatewayError::Setting(_)) => refused += 1,
                other => panic!("byte {at} of {text} was changed, and the file is still read: {other:?}"),
            }
        }
        assert!(refused <= 1 && damaged + refused == whole.len(), "{damaged} {refused}");
        for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(folder.0.join("state"), &whole[..cut]).unwrap();
            assert!(
                matches!(folder.open("http://a"), Ok((_, StoredState::Damaged(..)))),
                "cut to {cut} bytes"
            );
        }
    }

    #[test]
    fn no_key_of_the_file_is_an_instruction() {
        let folder = Folder::new();
        for key in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            let file = format!(r#"{{"format":1,"other":[{{"{key}":"1"}}]}}"#);
            fs::write(folder.0.join("state"), file).unwrap();
            let (_, found) = folder.open("http://a").unwrap();
            let StoredState::Damaged(why, _) = found else { panic!("{found:?}") };
            assert!(why.contains("reserved") && why.contains("`other[0]`"), "{why}");
        }
    }

    #[test]
    fn a_save_that_fails_leaves_what_was() {
        let folder = Folder::new();
        let (file, _) = folder.open("http://a").unwrap();
        let first = checkpoint();
        file.save(&first, now()).unwrap();
        // A folder at the draft's path makes the save fail.
        fs::create_dir(folder.0.join("state.new")).unwrap();
        assert!(file.save(&Checkpoint { revision: 8, ..checkpoint() }, now()).is_err());
        drop(file);
        let StoredState::Saved(read, _) = folder.open("http://a").unwrap().1 else {
            panic!("the saved state is gone")
        };
        assert_eq!(read, first);
    }
}
