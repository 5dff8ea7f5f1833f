//! Container images: what became of the files of lower layers.

mod shared;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};

use pki_containers::{Budget, ImageFiles, Source, image_folder};
use pki_inventory::{Fate, GapReason};
use shared::{
    Everything, LIMITS, everything, file, folder, member, octal, sha256, shell, streamed, tar,
};

/// Three layers with everything that can happen to a file.
fn layers() -> Vec<Vec<u8>> {
    vec![
        tar(&[
            file("etc/kept.pem", "kept"),
            file("etc/deleted.key", "deleted"),
            file("etc/replaced.pem", "old"),
            file("opt/hidden/a.key", "hidden by an opaque folder"),
            file("opt/gone/deep/b.key", "its folder was deleted"),
            file("srv/now-a-file/c.key", "its folder became a file"),
            file("srv/now-a-folder", "it became a folder"),
            file("srv/twice.key", "first"),
        ]),
        tar(&[
            file("etc/.wh.deleted.key", ""),
            file("opt/hidden/.wh..wh..opq", ""),
            file("opt/hidden/new.key", "not hidden by its own layer"),
            file("srv/twice.key", "second"),
            file("etc/.wh.replaced.pem", ""),
            file("etc/replaced.pem", "new"),
            file(".wh..wh.aufs", ""),
        ]),
        tar(&[
            file("opt/.wh.gone", ""),
            member("srv/now-a-file", b'2', &octal(0), b""),
            folder("srv/now-a-folder/"),
            file("srv/.wh.twice.key", ""),
        ]),
    ]
}

fn expected() -> Vec<(&'static str, u32, Fate)> {
    vec![
        ("etc/deleted.key", 1, Fate::DeletedIn(2)),
        ("etc/kept.pem", 1, Fate::Kept),
        ("etc/replaced.pem", 1, Fate::ReplacedIn(2)),
        ("etc/replaced.pem", 2, Fate::Kept),
        ("opt/gone/deep/b.key", 1, Fate::DeletedIn(3)),
        ("opt/hidden/a.key", 1, Fate::DeletedIn(2)),
        ("opt/hidden/new.key", 2, Fate::Kept),
        ("srv/now-a-file/c.key", 1, Fate::DeletedIn(3)),
        ("srv/now-a-folder", 1, Fate::ReplacedIn(3)),
        ("srv/twice.key", 1, Fate::ReplacedIn(2)),
        ("srv/twice.key", 2, Fate::DeletedIn(3)),
    ]
}

fn check(all: &Everything, digests: &[String]) {
    assert_eq!(all.gaps, []);
    let mut found = Vec::new();
    for entry in &all.entries {
        let Some(layer) = &entry.layer else { continue };
        assert_eq!(layer.of, 3);
        assert_eq!(layer.digest, digests[layer.number as usize - 1]);
        found.push((entry.name.as_str(), layer.number, layer.fate));
    }
    found.sort();
    assert_eq!(found, expected());
}

fn blob(content: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", sha256(content)), content.to_vec())
}

/// An OCI layout with these layers, as packed; its files and the digests of the layers.
fn layout(layers: &[Vec<u8>]) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let mut files = BTreeMap::new();
    let mut digest = |content: &[u8]| {
        let (path, content) = blob(content);
        files.insert(path.clone(), content);
        path.replace("blobs/sha256/", "sha256:")
    };
    let digests: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    let config = digest(b"{\"config\":{\"Env\":[\"A=B\"]}}");
    let listed: Vec<String> = digests.iter().map(|d| format!("{{\"digest\":\"{d}\"}}")).collect();
    let listed = listed.join(",");
    let manifest = digest(
        format!("{{\"config\":{{\"digest\":\"{config}\"}},\"layers\":[{listed}]}}").as_bytes(),
    );
    let inner = digest(format!("{{\"manifests\":[{{\"digest\":\"{manifest}\"}}]}}").as_bytes());
    let index = format!("{{\"manifests\":[{{\"digest\":\"{inner}\"}}]}}");
    files.insert("index.json".to_owned(), index.into_bytes());
    files.insert("oci-layout".to_owned(), b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec());
    (files, digests)
}

fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let members: Vec<Vec<u8>> = files
        .iter()
        .map(|(name, content)| member(name, b'0', &octal(content.len()), content))
        .collect();
    tar(&members)
}

fn packed(octets: &[u8], tool: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("in"), octets).expect("the file");
    shell(folder.path(), &format!("{tool} < in > out"));
    fs::read(folder.path().join("out")).expect("the file")
}

#[test]
fn layouts_are_read_layer_by_layer_however_they_are_packed() {
    let plain = layers();
    let mixed = vec![packed(&plain[0], "gzip"), packed(&plain[1], "zstd -q"), plain[2].clone()];
    for layers in [plain, mixed] {
        let (files, digests) = layout(&layers);
        let archive = archive(&files);
        let all = everything(&archive);
        check(&all, &digests);
        // Manifests and configurations are entries too.
        let ordinary: Vec<_> =
            all.entries.iter().filter(|e| e.layer.is_none()).map(|e| &e.name).collect();
        let others = files
            .keys()
            .filter(|name| !digests.contains(&name.replace("blobs/sha256/", "sha256:")));
        assert_eq!(ordinary, others.collect::<Vec<_>>());
        for tool in ["gzip", "zstd -q", "xz"] {
            check(&everything(&packed(&archive, tool)), &digests);
        }
        // Read once, all files are found, and nobody can tell what became of them.
        let once = streamed(&archive, LIMITS);
        assert!(once.entries.iter().any(|e| e.name.ends_with("!/etc/deleted.key")));
    }
}

#[test]
fn archives_of_docker_save_of_old() {
    let layers = layers();
    let ids = ["1", "2", "3"].map(|n| n.repeat(64));
    let mut members = vec![member("c".repeat(64).as_str(), b'5', &octal(0), b"")];
    let digests: Vec<String> = layers.iter().map(|l| format!("sha256:{}", sha256(l))).collect();
    for (id, layer) in ids.iter().zip(&layers) {
        members.push(folder(&format!("{id}/")));
        members.push(file(&format!("{id}/VERSION"), "1.0"));
        members.push(member(&format!("{id}/layer.tar"), b'0', &octal(layer.len()), layer));
    }
    let config = format!("{{\"rootfs\":{{\"diff_ids\":[{}]}}}}", quoted(&digests));
    members.push(file(&format!("{}.json", "c".repeat(64)), &config));
    let paths: Vec<String> = ids.iter().map(|id| format!("{id}/layer.tar")).collect();
    let manifest =
        format!("[{{\"Config\":\"{}.json\",\"Layers\":[{}]}}]", "c".repeat(64), quoted(&paths));
    members.push(file("manifest.json", &manifest));
    let whole = tar(&members);
    check(&everything(&whole), &digests);
    // Cut off before its manifest it is a tar of tars, and still found.
    let cut = everything(&tar(&members[..members.len() - 1]));
    assert!(cut.entries.iter().any(|e| e.name.ends_with("layer.tar!/etc/deleted.key")));
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",")
}

#[test]
fn a_layer_of_two_images_is_read_once_and_kept_where_one_keeps_it() {
    let base = tar(&[file("a", "a"), file("b", "b")]);
    let upper = tar(&[file(".wh.a", ""), file(".wh.b", "")]);
    let other = tar(&[file(".wh.a", "")]);
    let mut files = BTreeMap::new();
    let mut paths = Vec::new();
    for layer in [&base, &upper, &other] {
        let (path, content) = blob(layer);
        files.insert(path.clone(), content);
        paths.push(path);
    }
    let list = |layers: [usize; 2]| quoted(&layers.map(|l| paths[l].clone()));
    let manifest = format!("[{{\"Layers\":[{}]}},{{\"Layers\":[{}]}}]", list([0, 1]), list([0, 2]));
    files.insert("manifest.json".to_owned(), manifest.into_bytes());
    let all = everything(&archive(&files));
    let fates: Vec<_> = all
        .entries
        .iter()
        .filter_map(|e| Some((e.name.as_str(), e.layer.as_ref()?.fate)))
        .collect();
    assert_eq!(fates, [("a", Fate::DeletedIn(2)), ("b", Fate::Kept)]);
}

#[test]
fn an_empty_layer_that_comes_twice_does_not_mix_up_the_order() {
    let empty = vec![0; 1024];
    let base = tar(&[file("a", "a")]);
    let upper = tar(&[file(".wh.a", "")]);
    let (files, _) = layout(&[base, empty.clone(), upper, empty]);
    let all = everything(&archive(&files));
    assert_eq!(all.gaps, []);
    assert_eq!(all.find("a").layer.as_ref().unwrap().fate, Fate::DeletedIn(3));
}

#[test]
fn what_is_missing_or_no_tar_is_told() {
    let (mut files, digests) = layout(&layers());
    files.remove(&digests[1].replace("sha256:", "blobs/sha256/"));
    let all = everything(&archive(&files));
    assert_eq!(all.reasons(), [GapReason::Damaged]);
    assert_eq!(all.find("etc/kept.pem").layer.as_ref().unwrap().number, 1);
    let (files, digests) = layout(&[b"a signature, no tar".to_vec()]);
    let all = everything(&archive(&files));
    assert_eq!(all.gaps, []);
    let path = digests[0].replace("sha256:", "blobs/sha256/");
    assert_eq!(all.find(&path).sha256, sha256(b"a signature, no tar"));
}

#[test]
fn a_damaged_layer_leaves_the_others() {
    let mut layers = layers();
    layers[1] = packed(&layers[1], "gzip");
    let half = layers[1].len() / 2;
    layers[1].truncate(half);
    let (files, _) = layout(&layers);
    let all = everything(&archive(&files));
    assert_eq!(all.reasons(), [GapReason::Damaged]);
    all.find("etc/kept.pem");
}

struct Folder(BTreeMap<String, Vec<u8>>);

impl ImageFiles for Folder {
    fn open(&mut self, path: &str) -> io::Result<Option<Box<dyn Source + '_>>> {
        assert!(!path.contains(".."), "the path stays in the folder");
        let source = |octets: &Vec<u8>| Box::new(Cursor::new(octets.clone())) as Box<dyn Source>;
        Ok(self.0.get(path).map(source))
    }
}

#[test]
fn a_layout_in_a_folder() {
    let (mut files, digests) = layout(&layers());
    files.insert("blobs/sha256/stray".to_owned(), b"stray".to_vec());
    let mut all = Everything::default();
    let read = image_folder(&mut Folder(files.clone()), &mut Budget::new(LIMITS), &mut all);
    check(&all, &digests);
    let others: Vec<_> = files.keys().filter(|path| !read.contains(*path)).collect();
    assert_eq!(others, ["blobs/sha256/stray", "oci-layout"]);
}

#[test]
fn a_file_that_is_named_and_not_there_is_not_said_to_be_read() {
    let (mut files, _) = layout(&layers());
    let config = format!("blobs/sha256/{}", sha256(b"{\"config\":{\"Env\":[\"A=B\"]}}"));
    assert!(files.remove(&config).is_some());
    let mut all = Everything::default();
    let read = image_folder(&mut Folder(files), &mut Budget::new(LIMITS), &mut all);
    assert!(!read.contains(&config));
    assert!(!all.names().contains(&config.as_str()));
}

#[test]
fn paths_that_lead_out_are_not_followed() {
    let files = BTreeMap::from([
        (
            "index.json".to_owned(),
            b"{\"manifests\":[{\"digest\":\"sha256:../../x\"},{\"digest\":\"..:a\"}]}".to_vec(),
        ),
        (
            "manifest.json".to_owned(),
            b"[{\"Config\":\"../c\",\"Layers\":[\"../l\",\"/l\"]}]".to_vec(),
        ),
    ]);
    let mut all = Everything::default();
    image_folder(&mut Folder(files), &mut Budget::new(LIMITS), &mut all);
    assert_eq!(all.names(), ["index.json", "manifest.json"]);
}

#[test]
fn a_large_image_that_is_compressed_is_read_whole() {
    let noise = packed(b"", "head -c 20M /dev/urandom");
    let base = tar(&[member("noise", b'0', &octal(noise.len()), &noise), file("a", "a")]);
    let (files, _) = layout(&[packed(&base, "gzip -1"), tar(&[file(".wh.a", "")])]);
    let all = everything(&packed(&archive(&files), "gzip -1"));
    assert_eq!(all.gaps, []);
    assert_eq!(all.find("a").layer.as_ref().unwrap().fate, Fate::DeletedIn(2));
    assert_eq!(all.find("noise").octets, 20 << 20);
}

/// Jib names neither its configuration nor its layers by a digest alone, other programs do not at
/// all: it is `manifest.json` that makes an image of a tar.
#[test]
fn an_image_is_known_by_its_manifest_whatever_its_files_are_called() {
    let layers = layers();
    let manifest =
        "[{\"Config\":\"config.json\",\"Layers\":[\"base.tar\",\"libs.tar\",\"top.tar\"]}]";
    let archive = tar(&[
        file("config.json", "{}"),
        member("base.tar", b'0', &octal(layers[0].len()), &layers[0]),
        member("libs.tar", b'0', &octal(layers[1].len()), &layers[1]),
        member("top.tar", b'0', &octal(layers[2].len()), &layers[2]),
        file("manifest.json", manifest),
    ]);
    for archive in [archive.clone(), packed(&archive, "gzip")] {
        check(&everything(&archive), &["base.tar", "libs.tar", "top.tar"].map(str::to_owned));
    }
    // Names alone make none: these layers are not there.
    let other = tar(&[file("manifest.json", manifest), file("x", "x")]);
    for archive in [other.clone(), packed(&other, "gzip")] {
        let all = everything(&archive);
        assert_eq!((all.names(), all.gaps.len()), (vec!["manifest.json", "x"], 0));
    }
}
