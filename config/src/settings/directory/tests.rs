use super::*;
use crate::{Origin, Problems, Settings};

fn read(text: &str) -> Result<DirectoryScope, Problems> {
    Settings::parse("s.toml", text).map(|settings| settings.directory)
}

fn server_of(keys: &str) -> Result<DirectoryServer, String> {
    let read = read(&format!("[[directory.servers]]\n{keys}\n"));
    read.map(|mut scope| scope.servers.remove(0)).map_err(|problems| problems.to_string())
}

fn origin(line: usize) -> Option<Origin> {
    Some(Origin { file: "s.toml".to_owned(), line })
}

#[test]
fn every_key_of_the_directories_is_read() {
    let scope = read(
        r#"[[directory.servers]]
        url = "ldap://DC1.corp.example:1389"
        starttls = true
        bind = "simple"
        name = "reader@corp.example"
        password_file = "/etc/pkimm/ldap"
        in_the_clear = false
        trusted = "ca.pem"
        bases = ["DC=corp,DC=example", "ou=People,o=x "]
        accounts = false
        referrals = ["dc2.corp.example", "*.Other.example", "192.0.2.7"]
        page_size = 7
        max_entries = 8
        timeout_secs = 9
        deadline_secs = 10
        [[directory.servers]]
        domain = "Corp.example."
        bind = "external"
        certificate = "/c.pem"
        key = "/k.pem"
        [[directory.dumps]]
        path = "dump.ldif"
        [[directory.records]]
        path = "/srv/ca.csv"
        authority = "Corp Issuing CA 1"
        [[directory.records]]
        path = "/srv/ca.txt"
        "#,
    );
    let first = DirectoryServer {
        address: DirectoryAddress::Host { host: "dc1.corp.example".to_owned(), port: Some(1389) },
        transport: Transport::StartTls,
        bind: Bind::Simple {
            name: "reader@corp.example".to_owned(),
            password: DirectoryPassword::Kept(SecretSource::File("/etc/pkimm/ldap".into())),
            in_the_clear: false,
        },
        trusted: Some("ca.pem".into()),
        bases: vec!["DC=corp,DC=example".to_owned(), "ou=People,o=x".to_owned()],
        accounts: false,
        referrals: ["dc2.corp.example", "*.other.example", "192.0.2.7"].map(str::to_owned).into(),
        page_size: 7,
        max_entries: 8,
        timeout_secs: 9,
        deadline_secs: 10,
        origin: origin(2),
    };
    let second = DirectoryServer {
        address: DirectoryAddress::Domain("corp.example".to_owned()),
        bind: Bind::External { certificate: "/c.pem".into(), key: "/k.pem".into() },
        origin: origin(17),
        ..DirectoryServer::default()
    };
    let records = |path: &str, authority: Option<&str>, line| AuthorityRecords {
        path: path.into(),
        authority: authority.map(str::to_owned),
        origin: origin(line),
    };
    let expected = DirectoryScope {
        servers: vec![first, second],
        dumps: vec![DirectoryDump { path: "dump.ldif".into(), origin: origin(22) }],
        records: vec![
            records("/srv/ca.csv", Some("Corp Issuing CA 1"), 24),
            records("/srv/ca.txt", None, 27),
        ],
    };
    assert_eq!(scope, Ok(expected));
}

#[test]
fn the_way_to_bind_follows_from_what_is_there() {
    let simple = |password| Bind::Simple { name: "cn=x".to_owned(), password, in_the_clear: false };
    let env = DirectoryPassword::Kept(SecretSource::Environment("P".to_owned()));
    for (keys, bind) in [
        ("", Bind::Anonymous),
        ("bind = \"anonymous\"", Bind::Anonymous),
        ("bind = \"kerberos\"", Bind::Kerberos),
        ("name = \"cn=x\"\npassword_env = \"P\"", simple(env.clone())),
        ("bind = \"simple\"\nname = \"cn=x\"\npassword_env = \"P\"", simple(env)),
        ("name = \"cn=x\"\npassword_prompt = true", simple(DirectoryPassword::Prompt)),
    ] {
        let read = server_of(&format!("url = \"ldaps://dc1\"\n{keys}")).map(|server| server.bind);
        assert_eq!(read, Ok(bind), "{keys}");
    }
}

#[test]
fn the_transport_follows_from_the_address() {
    for (keys, transport, name) in [
        ("url = \"ldaps://dc1\"", Transport::Ldaps, "dc1"),
        ("url = \"ldaps://dc1:636/\"", Transport::Ldaps, "dc1"),
        ("url = \"LDAP://dc1:389\"", Transport::Plain, "dc1"),
        ("url = \"ldap://dc1:636\"", Transport::Plain, "dc1:636"),
        ("url = \"ldap://dc1\"\nstarttls = true", Transport::StartTls, "dc1"),
        ("url = \"ldap+tls://dc1:1389\"", Transport::StartTls, "dc1:1389"),
        ("url = \"ldaps://[2001:DB8::1]\"", Transport::Ldaps, "[2001:db8::1]"),
        ("url = \"ldaps://192.0.2.7:1636\"", Transport::Ldaps, "192.0.2.7:1636"),
        ("domain = \"corp.example\"", Transport::Ldaps, "corp.example"),
        ("domain = \"corp.example\"\nstarttls = true", Transport::StartTls, "corp.example"),
    ] {
        let server = server_of(keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
        assert_eq!((server.transport, server.name().as_str()), (transport, name), "{keys}");
    }
}

#[test]
fn every_wrong_key_of_the_directories_is_a_problem_of_its_line() {
    let problems = read(
        r#"[[directory.servers]]
        url = "dc1.corp.example"
        starttls = "yes"
        bind = "ntlm"
        trusted = ""
        bases = ["corp", "=x", ""]
        accounts = 1
        referrals = ["*", "a b", "*.corp.example"]
        page_size = 0
        max_entries = 0
        timeout_secs = 601
        deadline_secs = 0
        filter = "(x=*)"
        [[directory.servers]]
        [[directory.servers]]
        url = "ldap://dc1"
        domain = "corp.example"
        [[directory.servers]]
        domain = "corp example"
        [[directory.dumps]]
        [[directory.dumps]]
        path = " "
        [[directory.records]]
        path = 7
        authority = ""
        "#,
    );
    let problems = problems.expect_err("nearly all of it is wrong").0;
    let told: Vec<String> =
        problems.iter().map(|p| format!("{} {} {}", p.line, p.key, p.message)).collect();
    let expected = [
        "2 directory.servers[0].url must be ldaps://host, ldap://host or ldap+tls://host (StartTLS), \
         with :port where it is not the usual one",
        "3 directory.servers[0].starttls must be true or false",
        "4 directory.servers[0].bind is not a way to bind; write anonymous, simple, external or \
         kerberos",
        "5 directory.servers[0].trusted must be the path of a file",
        "6 directory.servers[0].bases must be a name such as DC=corp,DC=example",
        "6 directory.servers[0].bases must be a name such as DC=corp,DC=example",
        "6 directory.servers[0].bases must be a name such as DC=corp,DC=example",
        "7 directory.servers[0].accounts must be true or false",
        "8 directory.servers[0].referrals must be a host such as dc2.corp.example, or \
         *.corp.example",
        "8 directory.servers[0].referrals must be a host such as dc2.corp.example, or \
         *.corp.example",
        "9 directory.servers[0].page_size must be a whole number from 1 to 10000",
        "10 directory.servers[0].max_entries must be a whole number from 1 to 1099511627776",
        "11 directory.servers[0].timeout_secs must be a whole number from 1 to 600",
        "12 directory.servers[0].deadline_secs must be a whole number from 1 to 604800",
        "13 directory.servers[0].filter is not a key here; keys are accounts, bases, bind, \
         certificate, deadline_secs, domain, in_the_clear, key, max_entries, name, page_size, \
         password_env, password_file, password_prompt, referrals, starttls, timeout_secs, trusted, \
         url",
        "14 directory.servers[1].url is missing; name a `url`, or a `domain`",
        "17 directory.servers[2].domain is one too many beside `url`; name one of them",
        "19 directory.servers[3].domain must be a domain such as corp.example",
        "20 directory.dumps[0].path is missing",
        "22 directory.dumps[1].path must be the path of a file",
        "24 directory.records[0].path must be a text",
        "25 directory.records[0].authority must be a text that is not empty",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_belongs_to_another_way_to_bind_is_told() {
    for (keys, key, told) in [
        (
            "url = \"ldap://dc1\"\nname = \"cn=x\"\npassword_env = \"P\"",
            "in_the_clear",
            "the password would go over a connection without TLS",
        ),
        (
            "url = \"ldaps://dc1\"\nbind = \"anonymous\"\nname = \"cn=x\"\npassword_env = \"P\"",
            "name",
            "is for bind = \"simple\", and this one is anonymous",
        ),
        (
            "url = \"ldaps://dc1\"\nbind = \"external\"\ncertificate = \"c.pem\"",
            "key",
            "is missing; bind = \"external\" needs the file of its private key",
        ),
        (
            "url = \"ldap://dc1\"\nbind = \"external\"\ncertificate = \"c\"\nkey = \"k\"",
            "bind",
            "external is for TLS",
        ),
        (
            "url = \"ldaps://dc1\"\ncertificate = \"c.pem\"",
            "certificate",
            "is for bind = \"external\", and this one is anonymous",
        ),
        ("url = \"ldaps://dc1\"\nstarttls = true", "starttls", "is for ldap://"),
        ("url = \"ldap://dc1\"\ntrusted = \"c.pem\"", "trusted", "says nothing without TLS"),
        (
            "url = \"ldaps://dc1\"\nbind = \"simple\"\npassword_env = \"P\"",
            "name",
            "is missing; bind = \"simple\" needs the name",
        ),
        (
            "url = \"ldaps://dc1\"\n[[directory.servers]]\nurl = \"ldaps://DC1:636\"",
            "",
            "names dc1 twice",
        ),
    ] {
        let told_of = server_of(keys).expect_err(keys);
        assert!(told_of.contains(&format!("{key}: {told}")) || key.is_empty(), "{told_of}");
        assert!(told_of.contains(told), "{told_of}");
    }
    let clear = "url = \"ldap://dc1\"\nname = \"x\"\npassword_env = \"P\"\nin_the_clear = true";
    assert!(server_of(clear).is_ok_and(|server| server.transport == Transport::Plain));
}

#[test]
fn a_password_has_one_source_and_is_never_told() {
    const SECRET: &str = "hunter2 is my dog";
    let begin = "url = \"ldaps://dc1\"\nname = \"cn=x\"\n";
    for (keys, key, told) in [
        ("", "password_file", "is missing; name a `password_file`"),
        ("password = \"SECRET\"", "password", "a password does not stand in the settings"),
        ("password_file = \"SECRET\"", "password_file", "must be the absolute path of a file"),
        ("password_env = \"SECRET=\"", "password_env", "must be the name of a variable"),
        ("password_prompt = \"SECRET\"", "password_prompt", "must be true or false"),
        ("password_prompt = false", "password_prompt", "names no source"),
        ("password_file = \"/p\"\npassword_env = \"P\"", "password_env", "is one source too many"),
        ("password_env = \"P\"\npassword_prompt = true", "password_prompt", "is one source too"),
        ("password_env = \"P\"\nbind = \"SECRET\"", "bind", "is not a way to bind"),
        ("password_env = \"P\"\nsecret = \"SECRET\"", "secret", "is not a key here"),
        ("password_env = \"P\"\nbases = [\"SECRET\"]", "bases", "must be a name"),
        ("password_env = \"P\"\nreferrals = [\"SECRET\"]", "referrals", "must be a host"),
    ] {
        let keys = keys.replace("SECRET", SECRET);
        let error = server_of(&format!("{begin}{keys}")).expect_err(&keys);
        assert!(error.contains(&format!("servers[0].{key}: {told}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    for keys in [
        "url = \"ldaps://reader:hunter2@dc1\"",
        "url = \"hunter2\"",
        "url = \"ldaps://dc1/hunter2\"",
        "url = \"ldaps://dc1:hunter2\"",
        "domain = \"reader:hunter2@corp.example\"",
    ] {
        let error = server_of(keys).expect_err(keys);
        assert!(!error.contains("hunter2"), "{error}");
    }
    for text in [
        "[directory]\npassword = \"hunter2\"\n",
        "[directory]\nservers = \"hunter2\"\n",
        "[directory]\nservers = [\"hunter2\"]\n",
    ] {
        let problems = read(text).expect_err(text).to_string();
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}
