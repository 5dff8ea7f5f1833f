//! Samba as a domain controller of Active Directory, in a network of its own.
//!
//! It wants the standard ports and a name server that knows its domain, so it runs in a network
//! namespace with one address, and in a mount namespace where that name server is the one that is
//! asked. Whoever is to see it enters both: see [`Domain::inside`]. Everything ends with the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::{Running, is_root};
use crate::certificates::{Issued, path};
use crate::tools;

/// From its start until it answers.
const START: Duration = Duration::from_secs(30);
/// Documentation of a network that is nobody's (RFC 5737).
const ADDRESS: &str = "192.0.2.10";
/// What the administrator's password is; nobody but the provisioning needs it.
const ADMINISTRATOR: &str = "Unused-Administrator-5120";

/// A domain of its own, with one domain controller.
pub struct Domain {
    running: Running,
    folder: tempfile::TempDir,
}

/// An object that the domain is to have besides its own.
#[derive(Debug, Clone)]
pub struct Object(Value);

impl Domain {
    /// The name of the domain.
    pub const NAME: &'static str = "corp.example";
    /// Where its tree begins.
    pub const BASE: &'static str = "DC=corp,DC=example";
    /// The name of the domain controller.
    pub const HOST: &'static str = "dc1.corp.example";

    /// Whether one can be started here.
    #[must_use]
    pub fn is_possible() -> bool {
        // The provisioning gives files away and writes attributes that only root may write.
        is_root()
    }

    /// Provisions a domain, adds these objects and starts its domain controller. `issued` is its own
    /// certificate, for [`Domain::HOST`].
    #[must_use]
    pub fn start(issued: &Issued, objects: &[Object]) -> Self {
        assert!(Self::is_possible(), "a domain controller is started by root only");
        let folder = tempfile::Builder::new().prefix("pkimm-lab-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        provision(&at("given.conf"), &at("ad"));
        // Samba refuses a key that others may read.
        for (from, to) in [(&issued.certificate, "certificate.pem"), (&issued.key, "key.pem")] {
            fs::copy(from, at(to)).unwrap();
            tools::run("chmod", &["600", path(&at(to))]);
        }
        let given = fs::read_to_string(at("ad/etc/smb.conf")).unwrap();
        let folders = ["run", "run/ncalrpc", "run/winbindd", "run/ntp"];
        for name in folders {
            fs::create_dir_all(at(name)).unwrap();
        }
        let own = format!(
            "[global]\nserver services = ldap, dns\ntls certfile = {certificate}\n\
             tls keyfile = {key}\ntls cafile =\npid directory = {run}\n\
             ncalrpc dir = {run}/ncalrpc\nwinbindd socket directory = {run}/winbindd\n\
             ntp signd socket directory = {run}/ntp\n",
            certificate = path(&at("certificate.pem")),
            key = path(&at("key.pem")),
            run = path(&at("run")),
        );
        fs::write(at("smb.conf"), given.replacen("[global]\n", &own, 1)).unwrap();
        let mut domain = Self::run(folder, objects);
        domain.wait();
        domain
    }

    fn run(folder: tempfile::TempDir, objects: &[Object]) -> Self {
        let at = |name: &str| folder.path().join(name);
        add(objects, &at("smb.conf"), &at("ad/private/sam.ldb"));
        fs::write(at("resolv.conf"), format!("nameserver {ADDRESS}\n")).unwrap();
        let script = format!(
            "set -e\nip link set lo up\nip address add {ADDRESS}/24 dev lo\n\
             mount --bind {resolver} /etc/resolv.conf\n\
             exec samba --interactive --model=single --debug-stdout --configfile={configuration}\n",
            resolver = path(&at("resolv.conf")),
            configuration = path(&at("smb.conf")),
        );
        let log = fs::File::create(at("log")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "--"]);
        command.args(["sh", "-c", &script]).env("PATH", programs());
        // It ends when standard input does, which stays open as long as the value lives.
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { running: Running::start(&mut command), folder }
    }

    fn wait(&mut self) {
        let begin = Instant::now();
        let url = format!("ldaps://{}", Self::HOST);
        loop {
            let mut asked = self.inside("ldapsearch");
            asked.args(["-x", "-H", &url, "-s", "base", "-b", "", "namingContexts"]);
            asked.env("LDAPTLS_REQCERT", "never");
            asked.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if asked.status().is_ok_and(|status| status.success()) {
                return;
            }
            let ended = self.running.child().try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < START,
                "samba does not answer; it needs namespaces of its own (CAP_SYS_ADMIN):\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A program that runs where the domain controller is to be seen.
    #[must_use]
    pub fn inside(&self, program: &str) -> Command {
        self.moved_inside(&Command::new(program))
    }

    /// The same of a command that was made for outside: its program, arguments, folder and
    /// environment.
    #[must_use]
    pub fn moved_inside(&self, outside: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--mount", "--target", &self.running.id().to_string()]);
        // Whoever enters a mount namespace is in its root.
        let folder = outside.get_current_dir().map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| std::env::current_dir().unwrap());
        command.arg("--").args(["env", "-C"]).arg(folder);
        command.arg(outside.get_program()).args(outside.get_args());
        for (name, value) in outside.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null());
        command
    }

    /// The database of the domain, for `ldbsearch`.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("ad/private/sam.ldb")
    }

    /// What it printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Object {
    /// An object of these classes, below the tree of the domain: `CN=One,CN=Users`.
    #[must_use]
    pub fn new(name: &str, classes: &[&str]) -> Self {
        let dn = format!("{name},{}", Domain::BASE);
        Self(json!({"dn": dn, "attributes": {"objectClass": classes}}))
    }

    /// A change of an object that is there already.
    #[must_use]
    pub fn change(name: &str) -> Self {
        let dn = format!("{name},{}", Domain::BASE);
        Self(json!({"dn": dn, "attributes": {}, "change": true}))
    }

    /// With a value of an attribute; an attribute may have several.
    #[must_use]
    pub fn with(self, attribute: &str, value: impl Into<String>) -> Self {
        self.value(attribute, Value::String(value.into()))
    }

    /// The same with octets.
    #[must_use]
    pub fn with_octets(self, attribute: &str, octets: &[u8]) -> Self {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(octets);
        self.value(attribute, json!({"base64": text}))
    }

    /// With a security descriptor in SDDL, in which `[name]` stands for an account.
    #[must_use]
    pub fn with_access(mut self, sddl: &str) -> Self {
        self.0["access"] = sddl.into();
        self
    }

    /// With a password.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.0["password"] = password.into();
        self
    }

    fn value(mut self, attribute: &str, value: Value) -> Self {
        let attributes = self.0["attributes"].as_object_mut().unwrap();
        let values = attributes.entry(attribute).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(value);
        self
    }
}

fn provision(given: &Path, target: &Path) {
    let text = format!(
        "[global]\ninterfaces = {ADDRESS}/24\nbind interfaces only = yes\ndisable spoolss = yes\n\
         dns update command = /bin/true\ndns forwarder =\n"
    );
    fs::write(given, text).unwrap();
    let told = [
        format!("--configfile={}", path(given)),
        format!("--targetdir={}", path(target)),
        format!("--realm={}", Domain::NAME.to_uppercase()),
        format!("--adminpass={ADMINISTRATOR}"),
        format!("--host-ip={ADDRESS}"),
    ];
    let mut command = Command::new("samba-tool");
    command.args(["domain", "provision", "--domain=CORP", "--host-name=dc1", "--server-role=dc"]);
    command.args(["--dns-backend=SAMBA_INTERNAL"]).args(told);
    tools::finish(command);
}

/// As the system itself, into the files of a controller that does not run: that is fast, and it is
/// the only one who may set the owner of an object.
fn add(objects: &[Object], configuration: &Path, database: &Path) {
    use std::io::Write as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/servers/samba/objects.py");
    let all = Value::from_iter(objects.iter().map(|object| object.0.clone())).to_string();
    // Debian's packages are for Debian's own Python, whichever other one there is.
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(configuration).arg(database);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(all.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Daemons are in sbin, which is not in everybody's path.
fn programs() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}
