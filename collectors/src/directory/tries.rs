//! What came of binds by password. A few wrong tries lock an account, so one that was refused is not
//! tried again in the same run, whichever entry of the settings names it.

use std::sync::Arc;

use pki_config::{Bind, DirectoryServer};
use pki_inventory::GapReason;
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

use super::answers::Refusal;

/// An account with its password. Whoever binds holds the lock until the server has answered: two
/// that bind at a time would both go out before the first refusal is known.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Told>);

/// The servers that refused an account.
#[derive(Debug, Default)]
pub(super) struct Told {
    own: Option<String>,
    /// One that a referral led to. It may know nobody of the directory's own accounts, so that its
    /// refusal counts for other servers of that sort only.
    elsewhere: Option<String>,
}

impl Account {
    /// Waits until nobody else binds.
    pub(super) async fn turn(&self) -> MutexGuard<'_, Told> {
        self.0.lock().await
    }
}

impl Told {
    /// Notes that a server refused the account.
    pub(super) fn refused(&mut self, server: String, is_elsewhere: bool) {
        let said = if is_elsewhere { &mut self.elsewhere } else { &mut self.own };
        said.get_or_insert(server);
    }

    /// Why the account is not to be tried.
    pub(super) fn refusal(&self, is_elsewhere: bool) -> Option<Refusal> {
        let elsewhere = self.elsewhere.as_ref().filter(|_| is_elsewhere);
        let server = self.own.as_ref().or(elsewhere)?;
        let detail = format!(
            "{server} refused the name and the password of `bind`, which this server has as well: \
             they are not tried again in this run, for wrong tries lock an account; check them, or \
             give this server an account of its own"
        );
        Some(Refusal::lasting(GapReason::PermissionDenied, detail))
    }
}

/// The account of each server, `None` where no password is sent. Servers share one that have the same
/// name, whatever its case, and a password from the same source or of the same letters.
pub(super) fn accounts(
    servers: &[DirectoryServer],
    passwords: &[Option<Zeroizing<String>>],
) -> Vec<Option<Arc<Account>>> {
    let mut all: Vec<Option<Arc<Account>>> = Vec::with_capacity(servers.len());
    for (number, server) in servers.iter().enumerate() {
        let Bind::Simple { name, password: source, .. } = &server.bind else {
            all.push(None);
            continue;
        };
        let name = name.to_lowercase();
        let password = passwords.get(number).and_then(Option::as_ref);
        let is_same = |before: usize| match &servers[before].bind {
            Bind::Simple { name: other, password: from, .. } => {
                let other_password = passwords.get(before).and_then(Option::as_ref);
                other.to_lowercase() == name
                    && (from == source || password.is_some() && other_password == password)
            }
            _ => false,
        };
        let known = (0..number).find(|before| is_same(*before));
        let known = known.and_then(|before| all[before].clone());
        all.push(Some(known.unwrap_or_default()));
    }
    all
}

#[cfg(test)]
mod tests {
    use pki_config::{DirectoryPassword, SecretSource};

    use super::*;

    #[test]
    fn an_account_is_one_by_its_name_and_the_source_or_the_letters_of_its_password() {
        let kept = |name: &str| DirectoryPassword::Kept(SecretSource::Environment(name.into()));
        let entry = |name: &str, password| DirectoryServer {
            bind: Bind::Simple { name: name.into(), password, in_the_clear: false },
            ..DirectoryServer::default()
        };
        let servers = [
            entry("CN=Reader", kept("A")),
            entry("cn=reader", kept("A")),
            entry("cn=READER", kept("B")),
            entry("cn=reader", kept("C")),
            entry("cn=other", kept("A")),
            DirectoryServer::default(),
        ];
        let passwords = ["one", "one", "one", "two", "one"];
        let mut passwords: Vec<_> =
            passwords.iter().map(|it| Some(Zeroizing::new((*it).to_owned()))).collect();
        passwords.push(None);
        let all = accounts(&servers, &passwords);
        let is_first = |number: usize| {
            let of = |number: usize| all[number].as_ref().expect("a bind by password");
            Arc::ptr_eq(of(0), of(number))
        };
        assert_eq!([1, 2, 3, 4].map(is_first), [true, true, false, false]);
        assert!(all[5].is_none());
    }

    #[test]
    fn a_refusal_elsewhere_says_nothing_about_the_directory_itself() {
        let mut told = Told::default();
        told.refused("far.example".into(), true);
        assert!(told.refusal(false).is_none() && told.refusal(true).is_some());
        told.refused("dc1.example".into(), false);
        let refusal = told.refusal(true).expect("refused");
        assert!(refusal.detail.starts_with("dc1.example refused"), "{}", refusal.detail);
    }
}
