//! Which layers the images of an archive have, by its manifests: `manifest.json` of `docker save`
//! (moby, image/spec, "Combined Image JSON + Filesystem Changeset Format") and OCI image layouts
//! (image-spec 1.1, "Image Layout", "Image Index", "Image Manifest").

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Deserialize;

/// A manifest, an index or a configuration.
pub(crate) const LONGEST_MANIFEST: u64 = 16 << 20;
/// Manifests of one archive, and layers of all of them.
const MANIFESTS: usize = 1000;
const LAYERS: usize = 20_000;
/// Images of one archive whose layers are told apart: each file is asked about in each of them.
const IMAGES: usize = 64;

/// What an archive of images holds.
#[derive(Default)]
pub(super) struct Plan {
    /// The images, each with its layers from the bottom.
    pub(super) images: Vec<Vec<usize>>,
    /// The layers, each once.
    pub(super) layers: Vec<Listed>,
    by_path: BTreeMap<String, usize>,
    /// What manifests name and the archive does not hold: how many, and the first one.
    pub(super) missing: (u64, String),
    /// There are more than are read.
    pub(super) is_cut: bool,
    /// Manifests that could not be understood.
    pub(super) wrong: Vec<(String, String)>,
    listed: usize,
    /// All that was read of the archive.
    pub(super) read: BTreeSet<String>,
}

/// A layer.
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) digest: String,
    /// The images it belongs to, and its place in them from 0.
    pub(super) uses: Vec<(usize, usize)>,
}

/// Gives the content of a small file of the archive, if it is there.
pub(super) type Fetch<'a> = dyn FnMut(&str) -> io::Result<Option<Vec<u8>>> + 'a;

#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: Option<String>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Configuration {
    rootfs: Option<Rootfs>,
}

#[derive(Deserialize)]
struct Rootfs {
    diff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Manifest {
    manifests: Option<Vec<Descriptor>>,
    layers: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Option<String>,
}

impl Plan {
    /// `resolve` follows links: `docker save` of old has one file for layers that are the same.
    pub(super) fn of(fetch: &mut Fetch<'_>, resolve: &dyn Fn(&str) -> String) -> io::Result<Self> {
        let mut plan = Self::default();
        plan.saved(fetch, resolve)?;
        plan.layout(fetch)?;
        Ok(plan)
    }

    /// `manifest.json`.
    fn saved(&mut self, fetch: &mut Fetch<'_>, resolve: &dyn Fn(&str) -> String) -> io::Result<()> {
        let Some(images) = self.json::<Vec<Saved>>("manifest.json", false, fetch)? else {
            return Ok(());
        };
        self.is_cut |= images.len() > MANIFESTS;
        for image in images.into_iter().take(MANIFESTS) {
            let layers = image.layers.unwrap_or_default();
            let config = match image.config.filter(|path| is_plain(path)) {
                Some(path) => self.json::<Configuration>(&path, true, fetch)?,
                None => None,
            };
            let ids = config.and_then(|config| config.rootfs?.diff_ids).unwrap_or_default();
            let ids = if ids.len() == layers.len() { ids } else { Vec::new() };
            let listed = layers.into_iter().enumerate().filter(|(_, path)| is_plain(path));
            let listed = listed.map(|(number, path)| {
                let digest = digest_in(&path).or_else(|| ids.get(number).cloned());
                let digest = digest.unwrap_or_else(|| path.trim_end_matches("/layer.tar").into());
                (resolve(&path), digest)
            });
            self.image(listed.collect());
        }
        Ok(())
    }

    /// `index.json` and all it leads to.
    fn layout(&mut self, fetch: &mut Fetch<'_>) -> io::Result<()> {
        let mut waiting = vec![("index.json".to_owned(), false)];
        let mut seen = BTreeSet::new();
        while let Some((path, is_promised)) = waiting.pop() {
            if seen.len() >= MANIFESTS {
                self.is_cut = true;
                break;
            }
            if !seen.insert(path.clone()) {
                continue;
            }
            let Some(manifest) = self.json::<Manifest>(&path, is_promised, fetch)? else {
                continue;
            };
            let below = manifest.manifests.into_iter().flatten().filter_map(Descriptor::path);
            waiting.extend(below.take(MANIFESTS).map(|path| (path, true)));
            if let Some(config) = manifest.config.and_then(Descriptor::path) {
                self.read.insert(config);
            }
            let layers = manifest.layers.into_iter().flatten();
            let listed = layers.filter_map(|layer| {
                let digest = layer.digest.clone()?;
                Some((layer.path()?, digest))
            });
            self.image(listed.collect());
        }
        Ok(())
    }

    fn image(&mut self, listed: Vec<(String, String)>) {
        let is_too_many = self.listed + listed.len() > LAYERS || self.images.len() >= IMAGES;
        if listed.is_empty() || is_too_many {
            self.is_cut |= !listed.is_empty();
            return;
        }
        self.listed += listed.len();
        let mut image = Vec::new();
        for (path, digest) in listed {
            let next = self.layers.len();
            let layer = *self.by_path.entry(path.clone()).or_insert(next);
            if layer == next {
                self.layers.push(Listed { path, digest, uses: Vec::new() });
            }
            image.push(layer);
        }
        // The manifest of `docker save` and the one of its layout name the same image.
        if self.images.contains(&image) {
            return;
        }
        let number = self.images.len();
        for (place, layer) in image.iter().enumerate() {
            let uses = &mut self.layers[*layer].uses;
            // A layer that comes twice has its last word at the top.
            uses.retain(|(other, _)| *other != number);
            uses.push((number, place));
        }
        self.images.push(image);
    }

    fn json<T: for<'d> Deserialize<'d>>(
        &mut self,
        path: &str,
        is_promised: bool,
        fetch: &mut Fetch<'_>,
    ) -> io::Result<Option<T>> {
        let Some(octets) = fetch(path)? else {
            if is_promised {
                self.miss(path);
            }
            return Ok(None);
        };
        match serde_json::from_slice(&octets) {
            Ok(value) => {
                self.read.insert(path.to_owned());
                Ok(Some(value))
            }
            Err(error) => {
                self.wrong.push((path.to_owned(), error.to_string()));
                Ok(None)
            }
        }
    }

    /// The layer at a path.
    pub(super) fn layer(&self, path: &[u8]) -> Option<&Listed> {
        let path = std::str::from_utf8(path).ok()?;
        self.by_path.get(path).map(|layer| &self.layers[*layer])
    }

    /// Whether there are layers where it says: other programs have files of these names, too.
    pub(super) fn names_any(&self, is_there: impl Fn(&str) -> bool) -> bool {
        self.layers.iter().any(|layer| is_there(&layer.path))
    }

    pub(super) fn miss(&mut self, path: &str) {
        if self.missing.0 == 0 {
            path.clone_into(&mut self.missing.1);
        }
        self.missing.0 += 1;
    }

    /// The layers so that each comes after all that lie above it in any image. Where images
    /// contradict each other about the order, there is none; then it is any.
    pub(super) fn top_down(&self) -> Vec<usize> {
        let mut above: Vec<usize> = vec![0; self.layers.len()];
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.layers.len()];
        for (number, image) in self.images.iter().enumerate() {
            // A layer that comes twice counts where it is highest.
            let once = image.iter().enumerate();
            let once =
                once.filter(|(at, layer)| self.layers[**layer].uses.contains(&(number, *at)));
            let once: Vec<usize> = once.map(|(_, layer)| *layer).collect();
            for pair in once.windows(2) {
                above[pair[0]] += 1;
                below[pair[1]].push(pair[0]);
            }
        }
        let mut order = Vec::new();
        let mut is_done = vec![false; self.layers.len()];
        let mut ready: Vec<usize> = (0..above.len()).filter(|layer| above[*layer] == 0).collect();
        loop {
            let next = ready.pop().or_else(|| is_done.iter().position(|done| !done));
            let Some(layer) = next else { return order };
            if std::mem::replace(&mut is_done[layer], true) {
                continue;
            }
            order.push(layer);
            for lower in std::mem::take(&mut below[layer]) {
                above[lower] -= 1;
                if above[lower] == 0 {
                    ready.push(lower);
                }
            }
        }
    }
}

impl Descriptor {
    /// Where an image layout keeps it (image-spec, "Image Layout", "Blobs").
    fn path(self) -> Option<String> {
        let digest = self.digest?;
        let (algorithm, value) = digest.split_once(':')?;
        let is_word = |word: &str| {
            let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"+._-=".contains(&octet);
            !word.is_empty() && !word.starts_with('.') && word.bytes().all(allowed)
        };
        (is_word(algorithm) && is_word(value)).then(|| format!("blobs/{algorithm}/{value}"))
    }
}

fn digest_in(path: &str) -> Option<String> {
    let (algorithm, value) = path.strip_prefix("blobs/")?.split_once('/')?;
    Some(format!("{algorithm}:{value}"))
}

/// Whether a path of a manifest stays within the archive.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && !path.split('/').any(|part| part.is_empty() || part == "." || part == "..")
}
