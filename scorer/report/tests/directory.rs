//! What directories and authorities' records hold, in every output: authorities, templates,
//! objects, records, and the hierarchy.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use pki_inventory::{Asset, AssetId, Body, Digest, Inventory, Kind, View};
use pki_report::{
    FORMATS, cas, inventory_jsonl, json_line, list_line, seen_line, templates, why_asset,
};
use sample::{HOSTILE, NOW, Sample};
use serde_json::{Value, json};

const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";

/// What acts instead of showing: escapes, other controls, changes of direction.
fn acts(c: char) -> bool {
    c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn render(name: &str, sample: &Sample) -> String {
    let format = FORMATS.iter().find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("{name} is no format"));
    let mut out = Vec::new();
    (format.render)(&sample.document(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"))
}

/// By the first parts of its distinguished name, or of its place.
fn of<'s>(sample: &'s Sample, kind: Kind, dn: &str) -> &'s Asset {
    let place = sample::directory::place(&format!("{dn},{SERVICES}"));
    let outside = sample::directory::place(dn);
    let mut assets = sample.inventory.assets().filter(|asset| asset.id.kind == kind);
    let found = assets.find(|asset| {
        asset.places().map(ToString::to_string).any(|at| at == place || at == outside || at == dn)
    });
    found.unwrap_or_else(|| panic!("no {kind} at {dn}"))
}

fn facts(sample: &Sample, kind: Kind, dn: &str) -> Value {
    inventory_jsonl(of(sample, kind, dn), &View::of(&sample.inventory))["facts"].clone()
}

const WEB: &str = "CN=WebServer2,CN=Certificate Templates";
const OLD: &str = "CN=WebServer,CN=Certificate Templates";
const VPN: &str = "CN=VPN,CN=Certificate Templates";
const ISSUING: &str = "CN=Example Issuing CA 1,CN=Enrollment Services";
const LAB: &str = "CN=Lab CA 1,CN=Enrollment Services";
const ACCOUNT: &str = "CN=jdoe,CN=Users,DC=corp,DC=example";
const RECORD: &str = "file:///srv/ca/issued.csv#1";
const WAITING: &str = "file:///srv/ca/issued.csv#2";

#[test]
fn why_says_everything_of_a_template() {
    let sample = sample::sample();
    let why = |kind, dn| {
        let text = why_asset(&sample.document(), of(&sample, kind, dn).id).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let id = |kind, dn| of(&sample, kind, dn).id.to_string();
    let www = AssetId::new(Kind::Certificate, Digest::of(b"www.example.org"));
    let recorded = why_asset(&sample.document(), www).unwrap_or_default();
    let recorded = recorded.split_whitespace().collect::<Vec<_>>().join(" ");
    let (web, vpn) = (why(Kind::Template, WEB), why(Kind::Template, VPN));
    let issuing = why(Kind::Authority, ISSUING);
    let published = format!("publishes {} WebServer2", id(Kind::Template, WEB));
    let by = format!("published by {} Example Issuing CA 1", id(Kind::Authority, ISSUING));
    let successor = format!("superseded by {} WebServer2", id(Kind::Template, WEB));
    let supersedes = format!("supersedes {} WebServer", id(Kind::Template, OLD));
    for (text, said) in [
        (&web, by.as_str()),
        (&web, &supersedes),
        (&web, "usages serverAuth (1.3.6.1.5.5.7.3.1) clientAuth (1.3.6.1.5.5.7.3.2) 1.2.3.4"),
        (&web, "key usage digitalSignature keyEncipherment"),
        (&web, "subject whoever enrols supplies the subject"),
        (&web, "key flags the key is exportable by providers of the old interface"),
        (&web, "server-version 5 client-version 5"),
        (&web, "validity 2 years renewal 6 weeks before the end"),
        (&web, "may enrol Web Enrolment (S-1-5-21-1004336348-1177238915-682003330-1604), reaches"),
        (&web, "reaches ordinary users and computers, through Web Enrolment > All Staff > "),
        (&web, "412 accounts in it Enterprise Admins (S-1-5-21"),
        (&web, "may auto-enrol PKI Operators (S-1-5-21-1004336348-1177238915-682003330-1711)"),
        (&web, "particular, 3 accounts in it: write the access list"),
        (&web, "412 accounts in it: write msPKI-Certificate-Name-Flag"),
        (&web, "owner Enterprise Admins, S-1-5-21-1004336348-1177238915-682003330-519, privileged"),
        (
            &vpn,
            "approval a manager approves each request 1 agent signs, for certificateRequestAgent",
        ),
        (
            &vpn,
            "High assurance, makes its holders members of VPN Admins, not privileged by default",
        ),
        (&vpn, "denied Anonymous Logon (S-1-5-7)"),
        (&vpn, "could not be told the members of S-1-5-21-7-8-9-1199 were not read"),
        (&vpn, "certificates do not name the account's security identifier"),
        (&why(Kind::Template, OLD), &successor),
        (&why(Kind::Template, OLD), "published by no authority"),
        (&why(Kind::Template, OLD), "schema 1, revision 100.4"),
        (&why(Kind::Template, OLD), "who may what not read"),
        (&issuing, "Gone: no template of that name was read"),
        (&issuing, &published),
        (&issuing, "Example Issuing CA 1, until 2034-04-13"),
        (&issuing, "records 2 requests"),
        (&issuing, "it knows who asks from Windows templates of version 2 and later"),
        (&why(Kind::Authority, LAB), "Lab CA 1, expired 2026-11-18"),
        (&why(Kind::Authority, LAB), "not in the inventory"),
        (&why(Kind::DirectoryObject, "CN=NTAuthCertificates"), "may take it over PKI Operators"),
        (&why(Kind::DirectoryObject, ACCOUNT), "by mail address, weak: X509:<RFC822>"),
        (&why(Kind::DirectoryObject, ACCOUNT), "administers yes"),
        (&why(Kind::Issuance, RECORD), "came to revoked serial f3a requester CORP\\svc-web"),
        (&why(Kind::Issuance, WAITING), "VPN common name"),
        (&recorded, "recorded as issuance:"),
        (
            &why(
                Kind::RevocationList,
                &format!(
                    "{}#1",
                    sample::directory::place(&format!("CN=Lab CA 1,CN=lab,CN=CDP,{SERVICES}"))
                ),
            ),
            "in directory as directory-object:",
        ),
    ] {
        assert!(text.contains(said), "{said}\nin {text}");
    }
}

#[test]
fn the_export_has_flags_by_name_rights_and_joins() {
    let sample = sample::sample();
    let web = facts(&sample, Kind::Template, WEB);
    let id = |kind, dn| of(&sample, kind, dn).id.to_string();
    assert_eq!(web["name_flags"]["bits"], 1);
    assert_eq!(web["name_flags"]["names"], json!(["CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT"]));
    assert_eq!(web["extended_key_usage"][1]["name"], "clientAuth");
    assert_eq!(web["extended_key_usage"][2], json!({ "oid": "1.2.3.4", "name": null }));
    assert_eq!(web["key_usage"]["octets"], "a000");
    assert_eq!(web["publishers"], json!([id(Kind::Authority, ISSUING)]));
    assert_eq!(
        web["access"][0],
        json!({
            "right": "enrol",
            "property": null,
            "trustee": "Web Enrolment",
            "sid": "S-1-5-21-1004336348-1177238915-682003330-1604",
            "standing": "ordinary",
            "reaches": ["users", "computers"],
            "through": ["Web Enrolment", "All Staff", HOSTILE],
            "members": 412,
        })
    );
    assert_eq!(web["access"][2]["property"], "msPKI-Certificate-Name-Flag");
    let old = facts(&sample, Kind::Template, OLD);
    assert_eq!((&old["access"], &old["owner"]), (&Value::Null, &Value::Null), "it was not read");
    assert_eq!(old["successors"], json!([id(Kind::Template, WEB)]));
    let issuing = facts(&sample, Kind::Authority, ISSUING);
    assert_eq!(issuing["published"].as_array().map(Vec::len), Some(2), "one is gone");
    assert_eq!(issuing["certificate_facts"][0]["not_after"], "2034-04-13T00:00:00Z");
    let lab = facts(&sample, Kind::Authority, LAB);
    let known = (lab["certificates"].as_array(), lab["certificate_facts"].as_array());
    assert_eq!((known.0.map(Vec::len), known.1.map(Vec::len)), (Some(2), Some(1)));
    let account = facts(&sample, Kind::DirectoryObject, ACCOUNT);
    assert_eq!(account["mappings"][1]["weak"], true);
    assert_eq!(account["mappings"][0]["form"], "issuer-and-serial");
    let waiting = facts(&sample, Kind::Issuance, WAITING);
    assert_eq!((&waiting["disposition"], &waiting["serial"]), (&"other".into(), &Value::Null));
    assert_eq!(waiting["disposition_written"], HOSTILE);
}

#[test]
fn a_line_of_a_scan_leaves_out_what_the_rest_decides() {
    let sample = sample::sample();
    for (kind, dn, kept, left_out) in [
        (Kind::Template, WEB, "access", "publishers"),
        (Kind::Template, WEB, "supersedes", "successors"),
        (Kind::Authority, ISSUING, "templates", "published"),
        (Kind::Authority, ISSUING, "certificates", "certificate_facts"),
    ] {
        let line = seen_line(of(&sample, kind, dn), &[]);
        assert!(line["facts"].get(kept).is_some(), "{kept} in {line}");
        assert!(line["facts"].get(left_out).is_none(), "{left_out} in {line}");
    }
}

#[test]
fn the_json_document_holds_them_as_its_schema_says() {
    let sample = sample::sample();
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let count = |key: &str| document[key].as_array().map(Vec::len);
    assert_eq!(count("authorities"), Some(2));
    assert_eq!(count("templates"), Some(3));
    assert_eq!(count("directory_objects"), Some(4));
    let records = &document["issuances"];
    assert_eq!(records["dispositions"], json!({ "other": 1, "revoked": 1 }));
    assert_eq!((&records["count"], &records["not_listed"]), (&2.into(), &0.into()));
    let schema = include_str!("../schema/assessment-1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"));
    let problems: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for path in [
        "/authorities/0/facts/flags",
        "/templates/0/facts/name_flags/bits",
        "/templates/0/facts/access",
        "/directory_objects/0/facts/role",
        "/issuances/listed/0/facts/disposition",
    ] {
        let mut broken = document.clone();
        let fact = broken.pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
        *fact = "no such thing".into();
        assert!(!validator.is_valid(&broken), "{path}");
    }
}

#[test]
fn only_the_first_of_many_records_are_in_the_json_document() {
    let mut sample = sample::sample();
    let one = of(&sample, Kind::Issuance, RECORD).clone();
    let Body::Issuance(record) = one.body else { panic!("a record") };
    for number in 0..1_200 {
        let record =
            pki_inventory::Issuance { serial: Some(format!("a{number}")), ..*record.clone() };
        let id = AssetId::new(Kind::Issuance, record.digest());
        let body = Body::Issuance(Box::new(record));
        sample.inventory.add(Asset::new(id, body));
    }
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let records = &document["issuances"];
    assert_eq!(records["listed"].as_array().map(Vec::len), Some(1_000));
    assert_eq!((&records["count"], &records["not_listed"]), (&1_202.into(), &202.into()));
}

#[test]
fn the_list_tells_each_in_columns() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    for (kind, dn, columns) in [
        (
            Kind::Authority,
            ISSUING,
            &[
                "Example Issuing CA 1  ",
                "ca1.corp.example  ",
                "until 2034-04-13  ",
                "3 templates  ",
            ][..],
        ),
        (
            Kind::Template,
            WEB,
            &[
                "WebServer2  ",
                "published by 1  ",
                "serverAuth, clientAuth, 1.2.3.4  ",
                "enrol: ordinary users and computers, 1 more",
            ],
        ),
        (Kind::Template, OLD, &["not published  ", "enrol: not read  "]),
        (Kind::DirectoryObject, "CN=NTAuthCertificates", &["logon-store  ", "2 certificates  "]),
        (Kind::DirectoryObject, ACCOUNT, &["account  ", "jdoe  ", "2 mappings  "]),
        (
            Kind::Issuance,
            RECORD,
            &["revoked   www.example.org  ", "CORP\\svc-web  ", "until 2027-03-21"],
        ),
    ] {
        let line = list_line(of(&sample, kind, dn), &view);
        assert!(columns.iter().all(|column| line.contains(column)), "{columns:?} in {line}");
        assert!(!line.contains(acts), "{line}");
    }
}

#[test]
fn the_page_shows_them_and_draws_the_hierarchy() {
    let html = render("html", &sample::sample());
    for said in [
        "Authorities (2)",
        "Certificate templates (3)",
        "Directory objects (4)",
        "Records of authorities (2)",
        "Gone: no template of that name was read",
        "superseded by WebServer2",
        "Web Enrolment (ordinary users and computers)",
        "whoever enrols supplies the subject",
        "by mail address, weak: X509:&#60;RFC822&#62;&#60;script&#62;",
        "Lab CA 1, expired 2026-11-18",
        "<section id=\"hierarchy\">",
        "Example Issuing CA 1, below Example Root CA, until 2034-04-13.",
        "Lab CA 1, at the top, expired 2026-11-18.",
        "revocation list overdue since 2026-10-19",
        "Expired 2026-11-18",
        "class=\"node ended\"",
    ] {
        assert!(html.contains(said), "{said}");
    }
    let empty = render("html", &sample::empty());
    assert!(!empty.contains("id=\"hierarchy\""), "there is none to draw");
}

#[test]
fn the_tables_for_a_terminal_fit_and_say_who_may() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    let (cas, templates) = (cas(&sample.inventory, &view, NOW), templates(&view));
    for text in [&cas, &templates] {
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert!(!text.contains(|c| acts(c) && c != '\n'), "{text}");
    }
    for said in [
        "Authorities in directories: 2",
        "Example Issuing CA 1            ca1.corp.example              until 2034-04-13      3",
        "publishes     Gone: no template of that name was read",
        "enrol         Web Enrolment (ordinary users and computers), 1 privileged",
        "Asked for in directories and not read: 1 place.",
        "Example Root CA  RSA-2048  until 2041-09-",
        "  └─ Example Issuing CA 1  RSA-2048  until 2034-04-13",
        "issued 16 certificates here; revocation list until 2026-11-26",
        "Lab CA 1  RSA-2048  expired 2026-11-18",
        "self-signed; issued nothing here; revocation list overdue since 2026-10-19",
    ] {
        assert!(cas.contains(said), "{said} in\n{cas}");
    }
    for said in [
        "Certificate templates: 3, of them published: 2",
        "usages        serverAuth, clientAuth, 1.2.3.4",
        "WebServer2                            2       enrollee   none      1024   exportable  2 years",
        "directory  manager   2048   stays",
        "published by  no authority",
        "take over     Web Enrolment (ordinary users and computers), PKI Operators",
    ] {
        assert!(templates.contains(said), "{said} in\n{templates}");
    }
    let at = |name: &str| templates.find(name).unwrap_or_else(|| panic!("{name}"));
    assert!(
        at("VPN ") < at("WebServer2 ") && at("WebServer2 ") < at("WebServer "),
        "published first"
    );
}

/// CA certificates after the pattern of the sample's: `name<issuer`.
fn authorities(names: impl IntoIterator<Item = (String, String)>) -> Sample {
    let mut sample = sample::empty();
    let full = sample::sample();
    let lab = full.inventory.assets().filter_map(Asset::certificate);
    let lab = lab.filter(|one| one.is_authority()).find(|one| one.display_name() == "Lab CA 1");
    let lab = lab.unwrap_or_else(|| panic!("the lab's")).clone();
    for (name, issuer) in names {
        let mut one = lab.clone();
        one.der = format!("{name}<{issuer}").into_bytes();
        for (name, text) in [(&mut one.subject, &name), (&mut one.issuer, &issuer)] {
            name.sha256 = Digest::of(text.as_bytes());
            name.common_name = Some(text.clone());
        }
        let id = AssetId::new(Kind::Certificate, one.digest());
        sample.inventory.add(Asset::new(id, Body::Certificate(Box::new(one))));
    }
    sample
}

#[test]
fn branches_hang_on_their_stems() {
    let names = ["R<R", "A<R", "B<R", "A1<A", "A2<A", "B1<B", "C<Gone", "D<C"];
    let names = names.map(|text| text.split_once('<').unwrap_or_default());
    let sample = authorities(names.map(|(name, above)| (name.to_owned(), above.to_owned())));
    let view = View::of(&sample.inventory);
    let text = cas(&sample.inventory, &view, NOW);
    let tree: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("  C ")).collect();
    let names = |line: &&str| line.split("  RSA").next().unwrap_or_default().to_owned();
    let names: Vec<String> = tree.iter().step_by(2).map(names).collect();
    assert_eq!(
        names,
        ["  C", "  └─ D", "  R", "  ├─ A", "  │  ├─ A1", "  │  └─ A2", "  └─ B", "     └─ B1",],
        "{text}"
    );
    assert!(tree[1].starts_with("  │ ") && tree[1].contains("its issuer was not seen"), "{text}");
    assert!(tree[7].starts_with("  │  │ ") && tree[11].starts_with("  │    "), "{text}");
}

#[test]
fn a_deep_or_wide_hierarchy_is_bounded_and_says_what_is_not_drawn() {
    let chain = (0..400).map(|at| (format!("N{:03}", at + 1), format!("N{at:03}")));
    let wide = (0..1_200).map(|at| (format!("W{at:04}"), "N001".to_owned()));
    let sample = authorities(chain.chain(wide));
    let view = View::of(&sample.inventory);
    let text = cas(&sample.inventory, &view, NOW);
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    assert!(text.contains("(level 400) N400"), "the text has all");
    let html = render("html", &sample);
    assert_eq!(html.matches("class=\"node ended\"").count(), 1_000);
    assert!(html.contains("600 more of 1600 are not drawn"));
    assert!(html.len() < 6_000_000, "{}", html.len());
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let inventory = Inventory::default();
    let view = View::of(&inventory);
    assert!(cas(&inventory, &view, NOW).contains("No directory that was read registers one."));
    assert!(cas(&inventory, &view, NOW).contains("No CA certificate was seen"));
    assert!(templates(&view).contains("No directory that was read has one."));
}

#[test]
fn what_strangers_wrote_acts_nowhere() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    for (kind, dn) in [(Kind::DirectoryObject, ACCOUNT), (Kind::Issuance, WAITING)] {
        let asset = of(&sample, kind, dn);
        let line = json_line(&inventory_jsonl(asset, &view));
        assert!(line.contains("alert(1)"), "it is there");
        assert!(!line.contains(acts), "{line}");
        let why = why_asset(&sample.document(), asset.id).unwrap_or_default();
        assert!(!why.contains(|c| acts(c) && c != '\n'), "{why:?}");
    }
}
