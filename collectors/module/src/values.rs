//! The attributes of one object, in as few calls as the module allows.
//!
//! All are asked for at once. Where that fails, or where the answer cannot be trusted, they are asked
//! for one by one; a module that fails so again and again is first asked what kind of key it is, and
//! then for what such keys were seen to have.

use std::collections::BTreeMap;

use cryptoki_sys::{
    CKA_CLASS, CKA_COEFFICIENT, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_KEY_TYPE, CKA_PRIME_1,
    CKA_PRIME_2, CKA_PRIVATE_EXPONENT, CKA_SEED, CKA_VALUE, CKK_EC, CKK_EC_EDWARDS,
    CKK_EC_MONTGOMERY, CKK_RSA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL, CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_DEVICE_REMOVED, CKR_OBJECT_HANDLE_INVALID, CKR_OK, CKR_SESSION_CLOSED,
    CKR_SESSION_HANDLE_INVALID, CKR_TOKEN_NOT_PRESENT,
};
use pki_tokens::attributes::{may_be_skipped, wanted};
use pki_tokens::wire::{Octets, Value};

use crate::calls::{Failure, Module};
use crate::rooms::{Content, LONGEST_CERTIFICATE, Room, longest};

/// So many objects have to show the same before it is taken for a habit of the module.
const HABIT: u32 = 3;

/// No more octets are told of one object, so that it fits into a line of an answer.
const OBJECT_OCTETS: u64 = 512 << 10;

/// The private half of a key. No list asks for any of them; nor would this file.
const NEVER: &[u64] = &[
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
    CKA_SEED,
];

/// What became of an object.
pub(crate) enum Read {
    /// Its attributes.
    Object(Vec<(u64, Value)>),
    /// It is of another class than was searched for.
    OtherClass,
    /// It was deleted since it was found.
    Gone,
}

/// Reads objects of one token and learns how its module wants to be asked.
#[derive(Default)]
pub(crate) struct Attributes {
    classes: BTreeMap<u64, Class>,
    kinds: BTreeMap<Kind, Habits>,
}

/// A class and, of keys, their type: objects that have the same attributes.
type Kind = (u64, Option<u64>);

/// How objects of a class are asked.
struct Class {
    /// Everything but the value, the class and the type of the key first.
    attributes: Vec<u64>,
    rooms: Vec<Room>,
    /// Objects that could not be read at once.
    failed: u32,
}

/// What was seen of objects of one kind.
#[derive(Default)]
struct Habits {
    /// How often an attribute was invalid; nothing where it also was not.
    invalid: BTreeMap<u64, Option<u32>>,
    /// Objects of which what they should have could not be read at once.
    failed: u32,
}

/// Where the questions go.
pub(crate) struct Object<'a> {
    pub(crate) module: &'a mut Module,
    pub(crate) session: u64,
    pub(crate) class: u64,
    pub(crate) handle: u64,
}

/// An answer to several questions.
struct Batch {
    returned: u64,
    told: BTreeMap<u64, Value>,
    /// Without a value, for the reason that was returned or for another one.
    absent: Vec<u64>,
    /// Not answered at all.
    open: Vec<u64>,
}

impl Attributes {
    /// The attributes of this object. An error means that nothing more can be read of the token.
    pub(crate) fn read(&mut self, object: &mut Object) -> Result<Read, Failure> {
        let class = self.classes.entry(object.class).or_insert_with(|| Class::of(object.class));
        let told = if class.failed < HABIT {
            let batch = object.batch(&mut class.rooms, &class.attributes)?;
            if batch.is_gone() {
                return Ok(Read::Gone);
            }
            if batch.is_spoilt() {
                class.failed += 1;
            }
            batch
        } else {
            object.batch(&mut [], &class.attributes[..class.first()])?
        };
        let attributes = class.attributes.clone();
        let mut told = match self.settle(object, told)? {
            Ok(told) => told,
            Err(read) => return Ok(read),
        };
        self.rest(object, &attributes, &mut told)?;
        self.value(object, &mut told)?;
        Ok(Read::Object(in_order(object.class, told)))
    }

    /// Finds out about each attribute that a batch left open.
    fn settle(
        &mut self,
        object: &mut Object,
        mut batch: Batch,
    ) -> Result<Result<BTreeMap<u64, Value>, Read>, Failure> {
        if batch.is_gone() {
            return Ok(Err(Read::Gone));
        }
        for first in [CKA_CLASS, CKA_KEY_TYPE] {
            if batch.absent.contains(&first) || batch.open.contains(&first) {
                batch.absent.retain(|attribute| *attribute != first);
                batch.open.retain(|attribute| *attribute != first);
                batch.told.insert(first, object.single(first)?);
            }
        }
        if number(&batch.told, CKA_CLASS).is_some_and(|class| class != object.class) {
            return Ok(Err(Read::OtherClass));
        }
        let habits = self.kinds.entry(kind(object.class, &batch.told)).or_default();
        for (attribute, value) in &batch.told {
            habits.saw(*attribute, value);
        }
        // A batch returns one reason for all that have no value. That of those which objects of this
        // kind were seen not to have is known, unless none of the absent ones gives the reason.
        let explained = batch.returned == CKR_ATTRIBUTE_TYPE_INVALID
            || batch.absent.iter().any(|attribute| habits.without(*attribute) == 0);
        for attribute in batch.absent {
            if explained && habits.without(attribute) > 0 {
                habits.saw(attribute, &Value::Invalid);
                batch.told.insert(attribute, Value::Invalid);
            } else {
                batch.told.insert(attribute, object.learn(habits, attribute)?);
            }
        }
        for attribute in batch.open {
            batch.told.insert(attribute, object.learn(habits, attribute)?);
        }
        Ok(Ok(batch.told))
    }

    /// Asks for what was not asked for with the kind of the object.
    fn rest(
        &mut self,
        object: &mut Object,
        attributes: &[u64],
        told: &mut BTreeMap<u64, Value>,
    ) -> Result<(), Failure> {
        let kind = kind(object.class, told);
        let habits = self.kinds.entry(kind).or_default();
        let mut rest = Vec::new();
        for attribute in attributes {
            if told.contains_key(attribute) {
                continue;
            }
            let without = habits.without(*attribute);
            if without < HABIT {
                rest.push(*attribute);
                continue;
            }
            // It costs such a module some calls more, but what is judged is not guessed: alone, as it
            // spoils the answer to several.
            let value = if may_be_skipped(*attribute) {
                Value::NotAsked(without.into())
            } else {
                object.learn(habits, *attribute)?
            };
            told.insert(*attribute, value);
        }
        if rest.is_empty() {
            return Ok(());
        }
        if habits.failed >= 2 * HABIT {
            for attribute in rest {
                let value = object.learn(habits, attribute)?;
                told.insert(attribute, value);
            }
            return Ok(());
        }
        let batch = object.batch(&mut [], &rest)?;
        if batch.is_spoilt() {
            habits.failed += 1;
        }
        // The kind is told already, so this comes to the same habits.
        let mut whole = std::mem::take(told);
        whole.extend(batch.told);
        let batch = Batch { told: whole, ..batch };
        if let Ok(settled) = self.settle(object, batch)? {
            *told = settled;
        }
        Ok(())
    }

    /// Asks for the value, of certificates and public keys, and only when the object has said itself
    /// that it is one: a module that does not heed the class of a search hands out private keys too.
    fn value(
        &mut self,
        object: &mut Object,
        told: &mut BTreeMap<u64, Value>,
    ) -> Result<(), Failure> {
        let public = matches!(object.class, CKO_CERTIFICATE | CKO_PUBLIC_KEY);
        if !public || !wanted(object.class).contains(&CKA_VALUE) {
            return Ok(());
        }
        let value = if number(told, CKA_CLASS) != Some(object.class) {
            Value::Unavailable
        } else if matches!(
            number(told, CKA_KEY_TYPE),
            Some(CKK_RSA | CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)
        ) {
            // They have other attributes in its place (PKCS #11 v3.1, 6.1.2, 6.3.3).
            Value::NotAsked(0)
        } else {
            object.single(CKA_VALUE)?
        };
        told.insert(CKA_VALUE, value);
        Ok(())
    }
}

impl Class {
    fn of(class: u64) -> Self {
        let wanted = wanted(class);
        let mut attributes = vec![CKA_CLASS];
        attributes.extend(wanted.contains(&CKA_KEY_TYPE).then_some(CKA_KEY_TYPE));
        let rest = wanted.iter().filter(|attribute| {
            ![CKA_CLASS, CKA_KEY_TYPE, CKA_VALUE].contains(attribute) && !NEVER.contains(attribute)
        });
        attributes.extend(rest);
        let rooms = attributes.iter().map(|attribute| Room::usual(class, *attribute)).collect();
        Self { attributes, rooms, failed: 0 }
    }

    /// How many of the attributes say what kind of object it is.
    fn first(&self) -> usize {
        self.attributes.iter().filter(|a| [CKA_CLASS, CKA_KEY_TYPE].contains(a)).count()
    }
}

impl Habits {
    /// Takes note of what an attribute was told to be.
    fn saw(&mut self, attribute: u64, value: &Value) {
        match value {
            Value::Invalid => {
                if let Some(times) = self.invalid.entry(attribute).or_insert(Some(0)) {
                    *times += 1;
                }
            }
            // What failed or was not asked says nothing of what the object has.
            Value::Failed(_) | Value::NotAsked(_) => {}
            _ => {
                if let Some(times) = self.invalid.get_mut(&attribute) {
                    *times = None;
                }
            }
        }
    }

    /// How many objects of this kind have shown that they have no such attribute; 0 where one has it.
    fn without(&self, attribute: u64) -> u32 {
        self.invalid.get(&attribute).copied().flatten().unwrap_or_default()
    }
}

impl Batch {
    /// Whether the object is there no more.
    fn is_gone(&self) -> bool {
        self.returned == CKR_OBJECT_HANDLE_INVALID
    }

    /// Whether the module did not do what it was asked for.
    fn is_spoilt(&self) -> bool {
        !self.open.is_empty()
    }
}

impl Object<'_> {
    /// Asks for all of these at once, into rooms of theirs where there are none yet.
    fn batch(&mut self, rooms: &mut [Room], attributes: &[u64]) -> Result<Batch, Failure> {
        let mut own: Vec<Room>;
        let rooms = if rooms.is_empty() {
            own = attributes.iter().map(|attribute| Room::usual(self.class, *attribute)).collect();
            &mut own
        } else {
            rooms
        };
        let returned = self.ask(rooms)?;
        let (told, absent) = Default::default();
        let mut batch = Batch { returned, told, absent, open: Vec::new() };
        if !is_about_attributes(returned) {
            batch.open = attributes.to_vec();
            return Ok(batch);
        }
        let contents: Vec<(u64, Content)> =
            rooms.iter_mut().map(|room| (room.attribute(), room.content())).collect();
        let stopped = contents.iter().any(|(_, content)| *content == Content::Untouched);
        for (attribute, content) in contents {
            match content {
                Content::Value(value) => {
                    batch.told.insert(attribute, Value::Octets(Octets(value)));
                }
                // A length of nothing is what was there before the call as well.
                Content::Length(0) if stopped => batch.open.push(attribute),
                Content::Length(length) => {
                    batch.told.insert(attribute, of_length(length));
                }
                Content::Absent => batch.absent.push(attribute),
                Content::Untouched => batch.open.push(attribute),
            }
        }
        Ok(batch)
    }

    /// Asks for this one alone and takes note of the answer.
    fn learn(&mut self, habits: &mut Habits, attribute: u64) -> Result<Value, Failure> {
        let value = self.single(attribute)?;
        habits.saw(attribute, &value);
        Ok(value)
    }

    /// Asks for this one alone: at once in most cases, else for its length first.
    fn single(&mut self, attribute: u64) -> Result<Value, Failure> {
        let mut room = [Room::usual(self.class, attribute)];
        let returned = self.ask(&mut room)?;
        let content = room[0].content();
        match (returned, content) {
            (CKR_OK, Content::Value(value)) => return Ok(Value::Octets(Octets(value))),
            (CKR_OK, Content::Length(length)) => return Ok(of_length(length)),
            (CKR_OK | CKR_BUFFER_TOO_SMALL, _) => {}
            _ => return Ok(refused(returned)),
        }
        let mut room = [Room::with(attribute, 0, 0)];
        let length = match (self.ask(&mut room)?, room[0].content()) {
            (CKR_OK, Content::Length(length)) => length,
            (CKR_OK | CKR_BUFFER_TOO_SMALL, _) => return Ok(Value::Unavailable),
            (returned, _) => return Ok(refused(returned)),
        };
        if length > longest(self.class, attribute) {
            return Ok(Value::TooLong(length));
        }
        let capacity = usize::try_from(length).expect("not above a limit that fits");
        if capacity == 0 {
            // It had something to say a moment ago, or has never set the length.
            return Ok(Value::Unavailable);
        }
        // With other marks: a value that happens to look like the first ones is one.
        let mut room = [Room::with(attribute, capacity, 0x5A)];
        match (self.ask(&mut room)?, room[0].content()) {
            (CKR_OK, Content::Value(value)) => Ok(Value::Octets(Octets(value))),
            (CKR_OK | CKR_BUFFER_TOO_SMALL, _) => Ok(Value::Unavailable),
            (returned, _) => Ok(refused(returned)),
        }
    }

    fn ask(&mut self, rooms: &mut [Room]) -> Result<u64, Failure> {
        let returned = self.module.attribute_value(self.session, self.handle, rooms)?;
        if is_over(returned) { Err(Failure::Returned(returned)) } else { Ok(returned) }
    }
}

/// Whether the session can be used no more.
pub(crate) fn is_over(returned: u64) -> bool {
    matches!(
        returned,
        CKR_SESSION_HANDLE_INVALID
            | CKR_SESSION_CLOSED
            | CKR_DEVICE_REMOVED
            | CKR_TOKEN_NOT_PRESENT
            | CKR_CRYPTOKI_NOT_INITIALIZED
    )
}

/// After these the lengths say for each attribute what became of it (PKCS #11 v3.1, 5.7.5).
fn is_about_attributes(returned: u64) -> bool {
    matches!(
        returned,
        CKR_OK | CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID | CKR_BUFFER_TOO_SMALL
    )
}

fn refused(returned: u64) -> Value {
    match returned {
        CKR_ATTRIBUTE_TYPE_INVALID => Value::Invalid,
        CKR_ATTRIBUTE_SENSITIVE => Value::Sensitive,
        _ => Value::Failed(returned),
    }
}

/// What is said of a value of which only the length was asked for.
fn of_length(length: u64) -> Value {
    if length == 0 { Value::Octets(Octets::default()) } else { Value::TooLong(length) }
}

fn kind(class: u64, told: &BTreeMap<u64, Value>) -> Kind {
    (class, number(told, CKA_KEY_TYPE))
}

/// An attribute that is a number, in the order of octets of this machine.
fn number(told: &BTreeMap<u64, Value>, attribute: u64) -> Option<u64> {
    let Some(Value::Octets(octets)) = told.get(&attribute) else { return None };
    octets.0.as_slice().try_into().ok().map(u64::from_ne_bytes)
}

/// What was told in the order in which it is wanted, up to the limit of an object.
fn in_order(class: u64, mut told: BTreeMap<u64, Value>) -> Vec<(u64, Value)> {
    let mut left = OBJECT_OCTETS.max(LONGEST_CERTIFICATE);
    let of = |attribute: &u64| {
        let value = match told.remove(attribute).unwrap_or(Value::Unavailable) {
            Value::Octets(octets) => match left.checked_sub(octets.0.len() as u64) {
                Some(rest) => {
                    left = rest;
                    Value::Octets(octets)
                }
                None => Value::TooLong(octets.0.len() as u64),
            },
            other => other,
        };
        (*attribute, value)
    };
    wanted(class).iter().map(of).collect()
}
