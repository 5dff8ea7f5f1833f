//! Records as lines of JSON, written the moment they are made, before they are kept in the store:
//! after a kill a line may be there twice, and none is missing.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use anyhow::Context as _;
use pki_inventory::{Asset, Coverage, Gap, Kind, Place, Sighting};
use serde_json::Value;

/// Where the lines go.
pub struct Stream {
    out: Box<dyn Write>,
    /// What servers presented whose own record is still to come.
    chains: BTreeMap<Place, Vec<Asset>>,
}

/// Stands for standard output where a file is asked for.
pub const STANDARD: &str = "-";

impl Stream {
    /// Opens a file, or standard output for `-`. A run that is gone on with adds to what is there.
    pub fn open(path: &Path, goes_on: bool) -> anyhow::Result<Self> {
        if path.as_os_str() == STANDARD {
            return Ok(Self::to(io::stdout()));
        }
        let opened = if goes_on { reopen(path) } else { std::fs::File::create(path) };
        Ok(Self::to(opened.with_context(|| format!("could not write {}", path.display()))?))
    }

    /// Writes to this.
    pub fn to(out: impl Write + 'static) -> Self {
        Self { out: Box::new(out), chains: BTreeMap::new() }
    }

    /// Whether lines there and a moving progress line would run into each other.
    pub fn is_on_terminal(path: &Path) -> bool {
        path.as_os_str() == STANDARD && io::stdout().is_terminal()
    }

    /// An asset was seen.
    pub fn seen(&mut self, asset: &Asset) -> io::Result<()> {
        // A directory shows its certificate too, and no record of the server comes after it.
        let by_server = |seen: &&Sighting| seen.place.is_network() && seen.collector != "directory";
        let at = asset.sightings().next().filter(by_server).map(|sighting| &sighting.place);
        let mut chain = Vec::new();
        if let Some(at) = at {
            match asset.id.kind {
                Kind::Endpoint => chain = self.chains.remove(at).unwrap_or_default(),
                _ => self.chains.entry(at.clone()).or_default().push(asset.clone()),
            }
        }
        self.line(&pki_report::seen_line(asset, &chain))
    }

    /// A place was not read.
    pub fn missed(&mut self, gap: &Gap) -> io::Result<()> {
        self.chains.remove(&gap.place);
        self.line(&pki_report::gap_line(gap))
    }

    /// A scope is done with.
    pub fn covered(&mut self, collector: &str, scope: &str, coverage: &Coverage) -> io::Result<()> {
        self.line(&pki_report::coverage_line(collector, scope, coverage))
    }

    /// One write a line: whoever reads along never sees half of one for long.
    fn line(&mut self, value: &Value) -> io::Result<()> {
        let mut line = pki_report::json_line(value);
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }
}

/// Opens a file to add to it, behind its last whole line: the run before may have been killed in
/// the middle of one.
fn reopen(path: &Path) -> io::Result<std::fs::File> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    const BLOCK: u64 = 4096;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let begin = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(begin))?;
        let mut block = Vec::new();
        (&file).take(end - begin).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|octet| *octet == b'\n') {
            end = begin + at as u64 + 1;
            break;
        }
        end = begin;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use pki_inventory::{
        ClientCertificate, Digest, Endpoint, GapReason, Handshake, Raw, Session, Time,
    };

    use super::*;
    use crate::intake::Intake;

    #[derive(Clone, Default)]
    struct Kept(Rc<RefCell<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn at(place: &str, position: Option<u16>) -> Sighting {
        let mut sighting = Sighting::at(place.parse().expect("a place"), "tls", Time(0));
        sighting.circumstances.chain_position = position;
        sighting
    }

    fn shown(chain: &[&[u8]]) -> Raw {
        let session = Session {
            version: Some("TLSv1.3".to_owned()),
            cipher_suite: None,
            group: None,
            offered_groups: Vec::new(),
            alpn: None,
            staple: None,
            sct_logs: Vec::new(),
            client_certificate: ClientCertificate::NotAsked,
            accepted_authorities: Vec::new(),
            chain: chain.iter().map(|der| Digest::of(der)).collect(),
            ended: None,
        };
        Raw::Endpoint(Endpoint::new(Time(0), Handshake::Shown(session)))
    }

    #[test]
    fn an_endpoint_comes_with_its_chain_in_its_order_whatever_comes_in_between() {
        let kept = Kept::default();
        let (mut stream, mut intake) = (Stream::to(kept.clone()), Intake::default());
        let (here, there) = ("tls://192.0.2.1:443", "tls://192.0.2.2:443");
        let certificate = |der: &[u8]| Raw::Certificate(der.to_vec());
        for (raw, sighting) in [
            (certificate(b"b"), at(here, Some(1))),
            (certificate(b"c"), at(there, Some(0))),
            (certificate(b"a"), at(here, Some(0))),
            (shown(&[b"a", b"b"]), at(here, None)),
            (shown(&[b"c", b"lost"]), at(there, None)),
        ] {
            let asset = intake.take(raw, sighting).expect("an asset");
            stream.seen(&asset).expect("writes");
        }
        assert!(stream.chains.is_empty(), "nothing is held that no line needs any more");
        let text = String::from_utf8(kept.0.borrow().clone()).expect("text");
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 5);
        for (line, place, chain) in
            [(&lines[3], here, [&b"a"[..], b"b"]), (&lines[4], there, [b"c", b"lost"])]
        {
            assert_eq!(
                (line["kind"].as_str(), line["places"][0].as_str()),
                (Some("endpoint"), Some(place))
            );
            let told = line["certificates"].as_array().expect("a list");
            let digests: Vec<&str> = told.iter().filter_map(|c| c["sha256"].as_str()).collect();
            assert_eq!(digests, chain.map(|der| Digest::of(der).to_string()));
        }
        assert_eq!(lines[3]["certificates"][0]["claimed"], "certificate");
        assert_eq!(lines[4]["certificates"][1].as_object().map(serde_json::Map::len), Some(1));
    }

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        let kept = Kept::default();
        let gap = Gap {
            place: Place::Scope("a".to_owned()),
            collector: "filesystem".to_owned(),
            reason: GapReason::CollectorFailed,
            detail: "left\u{202e}right\u{9b}1m".to_owned(),
            first_seen: Time(0),
            last_seen: Time(0),
        };
        Stream::to(kept.clone()).missed(&gap).expect("writes");
        let line = String::from_utf8(kept.0.borrow().clone()).expect("text");
        assert!(!line.trim_end().contains(['\u{202e}', '\u{9b}']), "{line:?}");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["detail"], gap.detail.as_str());
    }

    #[test]
    fn a_place_that_was_not_read_after_all_leaves_nothing_behind() {
        let mut stream = Stream::to(io::sink());
        let mut of_directory = at("tls://192.0.2.1:636", Some(0));
        of_directory.collector = "directory".to_owned();
        let asset = Intake::default().take(Raw::Certificate(vec![2]), of_directory);
        stream.seen(&asset.expect("an asset")).expect("writes");
        assert!(stream.chains.is_empty(), "no record of the server comes after it");
        let sighting = at("tls://192.0.2.1:443", Some(0));
        let place = sighting.place.clone();
        let asset = Intake::default().take(Raw::Certificate(vec![1]), sighting).expect("an asset");
        stream.seen(&asset).expect("writes");
        assert_eq!(stream.chains.len(), 1);
        let gap = Gap {
            place,
            collector: "tls".to_owned(),
            reason: GapReason::RunEnded,
            detail: String::new(),
            first_seen: Time(0),
            last_seen: Time(0),
        };
        stream.missed(&gap).expect("writes");
        assert!(stream.chains.is_empty());
    }

    #[test]
    fn a_run_that_goes_on_adds_behind_the_last_whole_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.jsonl");
        let long = "x".repeat(9000);
        for (before, after) in [
            (String::new(), String::new()),
            ("a\nb\n".to_owned(), "a\nb\n".to_owned()),
            ("a\nhalf".to_owned(), "a\n".to_owned()),
            (format!("a\n{long}"), "a\n".to_owned()),
            (long, String::new()),
        ] {
            std::fs::write(&path, before).expect("writes");
            let mut stream = Stream::open(&path, true).expect("opens");
            stream.line(&Value::Bool(true)).expect("writes");
            assert_eq!(std::fs::read_to_string(&path).expect("reads"), format!("{after}true\n"));
        }
        drop(Stream::open(&path, false).expect("opens"));
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "", "a new run begins anew");
    }
}
