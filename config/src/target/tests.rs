use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

#[test]
fn every_written_form_is_read_and_printed_in_one_way() {
    for (written, printed) in [
        ("www.Example.org", "www.example.org:443"),
        ("www.example.org.:8443", "www.example.org:8443"),
        ("localhost:8443", "localhost:8443"),
        ("192.0.2.7:443,8443", "192.0.2.7:443,8443"),
        ("192.0.2.9/28:443", "192.0.2.0/28:443"),
        ("[2001:db8::1]:636", "[2001:db8::1]:636"),
        ("2001:db8::1", "[2001:db8::1]:443"),
        // The end is no port: one digit, a letter, dots, or no address before it.
        ("2001:db8::1:4", "[2001:db8::1:4]:443"),
        ("2001:db8::1:44a", "[2001:db8::1:44a]:443"),
        ("2001:db8::8888", "[2001:db8::8888]:443"),
        ("2001:db8:0:1:2:3:4:443", "[2001:db8:0:1:2:3:4:443]:443"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:443"),
        ("[2001:db8::1:443]", "[2001:db8::1:443]:443"),
        ("2001:db8::/120", "[2001:db8::/120]:443"),
        ("[2001:db8::/120]:443", "[2001:db8::/120]:443"),
        ("192.0.2.10-192.0.2.40", "192.0.2.10-192.0.2.40:443"),
        ("192.0.2.10-40:25,mail", "192.0.2.10-192.0.2.40:25,465,587,993,143,995,110,4190,24,2525"),
        ("192.0.2.10-10", "192.0.2.10:443"),
        ("[2001:db8::1-2001:db8::ff]:8000-8002", "[2001:db8::1-2001:db8::ff]:8000-8002"),
        ("2001:db8::1-2001:db8::ff", "[2001:db8::1-2001:db8::ff]:443"),
        ("192.0.2.7-static.example.org", "192.0.2.7-static.example.org:443"),
        ("example.org:directory", "example.org:636,389,3269,3268"),
        ("tls://mx.example.org:25", "tls://mx.example.org:25"),
        ("TLS://[2001:db8::1]:443", "tls://[2001:db8::1]:443"),
        ("smtp+tls://mx.example.org:2525", "smtp+tls://mx.example.org:2525"),
        ("smtp+tls://mx.example.org", "smtp+tls://mx.example.org:25"),
        ("postgresql+tls://db.example.org", "postgres+tls://db.example.org:5432"),
        ("192.0.2.7?sni=A.example,b.example.,a.example", "192.0.2.7:443?sni=a.example,b.example"),
        (" 192.0.2.7:443 ", "192.0.2.7:443"),
        // Places.
        ("tls://192.0.2.7:443?sni=www.example.org", "tls://192.0.2.7:443?sni=www.example.org"),
        ("xmpp-server+tls://192.0.2.7:5269", "xmpp-server+tls://192.0.2.7:5269"),
        (
            "smtp+tls://192.0.2.7:25?sni=mx.example.org",
            "smtp+tls://192.0.2.7:25?sni=mx.example.org",
        ),
    ] {
        let target: Target = written.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(target.to_string(), printed, "{written}");
        assert_eq!(printed.parse(), Ok(target), "{printed}");
    }
}

#[test]
fn the_scheme_says_what_comes_before_tls() {
    for (written, opening) in [
        ("example.org:25", Opening::ByPort),
        ("tls://example.org:25", Opening::Tls),
        ("ldap+tls://example.org:3890", Opening::StartTls(StartTls::Ldap)),
    ] {
        assert_eq!(written.parse::<Target>().map(|target| target.opening), Ok(opening));
    }
}

#[test]
fn what_is_no_target_is_refused_with_the_reason() {
    for (written, why) in [
        ("", "the host is neither"),
        ("host:0", "port `0`"),
        ("host:70000", "port `70000`"),
        ("host:+1", "port `+1`"),
        ("host:", "port ``"),
        ("host:x", "web, mail, directory"),
        ("host:9-8", "wrong way round"),
        ("300.0.0.1", "the host is neither"),
        ("[::1", "a `]` is missing"),
        ("[::1]x", "a `]` is missing"),
        ("a b", "the host is neither"),
        ("10.0.0.0/33", "the host is neither"),
        ("host..example", "the host is neither"),
        ("example.org..", "the host is neither"),
        ("--all", "the host is neither"),
        ("-", "the host is neither"),
        ("192.0.2.40-10", "ends before it begins"),
        ("192.0.2.40-192.0.2.10", "ends before it begins"),
        ("192.0.2.40-256", "does not end in an address"),
        ("192.0.2.40-", "does not end in an address"),
        ("192.0.2.1-192.0.2", "does not end in an address"),
        ("[192.0.2.1-2001:db8::1]", "one family"),
        ("[2001:db8::1-192.0.2.1]", "one family"),
        ("[2001:db8::2-2001:db8::1]", "ends before it begins"),
        ("[2001:db8::2-9]:443", "does not end in an address"),
        ("https://www.example.org", "there may be tls, ftp+tls"),
        ("telnet+tls://example.org", "`telnet` is no protocol"),
        ("tls://", "the host is neither"),
        ("192.0.2.7?name=a", "after ? there may be sni="),
        ("192.0.2.7?sni=", "`` is not a name"),
        ("192.0.2.7?sni=a,,b", "`` is not a name"),
        ("192.0.2.7?sni=192.0.2.7", "`192.0.2.7` is not a name"),
        ("tls://192.0.2.7:443/path", "port `443/path`"),
    ] {
        let error = written.parse::<Target>().expect_err(written).to_string();
        assert!(error.contains(why), "{written}: {error}");
    }
}

#[test]
fn a_message_is_short_and_holds_nothing_for_the_terminal() {
    let evil = format!("\u{1b}[31m{}", "x".repeat(10_000));
    for written in
        [evil.clone(), format!("{evil}+tls://a"), format!("a:{evil}"), format!("a?sni={evil}")]
    {
        let message = written.parse::<Target>().unwrap_err().to_string();
        assert!(message.len() < 600 && !message.contains('\u{1b}'), "{message:?}");
    }
}

#[test]
fn a_list_has_comments_blank_lines_and_several_targets_a_line() {
    let text = "\u{feff}# the web\r\nwww.example.org  192.0.2.7:443\r\n\r\n\
                \t192.0.2.0/28:mail # and mail\nexample.net#none\n#\n";
    let targets = Target::parse_list("hosts.txt", text).expect("a list");
    let hosts: Vec<String> = targets.iter().map(|target| target.hosts.to_string()).collect();
    assert_eq!(hosts, ["www.example.org", "192.0.2.7", "192.0.2.0/28", "example.net"]);
    assert_eq!(Target::parse_list("hosts.txt", "# none\n"), Ok(Vec::new()));
}

#[test]
fn all_problems_of_a_list_come_at_once_with_file_and_line() {
    let text = "good.example\nbad:0 good.example also:bad\r\n# :0\n\n192.0.2.9-1\n";
    let problems = Target::parse_list("hosts.txt", text).expect_err("three are wrong");
    let lines: Vec<usize> = problems.0.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 2, 5]);
    let message = problems.to_string();
    assert!(message.starts_with("hosts.txt:2: `bad:0` is not a target: port `0`"), "{message}");
}

#[test]
fn ipv6_without_brackets_that_may_end_in_a_port_is_refused() {
    for (written, why) in [
        (
            "2001:db8::1:443",
            "it may end in a port; write [2001:db8::1]:443, or [2001:db8::1:443] for the address",
        ),
        ("2001:db8::1:25", "[2001:db8::1]:25, or [2001:db8::1:25] for"),
        ("tls://2001:db8::1:8443?sni=a.test", "[2001:db8::1]:8443, or [2001:db8::1:8443] for"),
        (
            "2001:db8::1-2001:db8::2:443",
            "[2001:db8::1-2001:db8::2]:443, or [2001:db8::1-2001:db8::2:443] for",
        ),
        ("2001:db8::1:10443", "in brackets before a port; write [2001:db8::1]:10443"),
        ("2001:db8::1:443,mail", "in brackets before a port; write [2001:db8::1]:443,mail"),
        ("2001:db8::/64:443", "in brackets before a port; write [2001:db8::/64]:443"),
        ("2001:db8:0:1:2:3:4:5:443", "write [2001:db8:0:1:2:3:4:5]:443"),
        ("::ffff:192.0.2.1:443", "write [::ffff:192.0.2.1]:443"),
    ] {
        let error = written.parse::<Target>().expect_err(written).to_string();
        assert!(error.starts_with(&format!("`{written}` is not a target: ")), "{error}");
        assert!(error.contains(why) && !error.contains("network/bits"), "{written}: {error}");
    }
}

#[test]
fn a_long_list_of_all_ports_is_read_and_printed_at_once() {
    let list = "10.0.0.0/8:1-65535\n".repeat(10_000);
    let targets = Target::parse_list("hosts.txt", &list).expect("a list");
    assert_eq!(targets.iter().map(|target| target.ports.len()).sum::<usize>(), 655_350_000);
    assert!(targets.iter().all(|target| target.to_string() == "10.0.0.0/8:1-65535"));
}

#[test]
fn a_list_that_is_wrong_throughout_is_told_in_a_few_lines() {
    let list = "b\u{e4}d:0\n".repeat(50_000);
    let problems = Target::parse_list("hosts.txt", &list).expect_err("all are wrong");
    assert_eq!(problems.0.len(), 50_000);
    let told = problems.to_string();
    assert!(told.len() < 20_000 && told.ends_with("\nand 49950 more problems"), "{}", told.len());
}

fn hosts() -> impl Strategy<Value = Hosts> {
    let range = |(a, b): (IpAddr, IpAddr)| Hosts::Range(a.min(b), a.max(b));
    let v4 = any::<[u8; 4]>().prop_map(IpAddr::from);
    let v6 = any::<[u16; 8]>().prop_map(IpAddr::from);
    let address = prop_oneof![v4.clone(), v6.clone()];
    let network = |(address, bits): (IpAddr, u8)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        ipnet::IpNet::new(address, bits % (most + 1)).expect("few enough bits").trunc()
    };
    prop_oneof![
        name().prop_map(Hosts::Name),
        address.clone().prop_map(Hosts::Address),
        (address, any::<u8>()).prop_map(network).prop_map(Hosts::Network),
        (v4.clone(), v4).prop_filter("two", |(a, b)| a != b).prop_map(range),
        (v6.clone(), v6).prop_filter("two", |(a, b)| a != b).prop_map(range),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_-]{0,20}(\\.[a-z0-9-]{1,9}){0,2}\\.[a-z]{2,6}"
}

fn openings() -> impl Strategy<Value = Opening> {
    prop_oneof![
        Just(Opening::ByPort),
        Just(Opening::Tls),
        proptest::sample::select(StartTls::ALL).prop_map(Opening::StartTls),
    ]
}

fn once<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

fn ports() -> impl Strategy<Value = Ports> {
    let rows = proptest::collection::vec((1..=u16::MAX, 0u16..5), 1..9);
    rows.prop_map(|rows| {
        let ports = rows.into_iter().flat_map(|(first, more)| first..=first.saturating_add(more));
        ports.collect()
    })
}

proptest! {
    #[test]
    fn a_printed_target_reads_back_as_the_same(
        (hosts, opening) in (hosts(), openings()),
        ports in ports(),
        server_names in proptest::collection::vec(name(), 0..4).prop_map(once),
    ) {
        let target = Target { hosts, ports, opening, server_names };
        prop_assert_eq!(target.to_string().parse(), Ok(target));
    }

    #[test]
    fn no_text_is_too_strange(text in "([a-z0-9:/.,?=\\[\\]+-]|tls://|sni=|\\PC){0,40}") {
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(target.to_string().parse(), Ok(target));
        }
    }
}
