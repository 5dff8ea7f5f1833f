use super::*;

fn scope(trees: &[&str], tls: &[&str]) -> Scope {
    Scope { trees: owned(trees), tls: owned(tls), ..Scope::default() }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|item| (*item).to_owned()).collect()
}

fn of(text: &str, loopback: &[&str]) -> Scope {
    let settings = Settings::parse("s.toml", text).expect("settings");
    let found: Vec<Target> = loopback.iter().map(|t| t.parse().expect("a target")).collect();
    Scope::of(&settings, &found, None)
}

const WIDE: &str = r#"
    [tls]
    targets = ["192.0.2.0/24:443", "b.test"]
    loopback = true
    exclude = ["192.0.2.7", "[2001:db8::1]", "secret.test"]
    depth = "posture"
    [tls.server_names]
    "192.0.2.0/25" = ["www.test"]
    "2001:db8::/64" = ["v6.test"]
    [filesystem]
    roots = ["/srv"]
    exclude = ["/srv/tmp", "**/*.bak"]
    include = ["**/*.pem", "*.war"]
    network_filesystems = true
    max_file_bytes = 5000
    [filesystem.archives]
    depth = 3
    [[filesystem.passwords]]
    paths = ["*.p12"]
    env = "P"
    [[directory.servers]]
    domain = "corp.example"
    name = "reader@corp.example"
    password_env = "DP"
    bases = ["DC=corp,DC=example", "DC=sub,DC=corp,DC=example"]
    referrals = ["*.corp.example"]
    accounts = false
    max_entries = 700
    timeout_secs = 30
    [[directory.servers]]
    url = "ldap://ldap.test"
    [[directory.dumps]]
    path = "/srv/corp.ldif"
    [[directory.records]]
    path = "/srv/tmp/ca.csv"
    [pkcs11]
    p11_kit = true
    only = ["pkcs11:token=A", "pkcs11:serial=7"]
    max_objects = 900
    deadline_secs = 99
    [[pkcs11.modules]]
    path = "/usr/lib/p11.so"
    [[pkcs11.logins]]
    token = "pkcs11:token=A"
    pin_env = "PIN"
"#;

#[test]
fn a_scope_is_read_back_as_it_was_recorded() {
    let mut whole = of(WIDE, &["127.0.0.1:22"]);
    whole.clock = Some("2026-11-21T00:00:00Z".to_owned());
    assert_eq!(Scope::from_json(&whole.to_json()), whole);
    let none = of("[tls]\ntargets = [\"127.0.0.1:22\"]\n", &[]);
    assert_eq!(Scope::from_json(&none.to_json()), none, "nobody asked for what listens");
    whole.continues = Some(RunId(7));
    assert_eq!(
        whole.sentences(),
        [
            "Files below /srv.",
            "Of them only **/*.pem, *.war.",
            "Filesystems of other hosts as well.",
            "Of one file at most 5000 octets.",
            "Archives 3 deep, 250 octets for one, at most 17179869184 octets and 2000000 entries of \
             one file.",
            "TLS at 192.0.2.0/24:443, b.test:443, 127.0.0.1:22.",
            "Also asked for by name: www.test in 192.0.2.0/25, v6.test in [2001:db8::/64].",
            "Depth: posture.",
            "Directory corp.example over ldaps, as reader@corp.example, below DC=corp,DC=example; \
             DC=sub,DC=corp,DC=example, without accounts, at most 700 entries.",
            "Directory ldap.test over plain, as nobody.",
            "Directories as dumped in /srv/corp.ldif.",
            "Records of authorities in /srv/tmp/ca.csv.",
            "Tokens of /usr/lib/p11.so, the modules that p11-kit is configured with.",
            "Of them only pkcs11:token=A, pkcs11:serial=7.",
            "Logged in to pkcs11:token=A.",
            "Of one token at most 900 objects of a class.",
            "Left out: /srv/tmp, **/*.bak, 192.0.2.7, [2001:db8::1], secret.test.",
            "The clock was set to 2026-11-21T00:00:00Z.",
            "Goes on with run 7.",
        ]
    );
}

#[test]
fn the_first_records_are_understood() {
    let older = r#"{"filesystem":["/a"],"tls":["b:443","127.0.0.1:22,80"],
                    "left_out":["/a/c","192.0.2.7:443"],"continues":3}"#;
    let read = Scope::from_json(older);
    let expected = Scope {
        loopback: Some(owned(&["127.0.0.1:22,80"])),
        trees_left_out: owned(&["/a/c"]),
        files: Files {
            one_filesystem: false,
            network_filesystems: true,
            archives: None,
            well_known_passwords: false,
            ..Files::default()
        },
        hosts_left_out: owned(&["192.0.2.7"]),
        continues: Some(RunId(3)),
        ..scope(&["/a"], &["b:443"])
    };
    assert_eq!(read, expected);
}

#[test]
fn the_same_work_is_the_same_places_to_the_same_depth() {
    let one = of(WIDE, &["127.0.0.1:22"]);
    let same = |text: &str, found: &[&str]| one.is_same_work_as(&of(text, found));
    assert!(same(WIDE, &["127.0.0.1:80", "[::1]:80"]), "what listens changes");
    for (before, after) in [
        ("\"b.test\"", "\"c.test\""),
        ("\"b.test\"", "\"b.test\", \"127.0.0.9:22\""),
        ("loopback = true", "loopback = false"),
        ("\"192.0.2.7\", ", ""),
        ("\"192.0.2.7\", ", "\"192.0.2.7\", \"192.0.2.8\", "),
        ("posture", "suites"),
        ("\"www.test\"", "\"www.test\", \"mail.test\""),
        ("\"192.0.2.0/25\" = [\"www.test\"]", ""),
        ("192.0.2.0/25", "192.0.2.0/26"),
        ("\"/srv\"", "\"/srv\", \"/opt\""),
        ("\"/srv/tmp\",", ""),
        (", \"**/*.bak\"", ""),
        ("\"**/*.pem\", ", ""),
        ("network_filesystems = true", ""),
        ("network_filesystems = true", "one_filesystem = false"),
        ("= 5000", "= 5001"),
        ("depth = 3", "depth = 2"),
        ("depth = 3", "depth = 3\nratio = 3"),
        ("depth = 3", "open = false"),
        ("max_file", "well_known_passwords = false\nmax_file"),
        ("*.p12", "*.jks"),
        ("domain = \"corp.example\"", "domain = \"other.example\""),
        ("reader@", "other@"),
        ("\"DC=corp,DC=example\", ", ""),
        ("referrals = [\"*.corp.example\"]", ""),
        ("accounts = false", ""),
        ("= 700", "= 701"),
        ("ldap://ldap.test", "ldap://ldap.test:1389"),
        ("corp.ldif", "b.ldif"),
        ("/srv/tmp/ca.csv", "/srv/tmp/b.csv"),
        ("p11_kit = true", "p11_kit = false"),
        (", \"pkcs11:serial=7\"", ""),
        ("= 900", "= 901"),
        ("/usr/lib/p11.so", "/usr/lib/p12.so"),
        ("token = \"pkcs11:token=A\"", "token = \"pkcs11:token=B\""),
    ] {
        let other = WIDE.replacen(before, after, 1);
        assert_ne!(other, WIDE);
        assert!(!same(&other, &["127.0.0.1:22"]), "{before} -> {after}");
    }
    for (before, after) in [
        ("max_file", "nice = 0\nthreads = 9\nincremental = false\nmax_file"),
        ("env = \"P\"", "file = \"/p\""),
        ("pin_env = \"PIN\"", "pin_prompt = true\nattempt = 3"),
        ("deadline_secs = 99", "memory_mib = 900"),
        ("password_env = \"DP\"", "password_prompt = true"),
        ("timeout_secs = 30", "timeout_secs = 5\npage_size = 7\nstarttls = true"),
    ] {
        let other = WIDE.replacen(before, after, 1);
        assert!(same(&other, &[]), "{before} -> {after}");
    }
    let files = scope(&["/a"], &[]);
    assert!(files.is_same_work_as(&Scope { depth: Depth::Suites, ..files.clone() }));
}

#[test]
fn only_a_wider_scope_covers() {
    let wide = of(WIDE, &["127.0.0.1:22"]);
    let less = WIDE
        .replace("\"b.test\"", "")
        .replace("posture", "certificate")
        .replace("\"192.0.2.7\", ", "\"192.0.2.7\", \"192.0.2.8\", ")
        .replace("\"192.0.2.0/25\" = [\"www.test\"]", "");
    let narrow = of(&less, &[]);
    assert!(wide.covers(&narrow) && !narrow.covers(&wide));
    assert!(wide.covers(&scope(&[], &[])) && !wide.covers(&scope(&["/srv"], &[])));
    assert!(!scope(&["/srv"], &[]).covers(&wide));
    // All tokens are more than some, and what is seen with a login is more than without.
    let only = "only = [\"pkcs11:token=A\", \"pkcs11:serial=7\"]";
    let all = of(&WIDE.replace(only, ""), &[]);
    assert!(all.covers(&wide) && !wide.covers(&all));
    let without = of(&WIDE[..WIDE.find("[[pkcs11.logins]]").expect("a login")], &[]);
    assert!(wide.covers(&without) && !without.covers(&wide));
    let told = without.sentences();
    assert!(told.contains(&"Without a login to any token.".to_owned()), "{told:?}");
}

#[test]
fn what_is_left_out_on_purpose_is_known() {
    let scope = of(&WIDE.replace("\"192.0.2.7\"", "\"192.0.2.7\", \"192.0.2.64/28\""), &[]);
    let left_out = scope.left_out();
    for place in [
        "file:///srv/tmp",
        "file:///srv/tmp/a/b.pem#2",
        "file:///srv/x.bak",
        "file:///srv/x.bak/a.pem",
        "file:///srv/a.key",
        "tls://192.0.2.7:443",
        "smtp+tls://192.0.2.7:25?sni=www.test",
        "tls://192.0.2.64:443",
        "tls://192.0.2.79:443?sni=www.test",
        "tls://[::ffff:192.0.2.7]:443",
        "tls://[2001:db8::1]:8443",
        "tls://secret.test:443?sni=secret.test",
        "tls://198.51.100.1:443?sni=SECRET.test.",
        // No longer asked for, or not there.
        "tls://192.0.2.1:443?sni=old.test",
        "tls://192.0.2.200:443?sni=www.test",
        "tls://192.0.2.1:443?sni=v6.test",
    ] {
        assert!(left_out.holds(&place.parse().expect("a place")), "{place}");
    }
    for place in [
        "file:///srv/tmp2/a.pem",
        "file:///srv/a.pem",
        "file:///srv/a.war!/b.key#1",
        // They are read because they are named.
        "file:///srv/corp.ldif!/CN=x,DC=corp",
        "file:///srv/tmp/ca.csv#7",
        "ldap://corp.example/CN=x,DC=corp#1",
        "tls://192.0.2.6:443",
        "tls://192.0.2.80:443",
        "tls://192.0.2.1:443?sni=www.test",
        "tls://198.51.100.1:443?sni=b.test",
        "tls://[2001:db8::2]:443?sni=v6.test",
        "scope:tls",
    ] {
        assert!(!left_out.holds(&place.parse().expect("a place")), "{place}");
    }
    // Nobody knows which names a run of before asked for.
    let older = Scope { server_names: None, ..scope };
    let place = "tls://192.0.2.1:443?sni=old.test".parse().expect("a place");
    assert!(!older.left_out().holds(&place));
}

#[test]
fn long_lists_are_counted() {
    let many: Vec<String> = (0..20).map(|n| format!("host{n}:443")).collect();
    let told = Scope { tls: many, ..Scope::default() }.sentences();
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("host11:443 and 8 more."), "{told:?}");
}

#[test]
fn only_what_reads_at_least_as_much_of_files_covers() {
    let of = |keys: &str| of(&format!("[filesystem]\nroots = [\"/srv\"]\n{keys}\n"), &[]);
    for (more, less) in [
        ("", "include = [\"*.pem\"]"),
        ("include = [\"*.pem\", \"*.key\"]", "include = [\"*.pem\"]"),
        ("", "exclude = [\"*.bak\"]"),
        ("one_filesystem = false", ""),
        ("network_filesystems = true", ""),
        ("", "max_file_bytes = 5000"),
        ("", "archives.open = false"),
        ("", "archives.max_entries = 3"),
        ("archives.depth = 9", ""),
        ("", "well_known_passwords = false"),
        ("[[filesystem.passwords]]\npaths = [\"*.p12\"]\nenv = \"P\"", ""),
    ] {
        let (more, less) = (of(more), of(less));
        assert!(more.covers(&less) && !less.covers(&more), "{more:?}\n{less:?}");
    }
    // Runs of before all this was recorded opened no archive.
    let older = Scope::from_json(r#"{"filesystem":["/srv"],"hosts_left_out":[]}"#);
    assert!(!older.covers(&of("")) && !of("").covers(&older));
    let like = "archives.open = false\none_filesystem = false\nnetwork_filesystems = true\n\
                well_known_passwords = false";
    assert!(older.is_same_work_as(&of(like)));
    let closed = of(like).left_out();
    let within = |place: &str| closed.holds(&place.parse().expect("a place"));
    assert!(within("file:///srv/a.war!/b.pem#1") && !within("file:///srv/a.war#1"));
}

#[test]
fn only_what_reads_at_least_as_much_of_directories_covers() {
    let of = |keys: &str| of(&format!("[[directory.servers]]\nurl = \"ldaps://a\"\n{keys}\n"), &[]);
    for (more, less) in [
        ("", "accounts = false"),
        ("", "bases = [\"DC=a\"]"),
        ("bases = [\"DC=a\", \"DC=b\"]", "bases = [\"DC=a\"]"),
        ("referrals = [\"b.test\"]", ""),
        ("", "max_entries = 7"),
        ("[[directory.servers]]\nurl = \"ldaps://b\"", ""),
        ("[[directory.dumps]]\npath = \"/d\"", ""),
        ("[[directory.records]]\npath = \"/r\"", ""),
    ] {
        let (more, less) = (of(more), of(less));
        assert!(more.covers(&less) && !less.covers(&more), "{more:?}\n{less:?}");
    }
    let (nobody, somebody) = (of(""), of("name = \"cn=x\"\npassword_env = \"P\""));
    assert!(!nobody.covers(&somebody) && !somebody.covers(&nobody), "each sees what it may");
    // Runs of before directories were read asked for none.
    let older = Scope::from_json(r#"{"filesystem":["/srv"],"hosts_left_out":[]}"#);
    assert!(!older.covers(&nobody) && older.directories == Directories::default());
}
