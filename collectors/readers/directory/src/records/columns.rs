//! What the columns of an authority's database are called ([MS-CSRA], 3.1.1.1 has the own names).

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Request,
    Disposition,
    Serial,
    Requester,
    Template,
    CommonName,
    NotBefore,
    NotAfter,
    Revoked,
    RevokedFrom,
    Reason,
    Certificate,
    /// Dates that are kept nowhere, but tell the order of day and month.
    OtherDate,
}

/// Names in lower case with nothing but ASCII letters and digits: an export in a code page of old has
/// other octets for an umlaut than one in UTF-8, and none of them is needed to tell columns apart.
const NAMES: &[(&str, Column)] = &[
    // The database's own, with `Request.` before those of its table of requests.
    ("requestid", Column::Request),
    ("requestrequestid", Column::Request),
    ("requestdisposition", Column::Disposition),
    ("disposition", Column::Disposition),
    ("serialnumber", Column::Serial),
    ("requestrequestername", Column::Requester),
    ("requestername", Column::Requester),
    ("certificatetemplate", Column::Template),
    ("commonname", Column::CommonName),
    ("notbefore", Column::NotBefore),
    ("notafter", Column::NotAfter),
    ("requestrevokedwhen", Column::Revoked),
    ("revokedwhen", Column::Revoked),
    ("requestrevokedeffectivewhen", Column::RevokedFrom),
    ("revokedeffectivewhen", Column::RevokedFrom),
    ("requestrevokedreason", Column::Reason),
    ("revokedreason", Column::Reason),
    ("rawcertificate", Column::Certificate),
    ("requestsubmittedwhen", Column::OtherDate),
    ("submittedwhen", Column::OtherDate),
    ("requestresolvedwhen", Column::OtherDate),
    ("resolvedwhen", Column::OtherDate),
    // English.
    ("issuedrequestid", Column::Request),
    ("certificateeffectivedate", Column::NotBefore),
    ("certificateexpirationdate", Column::NotAfter),
    ("issuedcommonname", Column::CommonName),
    ("revocationdate", Column::Revoked),
    ("effectiverevocationdate", Column::RevokedFrom),
    ("revocationreason", Column::Reason),
    ("binarycertificate", Column::Certificate),
    ("requestsubmissiondate", Column::OtherDate),
    ("requestresolutiondate", Column::OtherDate),
    // German, which has changed over the versions of Windows.
    ("anforderungsid", Column::Request),
    ("anforderungskennung", Column::Request),
    ("ausgestellteanforderungsid", Column::Request),
    ("ausgestellteanforderungskennung", Column::Request),
    ("idderausgestelltenanforderung", Column::Request),
    ("anforderungsdisposition", Column::Disposition),
    ("dispositionderanforderung", Column::Disposition),
    ("seriennummer", Column::Serial),
    ("antragstellername", Column::Requester),
    ("anforderername", Column::Requester),
    ("namedesantragstellers", Column::Requester),
    ("namedesanforderers", Column::Requester),
    ("zertifikatvorlage", Column::Template),
    ("zertifikatsvorlage", Column::Template),
    ("ausgestellterallgemeinername", Column::CommonName),
    ("ausgestellterantragstellername", Column::CommonName),
    ("allgemeinername", Column::CommonName),
    ("anfangsdatumdeszertifikats", Column::NotBefore),
    ("startdatumdeszertifikats", Column::NotBefore),
    ("gltigkeitsdatumdeszertifikats", Column::NotBefore),
    ("zertifikatgltigab", Column::NotBefore),
    ("zertifikatanfangsdatum", Column::NotBefore),
    ("ablaufdatumdeszertifikats", Column::NotAfter),
    ("zertifikatablaufdatum", Column::NotAfter),
    ("zertifikatsablaufdatum", Column::NotAfter),
    ("zertifikatgltigbis", Column::NotAfter),
    ("sperrdatum", Column::Revoked),
    ("effektivessperrdatum", Column::RevokedFrom),
    ("tatschlichessperrdatum", Column::RevokedFrom),
    ("gltigessperrdatum", Column::RevokedFrom),
    ("sperrgrund", Column::Reason),
    ("grundfrsperrung", Column::Reason),
    ("binreszertifikat", Column::Certificate),
    ("sendedatumderanforderung", Column::OtherDate),
    ("einreichungsdatumderanforderung", Column::OtherDate),
];

impl Column {
    /// The column of this name, in the database's own words or in a language that is known.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = folded(name);
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    /// Whether a row with it is told from others.
    pub(super) fn tells_rows_apart(self) -> bool {
        matches!(self, Self::Request | Self::Serial | Self::Certificate)
    }
}

/// A name as it is compared.
pub(super) fn folded(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.take(200).map(|c| c.to_ascii_lowercase()).collect()
}

/// A line as text; what is no UTF-8 is of some code page, and only its ASCII is relied on.
pub(super) fn text(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().map(|octet| char::from(*octet)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_in_every_encoding_of_its_name() {
        for (name, expected) in [
            ("Issued Request ID", Some(Column::Request)),
            ("Request.RevokedEffectiveWhen", Some(Column::RevokedFrom)),
            ("Binäres Zertifikat", Some(Column::Certificate)),
            ("Request Common Name", None),
            ("Request.CommonName", None),
            ("", None),
        ] {
            assert_eq!(Column::of(name), expected, "{name}");
        }
        assert_eq!(Column::of(&text(b"Bin\xe4res Zertifikat")), Some(Column::Certificate));
    }

    #[test]
    fn no_name_stands_for_two_columns() {
        for (name, column) in NAMES {
            assert_eq!(folded(name), *name);
            assert_eq!(Column::of(name), Some(*column), "{name}");
        }
    }
}
