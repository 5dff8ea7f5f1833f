//! Answers, assessments and refused logins.

use pki_inventory::{Digest, Time};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Fault, digest, runs};
use crate::{Answers, Assessment, AssessmentId, AssessmentRecord, RunId, StoreError};

pub(super) fn save_answers(
    connection: &Connection,
    saved: Time,
    text: &str,
) -> Result<Digest, Fault> {
    let sha256 = Digest::of(text.as_bytes());
    if latest_answers(connection)?.is_none_or(|latest| latest.sha256 != sha256) {
        connection.execute(
            "INSERT INTO answers (saved, sha256, text) VALUES (?1, ?2, ?3)",
            params![saved.0, sha256.octets(), text],
        )?;
    }
    Ok(sha256)
}

pub(super) fn answers(connection: &Connection) -> Result<Vec<Answers>, Fault> {
    let mut statement =
        connection.prepare("SELECT saved, sha256, text FROM answers ORDER BY id")?;
    statement.query_and_then([], read_answers)?.collect()
}

pub(super) fn latest_answers(connection: &Connection) -> Result<Option<Answers>, Fault> {
    let mut statement =
        connection.prepare("SELECT saved, sha256, text FROM answers ORDER BY id DESC LIMIT 1")?;
    statement.query_and_then([], read_answers)?.next().transpose()
}

fn read_answers(row: &Row<'_>) -> Result<Answers, Fault> {
    let answers = Answers { saved: Time(row.get(0)?), sha256: digest(row, 1)?, text: row.get(2)? };
    if Digest::of(answers.text.as_bytes()) != answers.sha256 {
        let saved = answers.saved;
        return Err(Fault::Damaged(format!("the answers saved at {saved} have another digest")));
    }
    Ok(answers)
}

pub(super) fn add_refused_login(
    connection: &Connection,
    login: Digest,
    refused: Time,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO refused_logins (sha256, refused) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![login.octets(), refused.0],
    )?;
    Ok(())
}

pub(super) fn remove_refused_login(connection: &Connection, login: Digest) -> Result<(), Fault> {
    connection.execute("DELETE FROM refused_logins WHERE sha256 = ?1", params![login.octets()])?;
    Ok(())
}

pub(super) fn refused_logins(connection: &Connection) -> Result<Vec<Digest>, Fault> {
    let mut statement = connection.prepare("SELECT sha256 FROM refused_logins ORDER BY sha256")?;
    statement.query_and_then([], |row| digest(row, 0))?.collect()
}

pub(super) fn save_assessment(
    connection: &Connection,
    assessment: &Assessment,
) -> Result<AssessmentId, Fault> {
    runs::require(connection, assessment.run)?;
    let id = connection.query_row(
        "INSERT INTO assessments (run, as_of, model_version, policy_digest, json)
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        params![
            assessment.run.0,
            assessment.as_of.0,
            assessment.model_version,
            assessment.policy_digest.octets(),
            assessment.json,
        ],
        |row| row.get(0),
    )?;
    Ok(AssessmentId(id))
}

pub(super) fn assessments(connection: &Connection) -> Result<Vec<AssessmentRecord>, Fault> {
    let mut statement = connection.prepare(
        "SELECT id, run, as_of, model_version, policy_digest FROM assessments ORDER BY id",
    )?;
    statement
        .query_and_then([], |row| {
            Ok(AssessmentRecord {
                id: AssessmentId(row.get(0)?),
                run: RunId(row.get(1)?),
                as_of: Time(row.get(2)?),
                model_version: row.get(3)?,
                policy_digest: digest(row, 4)?,
            })
        })?
        .collect()
}

pub(super) fn assessment(connection: &Connection, id: AssessmentId) -> Result<Assessment, Fault> {
    let found = connection
        .prepare(
            "SELECT run, as_of, model_version, policy_digest, json FROM assessments WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            // The digest has its own errors and is looked at below.
            let policy: Vec<u8> = row.get(3)?;
            Ok((RunId(row.get(0)?), Time(row.get(1)?), row.get(2)?, policy, row.get(4)?))
        })
        .optional()?;
    let Some((run, as_of, model_version, policy, json)) = found else {
        return Err(StoreError::UnknownAssessment { id }.into());
    };
    let policy_digest = super::digest_from(&policy)?;
    Ok(Assessment { run, as_of, model_version, policy_digest, json })
}
