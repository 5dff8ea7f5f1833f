//! What an authority's database says of what it issued, exported by `certutil`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Issued, Order, openssl, path};
use pkimm_tests::facts;
use serde_json::{Value, json};

use crate::AS_OF;

/// Two certificates that the database knows, and one that it does not; all are in use here.
struct Lab {
    home: Home,
    known: [Issued; 2],
    unknown: Issued,
}

impl Lab {
    fn new() -> Self {
        let home = Home::new();
        let root = Authority::root(home.path(), "Lab Root");
        let issuing = root.subordinate("Lab Issuing");
        let issue = |name: &str| issuing.issue(&Order::server(name));
        let lab = Self {
            known: [issue("one.lab.test"), issue("two.lab.test")],
            unknown: issue("unknown.lab.test"),
            home,
        };
        // With their keys they are this machine's own.
        for (name, issued) in
            [("one", &lab.known[0]), ("two", &lab.known[1]), ("other", &lab.unknown)]
        {
            let pem = [fs::read(&issued.certificate).unwrap(), fs::read(&issued.key).unwrap()];
            lab.home.write(&format!("tree/{name}.pem"), pem.concat());
        }
        lab
    }

    fn scan(&self, export: &[u8]) -> Vec<Value> {
        let file = self.home.write("records", export);
        let text = format!(
            "[filesystem]\nroots = [{:?}]\n[[directory.records]]\npath = {:?}\n\
             authority = \"Lab Issuing\"\n",
            path(&self.home.path().join("tree")),
            path(&file)
        );
        self.home.write("pkimm-agent.toml", text);
        let scan = self.home.agent(&["scan", "--as-of", AS_OF]).expect_code(0);
        assert_eq!(self.home.gaps(), Vec::<Value>::new(), "{}", scan.stderr);
        self.home.inventory()
    }

    /// What the database is known to hold, whatever the form of the export.
    fn check(&self, inventory: &[Value], disposition: &str, unknown: &str) {
        let records = facts::of_kind(inventory, "issuance");
        assert_eq!(records.len(), 3, "two certificates and a refusal: {records:#?}");
        for (number, issued) in [(5, &self.known[0]), (6, &self.known[1])] {
            let record = records.iter().find(|record| record["facts"]["request"] == number);
            let record = record.unwrap_or_else(|| panic!("no request {number} in {records:#?}"));
            let expected = json!({
                "authority": "Lab Issuing",
                "disposition": if number == 5 { "issued" } else { disposition },
                "serial": serial(issued).trim_start_matches('0'),
                "requester": "CORP\\reader",
                "template": "Ordinary",
            });
            facts::assert_facts("a record", &record["facts"], &expected);
        }
        let refused = records.iter().find(|record| record["facts"]["request"] == 7).unwrap();
        facts::assert_facts("a refusal", &refused["facts"], &json!({"disposition": "denied"}));

        let findings = self.home.findings(AS_OF);
        let of = |outcome: &str| -> BTreeSet<&str> {
            let rule = "cert.unknown-to-issuer-records";
            let found = findings.iter().filter(|f| f["rule"] == rule && f["outcome"] == outcome);
            found.map(|finding| finding["asset"].as_str().unwrap()).collect()
        };
        let id = |issued: &Issued| {
            let asset = facts::with_digest(inventory, "certificate", &issued.sha256());
            asset["id"].as_str().unwrap()
        };
        assert_eq!(of(unknown), BTreeSet::from([id(&self.unknown)]));
        assert_eq!(of("met"), self.known.iter().map(id).collect());
    }
}

fn serial(issued: &Issued) -> String {
    let told = openssl(&["x509", "-in", path(&issued.certificate), "-noout", "-serial"]);
    told.trim().trim_start_matches("serial=").to_lowercase()
}

/// `certutil -view -out "RequestID,RequesterName,…" csv` on a server that writes its dates as the
/// United States do.
#[test]
fn an_export_as_csv_tells_what_was_issued() {
    let lab = Lab::new();
    let [one, two] = lab.known.each_ref().map(serial);
    let text = format!(
        "\"Request ID\",\"Requester Name\",\"Serial Number\",\"Certificate Effective Date\",\
         \"Certificate Expiration Date\",\"Issued Common Name\",\"Certificate Template\",\
         \"Request Disposition\"\r\n\
         \"5\",\"CORP\\reader\",\"{one}\",\"12/31/2025 4:05 PM\",\"1/31/2027 4:05 PM\",\
         \"one.lab.test\",\"Ordinary\",\"20 -- Issued\"\r\n\
         \"6\",\"CORP\\reader\",\"{two}\",\"1/31/2026 4:06 PM\",\"1/31/2027 4:06 PM\",\
         \"two, \"\"the second\"\"\",\"Ordinary\",\"21 -- Revoked\"\r\n\
         \"7\",\"CORP\\operator\",\"EMPTY\",\"EMPTY\",\"EMPTY\",\"EMPTY\",\"Ordinary\",\
         \"31 -- Denied\"\r\n"
    );
    let inventory = lab.scan(text.as_bytes());
    lab.check(&inventory, "revoked", "not-met");
    let records = facts::of_kind(&inventory, "issuance");
    let second = records.iter().find(|record| record["facts"]["request"] == 6).unwrap();
    let expected = json!({"common_name": "two, \"the second\""});
    facts::assert_facts("quotes in quotes", &second["facts"], &expected);
    let until = second["facts"]["not_after"].to_string();
    assert!(until.contains("2027-01-31") || second["facts"]["not_after"].is_number(), "{until}");
}

/// The same as PowerShell's `>` writes it: UTF-16 with its mark.
#[test]
fn an_export_in_utf_16_is_read_as_well() {
    let lab = Lab::new();
    let [one, two] = lab.known.each_ref().map(serial);
    let text = format!(
        "\u{feff}\"Request ID\",\"Serial Number\",\"Requester Name\",\"Certificate Template\",\
         \"Request Disposition\"\r\n\
         \"5\",\"{one}\",\"CORP\\reader\",\"Ordinary\",\"20 -- Issued\"\r\n\
         \"6\",\"{two}\",\"CORP\\reader\",\"Ordinary\",\"20 -- Issued\"\r\n\
         \"7\",\"EMPTY\",\"CORP\\operator\",\"Ordinary\",\"31 -- Denied\"\r\n"
    );
    let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let inventory = lab.scan(&octets);
    // Without dates nobody knows where the records begin and end.
    lab.check(&inventory, "issued", "unknown");
}

/// What stands before the rows: every column, by its own name and by the one that people read.
fn schema() -> String {
    let mut text = "Schema:\r\n".to_owned();
    let mut line = |name: &str, shown: &str, kind: &str, most: &str| {
        write!(text, "  {name:<30}{shown:<30}{kind:<8}{most}\r\n").unwrap();
    };
    line("Column Name", "Localized Name", "Type", "MaxLength");
    line(&"-".repeat(28), &"-".repeat(28), "------", "---------");
    line("Request.RequestID", "Request ID", "Long", "4 -- Indexed");
    line("Request.Disposition", "Request Disposition", "Long", "4 -- Indexed");
    line("Request.RequesterName", "Requester Name", "String", "2048 -- Indexed");
    line("RawCertificate", "Binary Certificate", "Binary", "16384");
    line("CertificateTemplate", "Certificate Template", "String", "254 -- Indexed");
    line("SerialNumber", "Serial Number", "String", "128 -- Indexed");
    line("NotBefore", "Certificate Effective Date", "Date", "8");
    line("NotAfter", "Certificate Expiration Date", "Date", "8 -- Indexed");
    line("CommonName", "Issued Common Name", "String", "8192 -- Indexed");
    text
}

/// `certutil -view`: rows with the certificates in them, which are assets of their own.
#[test]
fn an_export_as_rows_tells_what_was_issued_and_holds_the_certificates() {
    let lab = Lab::new();
    let row = |number: u32, id: u32, issued: &Issued, disposition: &str| {
        let begins = if id == 5 { "12/31/2025" } else { "1/31/2026" };
        let pem = fs::read_to_string(&issued.certificate).unwrap();
        format!(
            "Row {number}:\r\n  Request ID: 0x{id:x} ({id})\r\n  \
             Request Disposition: {disposition}\r\n  Requester Name: \"CORP\\reader\"\r\n  \
             Binary Certificate:\r\n{}\r\n  Certificate Template: \"Ordinary\"\r\n  \
             Serial Number: \"{}\"\r\n  Certificate Effective Date: {begins} 4:05 PM\r\n  \
             Certificate Expiration Date: 1/31/2027 4:05 PM\r\n  \
             Issued Common Name: \"name\"\r\n\r\n",
            pem.trim_end().replace('\n', "\r\n"),
            serial(issued),
        )
    };
    let text = format!(
        "{}\r\n{}{}Row 3:\r\n  Request ID: 0x7 (7)\r\n  \
         Request Disposition: 0x1f (31) -- Denied\r\n  \
         Requester Name: \"CORP\\operator\"\r\n  Binary Certificate: EMPTY\r\n  \
         Certificate Template: \"Ordinary\"\r\n  Serial Number: EMPTY\r\n\r\n\
         Maximum Row Index: 3\r\n\r\n3 Rows\r\nCertUtil: -view command completed successfully.\r\n",
        schema(),
        row(1, 5, &lab.known[0], "0x14 (20) -- Issued"),
        row(2, 6, &lab.known[1], "0x15 (21) -- Revoked"),
    );
    let inventory = lab.scan(text.as_bytes());
    lab.check(&inventory, "revoked", "not-met");
    let file = lab.home.path().join("records");
    for issued in &lab.known {
        let certificate = facts::with_digest(&inventory, "certificate", &issued.sha256());
        let places = facts::places(certificate);
        assert!(places.iter().any(|place| place.contains(path(&file))), "{places:?}");
    }
}
