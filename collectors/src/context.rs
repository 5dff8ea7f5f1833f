//! What the pipeline hands to a collector, and what a collector hands back.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pki_config::{DirectoryScope, FilesystemScope, Globs, Pkcs11Scope, TlsScope};
use pki_inventory::{Digest, GapReason, Observation, Place, Raw, Time};
use siphasher::sip::SipHasher13;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use zeroize::Zeroizing;

/// Scope, clock, cancellation and progress of a run. Collectors have no other source of these.
#[derive(Clone)]
pub struct Context {
    /// What the TLS collector is to ask.
    pub tls: TlsScope,
    /// What the filesystem collector is to walk.
    pub filesystem: FilesystemScope,
    /// What the directory collector is to read.
    pub directory: DirectoryScope,
    /// What it binds with, one for each server of the scope that needs a password.
    pub directory_passwords: Arc<Vec<Option<Zeroizing<String>>>>,
    /// What the PKCS #11 collector is to read.
    pub pkcs11: Pkcs11Scope,
    /// What it logs in with, one for each login of the scope that a PIN was given for.
    pub pins: Arc<Vec<Option<TokenPin>>>,
    /// Logins that were tried in an earlier run and not accepted, see
    /// [`LoginTried`](Observation::LoginTried); they are not tried again.
    pub refused_logins: Arc<BTreeSet<Digest>>,
    /// Where whoever keeps [`LoginTried`](Observation::LoginTried) for later runs says that it is kept:
    /// no login is tried before. `None` where nobody keeps it, and no run comes later.
    pub noted_logins: Option<Arc<NotedLogins>>,
    /// The command, with its arguments, that serves as the process of a PKCS #11 module.
    pub module_command: Arc<Vec<OsString>>,
    /// Variables of the environment that passwords and PINs come from, by name. A process of a module
    /// must not see them.
    pub secret_variables: Arc<Vec<String>>,
    /// The clock of the run. Deadlines are the runtime's business; this one stamps sightings.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// The clock on the wall, for time windows: that of the run may be set to another instant.
    pub wall_clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Set when the run is to end early; collectors look at it between targets.
    pub cancelled: Arc<AtomicBool>,
    /// Counted by the collectors, shown by the agent.
    pub progress: Arc<Progress>,
    /// What an earlier part of the same run has asked already.
    pub done: Arc<Done>,
    /// Which files an earlier run has read, and in which state.
    pub seen: Arc<Seen>,
    /// Passwords that may be tried on keystores.
    pub passwords: Arc<Vec<KeystorePassword>>,
}

/// Network places that need not be asked again, and what came of them. They are kept by a hash of
/// eight octets each: there may be millions.
#[derive(Debug, Default)]
pub struct Done(Vec<(u64, Option<GapReason>)>);

/// Which files an earlier run read as they are now, so that they need not be read again, and which
/// this run has read.
///
/// Of a file only a hash of eight octets is kept, over its path, device, inode, length, time of its
/// last write and time of its last change; the key of the hash is secret to whoever could write
/// files. Its two lowest bits say what came of the file. Among a million files, one that changed is
/// taken for unchanged with a probability of one to 4,000,000,000,000.
pub struct Seen {
    key: [u64; 2],
    before: Vec<u64>,
    now: Mutex<Vec<u64>>,
}

/// What came of a file in an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Anything was reported of it.
    pub anything: bool,
    /// All of it was read.
    pub whole: bool,
}

/// The marks of a hash.
const ANYTHING: u64 = 1;
const WHOLE: u64 = 2;
const MARKS: u64 = ANYTHING | WHOLE;

/// The state of a file as `stat` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileState {
    /// Number of the device.
    pub device: u64,
    /// Number of the inode.
    pub inode: u64,
    /// Octets.
    pub length: u64,
    /// When it was last written, in seconds and nanoseconds.
    pub written: (i64, u64),
    /// When it was last changed in any way, its mode included.
    pub changed: (i64, u64),
}

/// A password, and the keystores it may be tried on.
pub struct KeystorePassword {
    /// The keystores.
    pub paths: Globs,
    /// The password.
    pub password: Zeroizing<String>,
}

/// A PIN and where it is from.
#[derive(Clone)]
pub struct TokenPin {
    /// The PIN.
    pub pin: Zeroizing<String>,
    /// What its source is known by, such as the path of its file; never anything of the PIN itself.
    pub mark: String,
}

/// Logins that were noted where later runs look.
#[derive(Debug, Default)]
pub struct NotedLogins {
    noted: Mutex<BTreeSet<Digest>>,
    changed: tokio::sync::Notify,
}

/// How far a run is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Places known to be asked for, so far.
    pub asked: AtomicU64,
    /// Places done with, read or not.
    pub done: AtomicU64,
}

/// Where a collector puts what it sees. It holds a bounded number of observations and of octets in
/// them, so a collector that is faster than the store waits instead of filling the memory.
#[derive(Debug, Clone)]
pub struct Sink {
    sender: mpsc::Sender<Weighed>,
    /// One permit for a KiB.
    room: Arc<Semaphore>,
}

/// The end where the observations of a [`Sink`] are taken.
#[derive(Debug)]
pub struct Source {
    receiver: mpsc::Receiver<Weighed>,
    /// Of the last hand-in, what is not taken yet.
    rest: std::vec::IntoIter<Observation>,
}

/// Observations and the room they take, given back when they are taken out.
#[derive(Debug)]
struct Weighed {
    observations: Vec<Observation>,
    _room: OwnedSemaphorePermit,
}

/// The most KiB that a sink holds: enough to have something to write while a collector waits, and no
/// more than a run may always need. What is larger has it to itself.
const ROOM_KIB: u32 = 8 * 1024;

/// Why a collector could not work at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The receiving side ended first.
    #[error("the run was ended while the collector was still reading")]
    SinkClosed,
    /// The operating system refused what the collector cannot do without.
    #[error("{what} is not possible on this host: {source}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Context {
    /// The present instant, by the clock of the run.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// Whether the run is to end early.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Done {
    /// Keeps these places, each with the reason why it was not read, if it was not.
    #[must_use]
    pub fn of(places: impl IntoIterator<Item = (Place, Option<GapReason>)>) -> Self {
        let mut hashes: Vec<(u64, Option<GapReason>)> =
            places.into_iter().map(|(place, gap)| (hash(&place), gap)).collect();
        // Without a reason sorts first: a place that was read once counts as read.
        hashes.sort_unstable();
        hashes.dedup_by_key(|(hash, _)| *hash);
        Self(hashes)
    }

    /// Whether the place was asked, and why it was not read, if it was not.
    #[must_use]
    pub fn outcome(&self, place: &Place) -> Option<Option<GapReason>> {
        if self.0.is_empty() {
            return None;
        }
        let found = self.0.binary_search_by_key(&hash(place), |(hash, _)| *hash).ok()?;
        self.0.get(found).map(|(_, gap)| *gap)
    }
}

impl Seen {
    /// What an earlier run has read, as its [`Seen::taken`] gave it, under the key of that run. A
    /// first run has read nothing, and its key is 16 random octets.
    #[must_use]
    pub fn new(key: [u64; 2], mut before: Vec<u64>) -> Self {
        before.sort_unstable();
        Self { key, before, now: Mutex::default() }
    }

    /// Whether nothing is known of earlier runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// What came of the file with this hash, if it was read in this very state.
    #[must_use]
    pub fn before(&self, hash: u64) -> Option<Before> {
        let found = self.before.binary_search_by_key(&hash, |known| known & !MARKS).ok()?;
        let known = self.before.get(found)?;
        Some(Before { anything: known & ANYTHING != 0, whole: known & WHOLE != 0 })
    }

    /// The hash of a file in its state, its marks left blank.
    #[must_use]
    pub fn hash(&self, path: &[u8], state: &FileState, above: Option<&[u8]>) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.key[0], self.key[1]);
        (path, state, above).hash(&mut hasher);
        hasher.finish() & !MARKS
    }

    /// A hash with what came of the file.
    #[must_use]
    pub fn marked(hash: u64, anything: bool, whole: bool) -> u64 {
        let mark = |is_set: bool, mark: u64| if is_set { mark } else { 0 };
        hash & !MARKS | mark(anything, ANYTHING) | mark(whole, WHOLE)
    }

    /// Files that were read in this run or had been read before, each [marked](Self::marked).
    pub fn add(&self, mut files: Vec<u64>) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).append(&mut files);
    }

    /// Everything added since it was last taken, sorted.
    #[must_use]
    pub fn taken(&self) -> Vec<u64> {
        let mut now = std::mem::take(&mut *self.now.lock().unwrap_or_else(PoisonError::into_inner));
        now.sort_unstable();
        now
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({} files)", self.before.len())
    }
}

impl fmt::Debug for KeystorePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeystorePassword({:?})", self.paths)
    }
}

impl NotedLogins {
    /// Says that this one is noted.
    pub fn add(&self, login: Digest) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(login);
        self.changed.notify_waiters();
    }

    /// Waits until this one is noted.
    pub(crate) async fn wait_for(&self, login: Digest) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.noted.lock().unwrap_or_else(PoisonError::into_inner).contains(&login) {
                return;
            }
            changed.await;
        }
    }
}

impl fmt::Debug for TokenPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenPin(from {})", self.mark)
    }
}

/// The short form of a place by which millions are remembered.
pub(crate) fn hash(place: &Place) -> u64 {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    hasher.finish()
}

impl Progress {
    /// Adds to the places known to be asked for.
    pub fn ask(&self, places: u64) {
        self.asked.fetch_add(places, Ordering::Relaxed);
    }

    /// Adds to the places done with.
    pub fn finish(&self, places: u64) {
        self.done.fetch_add(places, Ordering::Relaxed);
    }
}

impl Sink {
    /// A sink that holds this many observations, and the end to take them from.
    #[must_use]
    pub fn bounded(observations: usize) -> (Self, Source) {
        let (sender, receiver) = mpsc::channel(observations);
        let room = Arc::new(Semaphore::new(ROOM_KIB as usize));
        (Self { sender, room }, Source { receiver, rest: Vec::new().into_iter() })
    }

    /// Hands in one observation, waiting for room.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub async fn send(&self, observation: Observation) -> Result<(), CollectError> {
        self.send_together(vec![observation]).await
    }

    /// Hands in observations that belong together, waiting for room for all.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub async fn send_together(&self, observations: Vec<Observation>) -> Result<(), CollectError> {
        let weight = observations.iter().map(weight_kib).sum::<u32>().min(ROOM_KIB);
        let room = Arc::clone(&self.room).acquire_many_owned(weight).await;
        let _room = room.map_err(|_| CollectError::SinkClosed)?;
        let weighed = Weighed { observations, _room };
        self.sender.send(weighed).await.map_err(|_| CollectError::SinkClosed)
    }

    /// Hands in one observation from a thread of its own, waiting for room.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub fn send_blocking(&self, observation: Observation) -> Result<(), CollectError> {
        let room = Arc::clone(&self.room).blocking_acquire_many_owned(weight_kib(&observation));
        let _room = room.map_err(|_| CollectError::SinkClosed)?;
        let weighed = Weighed { observations: vec![observation], _room };
        self.sender.blocking_send(weighed).map_err(|_| CollectError::SinkClosed)
    }
}

impl Source {
    /// The next observation; `None` when every sink is gone and nothing is left.
    pub async fn recv(&mut self) -> Option<Observation> {
        loop {
            if let Some(observation) = self.rest.next() {
                return Some(observation);
            }
            self.rest = self.receiver.recv().await?.observations.into_iter();
        }
    }
}

/// The room an observation takes. One that is larger than all there is has it to itself.
fn weight_kib(observation: &Observation) -> u32 {
    let octets = match observation {
        Observation::Found { raw, .. } => match raw {
            Raw::Certificate(octets)
            | Raw::RevocationList(octets)
            | Raw::SigningRequest(octets) => octets.capacity(),
            Raw::Bundle(members) => size_of_val(members.as_slice()),
            Raw::Endpoint(endpoint) => endpoint
                .session()
                .map_or(0, |session| session.accepted_authorities.iter().map(String::len).sum()),
            // Names, at most a kilobyte each.
            Raw::Keystore { keystore, .. } => keystore.entries.len() * 256,
            Raw::Automation(automation) => automation.domains.len() * 64,
            Raw::Configuration(_)
            | Raw::Authority(_)
            | Raw::Template(_)
            | Raw::DirectoryObject(_)
            | Raw::Issuance(_) => 4096,
            Raw::Token(_) => 16_384,
            Raw::Key { .. } | Raw::SecretKey(_) | Raw::Unparsed { .. } => 0,
        },
        Observation::Missed(_)
        | Observation::Covered { .. }
        | Observation::Unchanged(_)
        | Observation::LoginTried(_)
        | Observation::LoginCleared(_) => 0,
    };
    // One for the place and what else is said about it.
    u32::try_from(1 + octets / 1024).unwrap_or(ROOM_KIB).min(ROOM_KIB)
}

#[cfg(test)]
mod tests {
    use pki_inventory::Sighting;

    use super::*;

    fn large(octets: usize) -> Observation {
        let sighting = Sighting::at(Place::Scope("x".into()), "test", Time(0));
        Observation::found(Raw::RevocationList(vec![0; octets]), sighting)
    }

    #[test]
    fn a_place_that_was_asked_is_known_again_with_what_came_of_it() {
        let place = |port: u16| -> Place {
            format!("smtp+tls://192.0.2.1:{port}").parse().expect("a place")
        };
        let refused = Some(GapReason::Refused);
        let done = Done::of([(place(25), refused), (place(587), refused), (place(25), None)]);
        assert_eq!(done.outcome(&place(25)), Some(None));
        assert_eq!(done.outcome(&place(587)), Some(refused));
        assert_eq!(done.outcome(&place(26)), None);
        assert_eq!(Done::default().outcome(&place(25)), None);
    }

    #[test]
    fn a_sink_holds_no_more_octets_than_it_has_room_for() {
        const MIB: usize = 1024 * 1024;
        let (sink, mut source) = Sink::bounded(4096);
        let sender = std::thread::spawn(move || {
            // The first two leave no room for the third; the last one is larger than all there is.
            [3, 3, 3, 100].map(|mib| sink.send_blocking(large(mib * MIB)).is_ok())
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(source.receiver.len(), 2);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            for _ in 0..4 {
                assert!(source.recv().await.is_some());
            }
            assert!(source.recv().await.is_none());
        });
        assert_eq!(sender.join().ok(), Some([true; 4]));
    }

    #[test]
    fn who_waits_for_room_hears_that_nobody_takes_observations_any_more() {
        let (sink, source) = Sink::bounded(4096);
        let sender = std::thread::spawn(move || {
            [5, 5].map(|mib| sink.send_blocking(large(mib * 1024 * 1024)).is_ok())
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(source);
        assert_eq!(sender.join().ok(), Some([true, false]));
    }
}
