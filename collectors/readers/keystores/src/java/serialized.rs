//! Skips an object of Java's serialisation (Java Object Serialization Specification, 6.4): JCEKS
//! keeps symmetric keys in that form, and nothing but the object itself tells where it ends.
//!
//! Nothing is built of it.

use super::octets::Octets;

/// Objects inside of each other. A sealed key has three.
const MOST_DEPTH: usize = 16;

/// Classes and other things that later ones may refer to.
const MOST_HANDLES: usize = 4096;

/// The number of the first handle.
const FIRST_HANDLE: u32 = 0x7e_0000;

const MOST_FIELDS: u16 = 256;

/// What the fields of a class need of the stream.
#[derive(Clone, Default)]
struct Class {
    flags: u8,
    fields: Vec<Kind>,
    parent: Option<usize>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// So many octets.
    Plain(usize),
    Object,
}

#[derive(Default)]
struct Skipper {
    /// By handle: classes, and `None` for everything else.
    handles: Vec<Option<Class>>,
    /// Things skipped. An array of nothings takes one octet for each: this bounds the time, not the
    /// memory, which no skipped object takes.
    steps: usize,
}

/// Moves past one stream with one object.
pub(super) fn skip(octets: &mut Octets<'_>) -> Option<()> {
    if octets.take(4)? != [0xac, 0xed, 0, 5] {
        return None;
    }
    Skipper::default().object(octets, 0)
}

impl Skipper {
    fn handle(&mut self, class: Option<Class>) -> Option<usize> {
        if self.handles.len() == MOST_HANDLES {
            return None;
        }
        self.handles.push(class);
        Some(self.handles.len() - 1)
    }

    fn object(&mut self, octets: &mut Octets<'_>, depth: usize) -> Option<()> {
        self.steps += 1;
        if depth > MOST_DEPTH || self.steps > 100_000 {
            return None;
        }
        match octets.u8()? {
            // TC_NULL, TC_REFERENCE
            0x70 => Some(()),
            0x71 => octets.u32().map(|_| ()),
            // TC_OBJECT
            0x73 => {
                let class = self.class(octets, depth + 1)??;
                self.handle(None)?;
                self.values(octets, class, depth + 1)
            }
            // TC_STRING, TC_LONGSTRING
            0x74 => {
                self.handle(None)?;
                octets.utf().map(|_| ())
            }
            0x7c => {
                self.handle(None)?;
                let length = usize::try_from(octets.i64()?).ok()?;
                octets.take(length).map(|_| ())
            }
            0x75 => self.array(octets, depth),
            // TC_ENUM: class and name of the constant
            0x7e => {
                self.class(octets, depth + 1)?;
                self.handle(None)?;
                self.object(octets, depth + 1)
            }
            // TC_BLOCKDATA, TC_BLOCKDATALONG
            0x77 => {
                let length = octets.u8()?;
                octets.take(usize::from(length)).map(|_| ())
            }
            0x7a => octets.block().map(|_| ()),
            _ => None,
        }
    }

    /// TC_ARRAY: the name of its class says of what.
    fn array(&mut self, octets: &mut Octets<'_>, depth: usize) -> Option<()> {
        let class = self.class(octets, depth + 1)??;
        self.handle(None)?;
        let count = usize::try_from(octets.u32()?).ok()?;
        match self.handles.get(class)?.as_ref()?.fields.first()? {
            Kind::Plain(size) => octets.take(count.checked_mul(*size)?).map(|_| ()),
            Kind::Object => (0..count).try_for_each(|_| self.object(octets, depth + 1)),
        }
    }

    /// A class, or a reference to one; the inner `None` is no class.
    fn class(&mut self, octets: &mut Octets<'_>, depth: usize) -> Option<Option<usize>> {
        if depth > MOST_DEPTH {
            return None;
        }
        match octets.u8()? {
            0x70 => Some(None),
            0x71 => {
                let at = usize::try_from(octets.u32()?.checked_sub(FIRST_HANDLE)?).ok()?;
                self.handles.get(at)?.as_ref().map(|_| Some(at))
            }
            // TC_CLASSDESC
            0x72 => {
                let name = octets.utf()?;
                // A number that tells versions of the class apart.
                octets.i64()?;
                let at = self.handle(Some(Class::default()))?;
                let flags = octets.u8()?;
                let count = octets.u16().filter(|count| *count <= MOST_FIELDS)?;
                let mut fields = Vec::new();
                for _ in 0..count {
                    let code = octets.u8()?;
                    octets.utf()?;
                    let kind = kind(code)?;
                    if matches!(kind, Kind::Object) {
                        // The name of its type.
                        self.object(octets, depth + 1)?;
                    }
                    fields.push(kind);
                }
                if let [b'[', element, ..] = name {
                    fields = vec![kind(*element)?];
                }
                self.annotation(octets, depth)?;
                let parent = self.class(octets, depth + 1)?;
                *self.handles.get_mut(at)? = Some(Class { flags, fields, parent });
                Some(Some(at))
            }
            _ => None,
        }
    }

    /// Values of an object: those of its topmost class first.
    fn values(&mut self, octets: &mut Octets<'_>, class: usize, depth: usize) -> Option<()> {
        let mut line = Vec::new();
        let mut next = Some(class);
        while let Some(at) = next {
            // A class whose description refers to itself as its parent would have no end.
            if line.len() > MOST_DEPTH {
                return None;
            }
            let class = self.handles.get(at)?.clone()?;
            next = class.parent;
            line.push(class);
        }
        for class in line.into_iter().rev() {
            // SC_SERIALIZABLE; what writes itself (SC_EXTERNALIZABLE) does not tell its length.
            if class.flags & 0x02 == 0 {
                return None;
            }
            for field in class.fields {
                match field {
                    Kind::Plain(size) => octets.take(size).map(|_| ())?,
                    Kind::Object => self.object(octets, depth)?,
                }
            }
            // SC_WRITE_METHOD
            if class.flags & 0x01 != 0 {
                self.annotation(octets, depth)?;
            }
        }
        Some(())
    }

    /// Anything up to TC_ENDBLOCKDATA.
    fn annotation(&mut self, octets: &mut Octets<'_>, depth: usize) -> Option<()> {
        while octets.0.first() != Some(&0x78) {
            self.object(octets, depth + 1)?;
        }
        octets.u8().map(|_| ())
    }
}

fn kind(code: u8) -> Option<Kind> {
    Some(match code {
        b'B' | b'Z' => Kind::Plain(1),
        b'C' | b'S' => Kind::Plain(2),
        b'F' | b'I' => Kind::Plain(4),
        b'D' | b'J' => Kind::Plain(8),
        b'L' | b'[' => Kind::Object,
        _ => return None,
    })
}
