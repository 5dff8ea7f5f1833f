//! What lies on a token: without a login first, then with the one that was ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use cryptoki_sys::{
    CKO_CERTIFICATE, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKO_VALIDATION,
    CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK, CKR_TEMPLATE_INCONSISTENT,
    CKR_USER_ALREADY_LOGGED_IN, CKR_USER_NOT_LOGGED_IN,
};
use pki_tokens::attributes::{CLASSES, wanted};
use pki_tokens::wire::{LoginOrder, Message, ObjectAnswer, Pin, TokenAnswer, Value};
use zeroize::Zeroizing;

use crate::calls::{Failure, Module};
use crate::channel::Answers;
use crate::slots;
use crate::values::{Attributes, Object, Read, is_over};

/// Handles that are asked for at once.
const HANDLES: usize = 256;

/// After so many objects in a row of which nothing could be read there is nothing to be hoped for.
const SILENT: u32 = 8;

/// What a user may see and nobody else: what a PIN is used for. Data is only counted, and what a device
/// states of itself is for everybody.
const HIDDEN: [u64; 4] = [CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_CERTIFICATE, CKO_PUBLIC_KEY];

/// Reads the token in this slot, up to so many objects of a class; a login comes with the token that it
/// is for.
pub(crate) fn read(
    module: &mut Module,
    answers: &mut Answers,
    slot: u64,
    login: Option<(LoginOrder, &TokenAnswer)>,
    max_objects: u64,
) -> io::Result<()> {
    let session = match module.open_session(slot) {
        Ok(session) => session,
        Err(failure) => {
            answers.failed(Some(slot), "C_OpenSession", &failure, "")?;
            return answers.say(&end(slot, BTreeMap::new(), false));
        }
    };
    let mut reading = Reading {
        module,
        answers,
        slot,
        session,
        most: max_objects,
        seen: BTreeSet::new(),
        told: BTreeMap::new(),
        counts: BTreeMap::new(),
        truncated: BTreeSet::new(),
        broken: BTreeSet::new(),
        silent: 0,
        lost: false,
        logged_in: false,
        hidden: Vec::new(),
        attributes: Attributes::default(),
    };
    reading.all()?;
    if let Some((login, token)) = login.filter(|_| !reading.lost) {
        reading.login(login, token)?;
    }
    // Without a user, what asks for one stays unread.
    for (class, failure) in std::mem::take(&mut reading.hidden) {
        reading.failed("C_FindObjectsInit", &failure, &of_class(class))?;
    }
    let Reading { module, counts, truncated, logged_in, .. } = reading;
    if logged_in {
        // The session is over in a moment anyway.
        let _ = module.logout(session);
    }
    if let Err(failure) = module.close_session(session) {
        answers.failed(Some(slot), "C_CloseSession", &failure, "")?;
    }
    answers.say(&end(slot, counts, !truncated.is_empty()))
}

/// Says that there is no token in this slot to read.
pub(crate) fn nothing(answers: &mut Answers, slot: u64) -> io::Result<()> {
    answers.failed(Some(slot), "C_OpenSession", &Failure::nonsense("no token in this slot"), "")?;
    answers.say(&end(slot, BTreeMap::new(), false))
}

fn end(slot: u64, counts: BTreeMap<u64, u64>, truncated: bool) -> Message {
    Message::ReadEnd { slot, counts: counts.into_iter().collect(), truncated }
}

fn of_class(class: u64) -> String {
    format!("objects of class {class:#x}")
}

/// Enough to tell the objects of one token from each other, whether or not all of them were asked for
/// what the first of them did not have.
fn digest(attributes: &[(u64, Value)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (attribute, value) in attributes {
        attribute.hash(&mut hasher);
        match value {
            Value::Octets(octets) => octets.0.hash(&mut hasher),
            Value::NotAsked(_) => std::mem::discriminant(&Value::Invalid).hash(&mut hasher),
            other => std::mem::discriminant(other).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// A token that is being read.
struct Reading<'a> {
    module: &'a mut Module,
    answers: &'a mut Answers,
    slot: u64,
    session: u64,
    /// How many objects of a class may be told. A limit for all of them together would be used up by
    /// what everybody sees, and a PIN would show nothing.
    most: u64,
    /// With the class: a handle that the module gave anew is another object then.
    seen: BTreeSet<(u64, u64)>,
    /// What was told, by class and attributes, with the handles it was told of.
    told: BTreeMap<(u64, u64), Vec<u64>>,
    counts: BTreeMap<u64, u64>,
    /// Classes of which something was left out.
    truncated: BTreeSet<u64>,
    /// Classes that no login makes searchable.
    broken: BTreeSet<u64>,
    /// Objects in a row of which nothing could be read.
    silent: u32,
    /// Nothing more is to be heard of the token.
    lost: bool,
    logged_in: bool,
    /// Classes that may be searched by a user only, as it looks before the login.
    hidden: Vec<(u64, Failure)>,
    attributes: Attributes,
}

impl Reading<'_> {
    /// Reads every object that was not read yet.
    fn all(&mut self) -> io::Result<()> {
        for class in CLASSES {
            if self.lost {
                break;
            }
            if self.is_full(*class) && self.truncated.contains(class) {
                continue;
            }
            let handles = self.search(*class)?;
            self.counts.entry(*class).or_default();
            self.class(*class, handles)?;
        }
        Ok(())
    }

    /// Whether no more objects of a class are told.
    fn is_full(&self, class: u64) -> bool {
        self.counts.get(&class).copied().unwrap_or_default() >= self.most
    }

    /// Logs in once and reads what is to be seen now. The PIN is for the token that was `told`.
    fn login(&mut self, login: LoginOrder, told: &TokenAnswer) -> io::Result<()> {
        let slot = self.slot;
        let is_closed = |class: &u64| self.is_full(*class) || self.broken.contains(class);
        if HIDDEN.iter().all(is_closed) {
            let failure = Failure::nonsense("not called: it would show nothing that is read");
            return self.failed("C_Login", &failure, "");
        }
        let obstacle = match slots::again(self.module, slot) {
            Ok(now) => slots::changed(told, &now).map(Failure::Nonsense),
            Err(failure) => Some(failure),
        };
        if let Some(failure) = obstacle {
            return self.failed("C_GetTokenInfo", &failure, "no login");
        }
        let pin = match login {
            LoginOrder::Pin(Pin(mut pin)) => {
                // Moved, not copied.
                Some(Zeroizing::new(std::mem::take(&mut *pin).into_bytes()))
            }
            LoginOrder::Device => None,
        };
        self.answers.say(&Message::LoginBegins { slot })?;
        match self.module.login(self.session, pin) {
            Ok(returned) => {
                self.answers.say(&Message::Login { slot, returned })?;
                if matches!(returned, CKR_OK | CKR_USER_ALREADY_LOGGED_IN) {
                    self.hidden.clear();
                    self.logged_in = true;
                    self.all()?;
                }
                Ok(())
            }
            Err(failure) => self.failed("C_Login", &failure, ""),
        }
    }

    /// The handles of a class that were not seen yet.
    fn search(&mut self, class: u64) -> io::Result<Vec<u64>> {
        let mut fresh = Vec::new();
        match self.module.find_objects_init(self.session, class) {
            Ok(()) => {}
            Err(failure) => {
                match failure {
                    // The class is younger than most modules (PKCS #11 v3.2, 4.15).
                    Failure::Returned(
                        CKR_ATTRIBUTE_VALUE_INVALID
                        | CKR_ATTRIBUTE_TYPE_INVALID
                        | CKR_TEMPLATE_INCONSISTENT,
                    ) if class == CKO_VALIDATION => {}
                    Failure::Returned(CKR_USER_NOT_LOGGED_IN) => self.hidden.push((class, failure)),
                    failure => self.broke("C_FindObjectsInit", &failure, class)?,
                }
                return Ok(fresh);
            }
        }
        let mut found: BTreeSet<u64> = BTreeSet::new();
        let mut place = [0; HANDLES];
        loop {
            let count = match self.module.find_objects(self.session, &mut place) {
                Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
                Err(failure) => {
                    self.broke("C_FindObjects", &failure, class)?;
                    break;
                }
            };
            let Some(handles) = place.get(..count) else {
                let failure = Failure::nonsense("more handles than there was room for");
                self.broke("C_FindObjects", &failure, class)?;
                break;
            };
            if handles.is_empty() {
                break;
            }
            let before = found.len();
            found.extend(handles);
            // It would never end.
            if found.len() == before {
                let failure = Failure::nonsense("the same handles again and again");
                self.failed("C_FindObjects", &failure, &of_class(class))?;
                break;
            }
            let mut is_all = true;
            for handle in handles {
                if self.seen.contains(&(class, *handle)) {
                    continue;
                }
                if fresh.len() as u64 >= self.most {
                    is_all = false;
                    break;
                }
                self.seen.insert((class, *handle));
                fresh.push(*handle);
            }
            // Old ones come to an end as well: there are no more of them than were taken before.
            if !is_all {
                self.truncated.insert(class);
                break;
            }
        }
        if let Err(failure) = self.module.find_objects_final(self.session) {
            self.failed("C_FindObjectsFinal", &failure, &of_class(class))?;
        }
        for ((of, _), handles) in &mut self.told {
            handles.retain(|handle| *of != class || !found.contains(handle));
        }
        Ok(fresh)
    }

    /// Reads these objects of a class.
    fn class(&mut self, class: u64, handles: Vec<u64>) -> io::Result<()> {
        let (mut others, mut gone) = (0u64, 0u64);
        for handle in handles {
            let counted = if wanted(class).is_empty() {
                !self.leave_out(class)
            } else {
                match self.object(class, handle)? {
                    Some(Read::Object(attributes)) => self.tell(class, handle, attributes)?,
                    Some(Read::OtherClass) => {
                        others += 1;
                        false
                    }
                    Some(Read::Gone) => {
                        gone += 1;
                        false
                    }
                    None => false,
                }
            };
            if counted {
                *self.counts.entry(class).or_default() += 1;
            }
            if self.lost || (self.is_full(class) && self.truncated.contains(&class)) {
                break;
            }
        }
        if others > 0 {
            let failure = Failure::Nonsense(format!("{others} of them are of another class"));
            self.failed("C_FindObjects", &failure, &of_class(class))?;
        }
        if gone > 0 {
            let failure = Failure::Nonsense(format!("{gone} of them were deleted meanwhile"));
            self.failed("C_GetAttributeValue", &failure, &of_class(class))?;
        }
        Ok(())
    }

    /// Reads one; `None` where that is the end of the token.
    fn object(&mut self, class: u64, handle: u64) -> io::Result<Option<Read>> {
        let mut object = Object { module: self.module, session: self.session, class, handle };
        match self.attributes.read(&mut object) {
            Ok(read) => Ok(Some(read)),
            Err(failure) => {
                self.lost = true;
                self.failed("C_GetAttributeValue", &failure, &of_class(class))?;
                Ok(None)
            }
        }
    }

    /// Tells an object; not one that was told and has another handle only since the login.
    fn tell(&mut self, class: u64, handle: u64, attributes: Vec<(u64, Value)>) -> io::Result<bool> {
        let renamed = self.told.entry((class, digest(&attributes))).or_default();
        if renamed.pop_if(|before| *before != handle && self.logged_in).is_some() {
            return Ok(false);
        }
        if !self.logged_in {
            renamed.push(handle);
        }
        if self.leave_out(class) {
            return Ok(false);
        }
        let silent = attributes
            .iter()
            .all(|(_, value)| matches!(value, Value::Failed(_) | Value::Unavailable));
        let slot = self.slot;
        self.answers.say(&Message::Object(Box::new(ObjectAnswer { slot, class, attributes })))?;
        self.silent = if silent { self.silent + 1 } else { 0 };
        if self.silent >= SILENT {
            self.lost = true;
            let failure = Failure::Nonsense(format!("nothing of {SILENT} objects in a row"));
            self.failed("C_GetAttributeValue", &failure, &of_class(class))?;
        }
        Ok(true)
    }

    /// Whether one more object of a class is too many, which is noted.
    fn leave_out(&mut self, class: u64) -> bool {
        let is_full = self.is_full(class);
        if is_full {
            self.truncated.insert(class);
        }
        is_full
    }

    /// Says that a class cannot be searched, and notes where a login would change nothing about that.
    fn broke(&mut self, call: &str, failure: &Failure, class: u64) -> io::Result<()> {
        if !matches!(failure, Failure::Returned(returned) if !is_over(*returned)) {
            self.broken.insert(class);
        }
        self.failed(call, failure, &of_class(class))
    }

    fn failed(&mut self, call: &str, failure: &Failure, at: &str) -> io::Result<()> {
        self.answers.failed(Some(self.slot), call, failure, at)
    }
}

#[cfg(test)]
mod tests {
    use pki_tokens::wire::Octets;

    use super::*;

    #[test]
    fn an_object_is_the_same_whether_or_not_it_was_asked_for_all() {
        let with =
            |value: Value| digest(&[(3, Value::Octets(Octets(b"Root".to_vec()))), (0x129, value)]);
        assert_eq!(with(Value::Invalid), with(Value::NotAsked(3)));
        assert_ne!(with(Value::Invalid), with(Value::Sensitive));
        assert_ne!(with(Value::Invalid), with(Value::Octets(Octets(Vec::new()))));
    }
}
