//! Exports in the forms that are met.

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pki_inventory::{Digest, Disposition, Time};
use proptest::prelude::*;

use super::*;
use crate::made;

fn read(export: &[u8], authority: Option<&str>) -> Vec<Result<Row, Damage>> {
    let mut reader = Reader::new(export, authority).expect("an export");
    let mut found = Vec::new();
    while let Some(next) = reader.next_row().expect("memory does not fail") {
        found.push(next);
    }
    found
}

fn rows(export: &str) -> Vec<Issuance> {
    let found = read(export.as_bytes(), Some("Corp CA")).into_iter();
    found.map(|row| row.expect("flawless").issuance).collect()
}

fn time(text: &str) -> Option<Time> {
    Some(text.parse().expect("an instant"))
}

fn pem(der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

const CSV: &str = "\"Request Disposition\",\"Issued Request ID\",\"Serial Number\",\"Requester Name\",\
    \"Certificate Template\",\"Certificate Effective Date\",\"Certificate Expiration Date\",\
    \"Issued Common Name\",\"Revocation Date\",\"Revocation Reason\",\"Binary Certificate\"\r\n\
    \"20 -- Issued\",\"5\",\"6100000005A1\",\"CORP\\alice\",\"1.3.6.1.4.1.311.21.8.1 Web\",\
    \"1/2/2026 4:05 PM\",\"1/31/2027 4:05 PM\",\"www, \"\"the\"\" web\",\"EMPTY\",\"EMPTY\",\"1657 Bytes\"\r\n\
    \"21 -- Revoked\",\"6\",\"006100000006\",\"CORP\\bob\",\"User\",\"3/4/2026 8:00 AM\",\
    \"3/4/2027 8:00 AM\",\"bob\",\"5/6/2026 1:00 AM\",\"0x1 -- Key Compromise\",\"1657 Bytes\"\r\n\
    \"31 -- Denied\",\"7\",\"EMPTY\",\"CORP\\eve\",\"Web\",\"EMPTY\",\"EMPTY\",\"EMPTY\",\"EMPTY\",\"EMPTY\",\"EMPTY\"\r\n\
    \r\nCertUtil: -view command completed successfully.\r\n";

#[test]
fn csv_is_read_by_its_header() {
    let found = rows(CSV);
    assert_eq!(found.len(), 3);
    let expected = Issuance {
        authority: Some("Corp CA".to_owned()),
        request: Some(5),
        disposition: Disposition::Issued,
        serial: Some("6100000005a1".to_owned()),
        requester: Some("CORP\\alice".to_owned()),
        template: Some("Web".to_owned()),
        common_name: Some("www, \"the\" web".to_owned()),
        not_before: time("2026-01-02T16:05:00Z"),
        not_after: time("2027-01-31T16:05:00Z"),
        revoked: None,
        revocation_reason: None,
        certificate: None,
    };
    assert_eq!(found[0], expected);
    assert_eq!(found[1].disposition, Disposition::Revoked);
    assert_eq!(found[1].serial.as_deref(), Some("6100000006"));
    assert_eq!(found[1].revoked, time("2026-05-06T01:00:00Z"));
    assert_eq!(found[1].revocation_reason.as_deref(), Some("0x1 -- Key Compromise"));
    assert_eq!((&found[2].disposition, &found[2].serial), (&Disposition::Denied, &None));
}

#[test]
fn csv_in_utf_16_or_behind_a_mark_or_with_semicolons_says_the_same() {
    let expected = rows(CSV);
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xef\xbb\xbf", CSV.as_bytes()].concat();
    let semicolons = format!("sep=;\r\n{}", CSV.replace("\",\"", "\";\""));
    for form in [utf16, marked, semicolons.into_bytes()] {
        let found: Vec<Issuance> =
            read(&form, Some("Corp CA")).into_iter().map(|row| row.unwrap().issuance).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn german_csv_is_read_in_a_code_page_of_old() {
    let export = "Anforderungs-ID;Seriennummer;Antragstellername;Zertifikatvorlage;Ablaufdatum des \
        Zertifikats;Sperrdatum;Anforderungsdisposition;Bin\u{e4}res Zertifikat\n\
        5;6100;CORP\\J\u{fc}rgen;Web;31.01.2026 16:05;02.03.2026 08:00;21 -- Gesperrt;EMPTY\n";
    let octets: Vec<u8> = export.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for form in [export.as_bytes(), &octets] {
        let found = read(form, None).remove(0).unwrap().issuance;
        assert_eq!(found.request, Some(5));
        assert_eq!(found.requester.as_deref(), Some("CORP\\Jürgen"));
        assert_eq!(found.not_after, time("2026-01-31T16:05:00Z"));
        assert_eq!(found.revoked, time("2026-03-02T08:00:00Z"));
        assert_eq!(found.disposition, Disposition::Revoked);
    }
}

fn dump(localized: [&str; 4], row: &str, certificate: &str) -> String {
    let [request, disposition, serial, binary] = localized;
    let dashes = "-".repeat(28);
    format!(
        "Schema:\n  Column Name                   Localized Name                Type    MaxLength\n  \
         {dashes}  {dashes}  ------  ---------\n  RequestID                     {request}  Long    \
         4 -- Indexed\n  Request.Disposition           {disposition}  Long    4 -- Indexed\n  \
         SerialNumber                  {serial}  String  128 -- Indexed\n  RawCertificate                \
         {binary}  Binary  16384\n\n{row} 1:\n  {request}: 0x2f (47)\n  {disposition}: 0x14 (20) -- \
         Issued\n0000    49 00 73 00   I.s.\n  Request Disposition Message: \"Issued\n  {serial}: \
         \"bad\"\n\"\n  {serial}: \"6100000002\"\n    {serial}: deeper\n  {binary}:\n{certificate}\n{row} 2:\n  \
         {request}: 0x30\n  {disposition}: 0x1f (31) -- Denied\n  {serial}: EMPTY\n\nMaximum Row \
         Index: 2\n\n2 Rows\nCertUtil: -view command completed successfully.\n"
    )
}

#[test]
fn a_dump_of_rows_is_read_by_its_table_in_any_language() {
    let der = made::certificate("Corp CA");
    for (localized, row) in [
        (
            ["Issued Request ID", "Request Disposition", "Serial Number", "Binary Certificate"],
            "Row",
        ),
        (["Nummer", "Was draus wurde", "Seriennummer", "Binäres Zertifikat"], "Zeile"),
        (["要求 ID", "要求の処理", "シリアル番号", "バイナリ証明書"], "行"),
    ] {
        let found = read(dump(localized, row, &pem(&der)).as_bytes(), None);
        assert_eq!(found.len(), 2, "{row}");
        let one = found[0].as_ref().unwrap();
        assert_eq!(one.issuance.request, Some(47));
        assert_eq!(one.issuance.disposition, Disposition::Issued);
        assert_eq!(one.issuance.serial.as_deref(), Some("6100000002"), "{row}");
        assert_eq!(one.issuance.certificate, Some(Digest::of(&der)));
        assert_eq!(one.certificate.as_deref(), Some(&der[..]));
        assert_eq!(one.issuance.authority.as_deref(), Some("Corp CA"), "of the certificate");
        let two = found[1].as_ref().unwrap();
        assert_eq!((two.issuance.request, &two.issuance.serial), (Some(48), &None));
    }
}

#[test]
fn a_dump_without_a_table_is_read_by_the_names_that_are_known() {
    let export = format!(
        "Row 1:\r\n  Request ID: 0x5 (5)\r\n  Certificate Effective Date: 8/17/2025 7:34 PM GMT\r\n  \
         Old Certificate:\n{}\n  Binary Certificate:\n{}",
        pem(&made::certificate("old")),
        pem(&made::certificate("new"))
    );
    let found = read(export.as_bytes(), None).remove(0).unwrap();
    assert_eq!(found.certificate, Some(made::certificate("new")));
    assert_eq!(found.issuance.serial.as_deref(), Some("a1"), "the certificate tells it");
    assert_eq!(found.issuance.not_before, time("2025-08-17T19:34:00Z"));
    assert_eq!(found.issuance.disposition.name(), "not in the export");
}

#[test]
fn a_row_that_is_broken_is_said_with_its_line() {
    let export = "\"Serial Number\",\"Request ID\",\"Certificate Expiration Date\"\n\"6.1E+25\",1,\"x\"\n\
                  \"a\"\n\"b\"x,2,\n,,\n\"61\",3,\"31.01.2026\"\n\"no end,4,\n";
    let found = read(export.as_bytes(), None);
    let damages: Vec<(u64, &str)> = found
        .iter()
        .filter_map(|row| row.as_ref().err())
        .map(|damage| (damage.line, damage.what.as_str()))
        .collect();
    assert_eq!(damages.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 7]);
    assert!(damages[0].1.contains("`6.1E+25` is no serial number"), "{damages:?}");
    assert!(damages[0].1.contains("`x` is no date"), "{damages:?}");
    assert!(damages[1].1.contains("1 fields, and the header names 3"), "{damages:?}");
    let requests: Vec<_> =
        found.iter().flatten().map(|row| row.issuance.request.unwrap()).collect();
    assert_eq!(requests, [1, 3], "of the first row what could be read");
}

#[test]
fn a_certificate_that_is_cut_off_is_said_and_the_row_kept() {
    let whole = pem(&made::certificate("a"));
    let export = format!("Row 1:\n  Request ID: 5\n  Binary Certificate:\n{}", &whole[..200]);
    let found = read(export.as_bytes(), None);
    assert_eq!(found.iter().filter(|row| row.is_ok()).count(), 1);
    assert_eq!(found.iter().filter(|row| row.is_err()).count(), 1);
}

#[test]
fn a_quote_without_an_end_costs_no_more_than_the_longest_row_though_its_lines_are_empty() {
    let empty = "\n".repeat(3 << 20);
    let export = format!("Request ID,Common Name\n1,\"{empty}2,b\n");
    let found = read(export.as_bytes(), None);
    let [Err(damage), Ok(row)] = &found[..] else { panic!("{}", found.len()) };
    assert_eq!(damage.line, 2);
    assert!(damage.what.contains("longer than 1 MiB"), "{damage:?}");
    assert_eq!(row.issuance.request, Some(2));
}

#[test]
fn a_row_has_one_certificate_however_many_stand_in_it() {
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    for between in ["", "  Binary Certificate:\n"] {
        let many = format!("{between}{empty}").repeat(1000);
        let export = format!("Row 1:\n  Request ID: 5\n  Binary Certificate:\n{empty}{many}");
        let found = read(export.as_bytes(), None);
        let [Ok(_), Err(damage)] = &found[..] else { panic!("{}", found.len()) };
        assert_eq!(damage.what, "the certificate in it is not readable");
    }
    // The first one is the row's.
    let (one, other) = (made::certificate("a"), made::certificate("b"));
    let column = "  Binary Certificate:\n";
    let export = format!("Row 1:\n  Request ID: 5\n{column}{}{column}{}", pem(&one), pem(&other));
    let found = read(export.as_bytes(), None).remove(0).unwrap();
    assert_eq!(found.certificate, Some(one));
}

#[test]
fn long_lines_of_a_row_are_said_once() {
    let long = format!("{}\n", "a".repeat(LONGEST_LINE + 1));
    let export = format!("Row 1:\n{long}{long}{long}  Request ID: 5\n");
    let found = read(export.as_bytes(), None);
    assert_eq!(found.iter().filter(|row| row.is_err()).count(), 1);
    assert_eq!(found.iter().filter(|row| row.is_ok()).count(), 1);
}

fn dated(dates: &[&str]) -> Vec<Option<Time>> {
    let mut export = "Request ID,Certificate Expiration Date\n".to_owned();
    for (number, date) in dates.iter().enumerate() {
        export.push_str(&format!("{number},{date}\n"));
    }
    rows(&export).into_iter().map(|row| row.not_after).collect()
}

#[test]
fn rows_wait_for_the_date_that_tells_whether_the_month_comes_first() {
    assert_eq!(dated(&["1/2/2026", "1/31/2026"])[0], time("2026-01-02"));
    assert_eq!(dated(&["1/2/2026", "31/1/2026"])[0], time("2026-02-01"));
    assert_eq!(dated(&["1/2/2026", "3/4/2026"]), [None, None], "nothing tells");
    assert_eq!(dated(&["1/2/2026"; MOST_WAITING + 5]).len(), MOST_WAITING + 5);
}

#[test]
fn no_more_rows_wait_than_are_allowed() {
    let header = &b"Request ID,Certificate Expiration Date\n"[..];
    let endless = header.chain(io::BufReader::new(Endless(0)));
    let mut reader = Reader::new(endless, None).expect("an export");
    let row = reader.next_row().expect("no error").expect("a row").expect("flawless");
    assert_eq!((row.issuance.request, row.issuance.not_after), (Some(1), None));
    assert!(reader.waiting.len() <= MOST_WAITING);
}

/// Rows without an end.
struct Endless(usize);

impl io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for octet in into.iter_mut() {
            *octet = b"1,1/2/2026\n"[self.0 % 11];
            self.0 += 1;
        }
        Ok(into.len())
    }
}

#[test]
fn what_is_no_export_is_refused() {
    let no_number = dump(["a", "b", "c", "d"], "Row", "").replace("RequestID", "Foo");
    let no_number = no_number.replace("SerialNumber", "Bar").replace("RawCertificate", "Baz");
    for other in
        [no_number.as_str(), "", "a,b\n1,2\n", "dn: cn=a\ncn: a\n", "Row\n", "  Serial Number: 5\n"]
    {
        let error = Reader::new(other.as_bytes(), None).expect_err(other);
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

proptest! {
    #[test]
    fn any_export_comes_to_an_end(
        head in proptest::sample::select(&["Serial Number,Request ID,NotAfter\n", "Row 1:\n", ""][..]),
        octets in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let export = [head.as_bytes(), &octets].concat();
        if let Ok(mut reader) = Reader::new(&export[..], None) {
            while reader.next_row().expect("memory does not fail").is_some() {}
        }
    }

    #[test]
    fn anything_like_an_export_comes_to_an_end(
        lines in proptest::collection::vec(
            "(Row 1:|  Serial Number: |  Binary Certificate:|-----BEGIN CERTIFICATE-----|-----E|\"|,|  --- --- ---)?[ -~]{0,8}",
            0..30
        )
    ) {
        let export = format!("Row 1:\n{}", lines.join("\n"));
        let found = read(export.as_bytes(), None);
        prop_assert!(!found.is_empty());
    }

    #[test]
    fn any_text_is_a_date_or_none(text in "[0-9/.: APMTZ-]{0,24}") {
        dates::read(&text);
    }
}
