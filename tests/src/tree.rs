//! Plants trees of files with certificates, keys and keystores among them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::forms::{Maker, Thing};

/// What was planted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The file.
    pub path: PathBuf,
    /// The form it has.
    pub form: &'static str,
    /// Everything that is to be found in it.
    pub things: Vec<Thing>,
}

/// What the inventory has to say of a tree: kind, digest and place without the number of the object.
pub type Manifest = BTreeSet<(String, String, String)>;

/// How large a tree is to be.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Files in all.
    pub files: usize,
    /// How many of them hold something.
    pub planted: usize,
    /// Where the numbers begin: the same seed gives the same names, sizes and places.
    pub seed: u64,
    /// Whether there are forms among them that take tools to write, and seconds.
    pub tools: bool,
}

/// What fills files that hold nothing.
const POOL: usize = 1024 * 1024;
/// Files of one folder.
const FOLDER: usize = 40;

/// Plants a tree and gives what is to be found in it and how many octets it has.
#[must_use]
pub fn plant(root: &Path, plan: Plan) -> (Vec<Planted>, u64) {
    let mut dice = Dice(plan.seed | 1);
    let noise: Vec<u8> = (0..POOL).map(|_| dice.next().to_le_bytes()[3]).collect();
    let words: Vec<u8> = noise
        .iter()
        .map(|octet| b"abcdefghijklmnopqrstuvwxyz    \n."[usize::from(octet % 32)])
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let maker = if plan.tools { Maker::new(scratch.path()) } else { Maker::without_tools() };
    let mut all = Vec::new();
    let mut total = 0;
    let mut folder = root.to_owned();
    for number in 0..plan.files {
        if number % FOLDER == 0 {
            folder = root.join(nested(number / FOLDER));
            fs::create_dir_all(&folder).unwrap();
        }
        // Spread evenly, whatever the numbers.
        let count = |number: usize| number * plan.planted / plan.files;
        let (name, content) = if count(number + 1) > count(number) {
            let form = maker.make(all.len());
            // Names say nothing about what is in a file.
            let ending = ["pem", "bin", "txt", "conf", "bak"][dice.below(5)];
            let name = format!("{number}.{ending}");
            all.push(Planted { path: folder.join(&name), form: form.name, things: form.things });
            (name, form.content)
        } else if dice.below(3) == 0 {
            (format!("{number}.dat"), dice.slice(&noise, 16_384).to_vec())
        } else {
            (format!("{number}.txt"), dice.slice(&words, 8_192).to_vec())
        };
        total += content.len() as u64;
        fs::write(folder.join(name), content).unwrap();
    }
    (all, total)
}

/// A folder by its number, four levels deep.
fn nested(number: usize) -> PathBuf {
    [number % 7, number / 7 % 11, number / 77 % 13, number / 1001]
        .iter()
        .map(|part| format!("d{part}"))
        .collect()
}

/// What is to be found in planted files.
#[must_use]
pub fn manifest(planted: &[Planted]) -> Manifest {
    let things = |plant: &Planted| {
        let file = format!("file://{}", plant.path.display());
        let thing = |thing: &Thing| {
            (thing.kind.to_owned(), thing.sha256.clone(), format!("{file}{}", thing.inside))
        };
        plant.things.iter().map(thing).collect::<Vec<_>>()
    };
    planted.iter().flat_map(things).collect()
}

/// What an inventory says was found below a folder.
#[must_use]
pub fn found(inventory: &[Value], below: &Path) -> Manifest {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let prefix = format!("file://{}/", below.display());
    let mut all = Manifest::new();
    for asset in inventory {
        for place in asset["places"].as_array().unwrap().iter().map(text) {
            if place.starts_with(&prefix) {
                let place = place.split('#').next().unwrap().to_owned();
                all.insert((text(&asset["kind"]), text(&asset["sha256"]), place));
            }
        }
    }
    all
}

/// Numbers that look random and are the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn slice<'p>(&mut self, pool: &'p [u8], most: usize) -> &'p [u8] {
        let length = 1 + self.below(most);
        let start = self.below(pool.len() - length);
        &pool[start..start + length]
    }
}
