//! What web servers and proxies are asked to do.

mod common;

use common::{part, ports, read, versions};

const NGINX: &str = "/etc/nginx/nginx.conf";

#[test]
fn a_server_of_nginx_takes_over_what_it_does_not_say() {
    let found = read(&[
        (
            NGINX,
            "include modules/*.conf;\nevents {}\nhttp {\n  server {\n    listen 443 ssl;\n    \
             server_name a.example.org \"\" *.b.example.org;\n    ssl_certificate a.pem;\n    \
             ssl_certificate_key \"engine:pkcs11:pkcs11:object=a?pin-value=1234\";\n    \
             location / { proxy_pass https://x; proxy_ssl_verify off; }\n  }\n  \
             ssl_certificate /srv/all.pem; ssl_certificate_key /srv/all.key;\n  \
             ssl_protocols TLSv1.2 TLSv1.3;\n  ssl_ciphers 'HIGH:!aNULL';\n  \
             ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;\n  include sites/*;\n}\n",
        ),
        (
            "/etc/nginx/sites/shop",
            "# A comment; with { and }\nserver {\n  listen [::]:443;\n  listen 192.0.2.1:8443 ssl;\n  \
             listen 443 quic; listen 443 ssl;\n  listen 80; listen 8000-8001 ssl;\n  \
             server_name shop.example.org;\n  ssl_certificate $ssl_server_name.pem;\n  \
             ssl_certificate_key ../../srv/shop.key;\n  ssl_protocols TLSv1;\n  \
             ssl_password_file /srv/secret;\n  access_by_lua_block { if x then y = '}' .. '{' end }\n  \
             ssl_verify_client on;\n  ssl_client_certificate clients.pem;\n}\n\
             server { listen 80; server_name plain.example.org; }\n",
        ),
    ]);
    assert_eq!(found.len(), 2, "{found:#?}");
    let first = part(&found, "server a.example.org");
    assert_eq!((first.software.as_str(), first.line), ("nginx", 4));
    assert_eq!(first.server_names, ["a.example.org", "*.b.example.org"]);
    assert_eq!(first.certificates, ["/etc/nginx/a.pem"]);
    assert!(first.keys.is_empty());
    assert_eq!(first.settings["ssl_certificate_key"], "engine:pkcs11:pkcs11:object=a");
    assert_eq!(first.settings["proxy_ssl_verify"], "off");
    assert_eq!(first.settings["ssl_conf_command"], "Ciphersuites TLS_AES_256_GCM_SHA384");
    assert_eq!(versions(first).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(first.suites.as_deref(), Some("HIGH:!aNULL"));

    let shop = part(&found, "server shop.example.org (/etc/nginx/sites/shop:2)");
    assert_eq!(ports(shop), ["443", "8000", "8001", "192.0.2.1 8443"]);
    assert_eq!(shop.settings["listen"], "443 quic");
    assert!(shop.certificates.is_empty(), "a list that is set is set as a whole");
    assert_eq!(shop.unresolved, ["ssl_certificate $ssl_server_name.pem"]);
    assert_eq!(shop.keys, ["/srv/shop.key"]);
    assert_eq!(shop.trusts, ["/etc/nginx/clients.pem"]);
    assert_eq!(versions(shop).as_deref(), Some("TLSv1.0"));
    assert!(!format!("{found:?}").contains("secret"), "{found:?}");
    assert!(!format!("{found:?}").contains("1234"), "{found:?}");
}

#[test]
fn tls_on_an_address_of_nginx_is_on_for_all_who_listen_there() {
    let text = "http { server { listen 443 ssl; ssl_certificate a.pem; server_name a; }\n\
                server { listen 443; server_name b; } server { listen 8443; server_name c; } }";
    let found = read(&[(NGINX, text)]);
    let names: Vec<_> = found.iter().flat_map(|one| &one.server_names).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(versions(&found[1]), None, "nobody said a word about versions");
}

#[test]
fn nginx_for_mail_changes_to_tls_and_for_streams_begins_with_it() {
    let found = read(&[(
        NGINX,
        "mail { starttls on; ssl_certificate m.pem; server { listen 25; protocol smtp; }\n\
         server { listen 110; } server { listen 993 ssl; starttls off; } }\n\
         stream { ssl_protocols TLSv1.3; server { listen 5000 ssl; listen unix:/x ssl; } }",
    )]);
    let all: Vec<_> = found.iter().map(|one| (one.part.clone().unwrap(), ports(one))).collect();
    let mail = |ports: &str| ("mail server".to_owned(), vec![ports.to_owned()]);
    let stream = ("stream server".to_owned(), vec!["5000".to_owned()]);
    assert_eq!(all, [mail("25/smtp"), mail("110/pop3"), mail("993"), stream]);
    assert_eq!(found[3].settings["listen"], "unix:/x ssl");
}

#[test]
fn what_is_missing_or_goes_round_is_said() {
    let found = read(&[
        (NGINX, "http { include gone.conf; include round.conf;\n server { listen 443 ssl; } }"),
        ("/etc/nginx/round.conf", "include nginx.conf; include round.conf;"),
    ]);
    assert_eq!(
        found[0].unresolved,
        [
            "/etc/nginx/gone.conf cannot be read",
            "/etc/nginx/nginx.conf includes itself",
            "/etc/nginx/round.conf includes itself"
        ]
    );
    // A file of this name that is none of nginx's.
    assert!(read(&[(NGINX, "include x; server { listen 443 ssl; }")]).is_empty());
}

/// As nginx 1.22 answered: of two servers on one socket the one without `ssl` speaks TLS as well.
#[test]
fn a_socket_of_nginx_is_the_same_however_it_is_written() {
    for (with, without, same) in [
        ("443", "*:443", true),
        ("*:443", "0.0.0.0:443", true),
        ("0.0.0.0:443", "443", true),
        ("440-450", "443", true),
        ("[::]:443", "443", false),
        ("192.0.2.1:443", "443", false),
        ("443", "[::]:443", false),
    ] {
        let text = format!(
            "http {{ server {{ listen {with} ssl; }} server {{ listen {without}; server_name b; }} }}"
        );
        let found = read(&[(NGINX, &text)]);
        let second = found.iter().find(|one| one.server_names == ["b"]);
        assert_eq!(second.map(ports), same.then(|| vec!["443".to_owned()]), "{with} {without}");
    }
}

#[test]
fn virtual_hosts_of_apache_take_over_what_they_do_not_say() {
    let found = read(&[
        (
            "/etc/apache2/apache2.conf",
            "Define certs /srv/certs\nIncludeOptional mods-enabled/*.conf\n\
             Include sites-enabled\nInclude ports.conf\nInclude gone.conf\n\
             MDomain md.example.org www.md.example.org\n",
        ),
        (
            "/etc/apache2/mods-enabled/ssl.conf",
            "<IfModule mod_ssl.c>\n SSLCipherSuite HIGH:!aNULL\n SSLProtocol all -SSLv3\n\
             </IfModule>\n<IfModule !mod_ssl.c>\n SSLProtocol SSLv3\n</IfModule>\n",
        ),
        ("/etc/apache2/ports.conf", "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\n"),
        (
            "/etc/apache2/sites-enabled/www.conf",
            "<VirtualHost *:443>\n ServerName https://www.example.org:443\n ServerAlias \\\n  \
             example.org\n SSLEngine on\n \
             SSLCertificateFile \"${certs}/www.pem\"\n SSLCertificateKeyFile ssl/www.key\n \
             SSLCertificateChainFile ${chains}/c.pem\n SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384\n\
             </VirtualHost>\n<VirtualHost 192.0.2.1:8443>\n SSLEngine ON\n \
             SSLProtocol -all +TLSv1.2 +SSLv3\n SSLVerifyClient require\n \
             SSLCACertificateFile ca.pem\n</VirtualHost>\n\
             <VirtualHost *:80>\n ServerName plain.example.org\n</VirtualHost>\n\
             <VirtualHost *:443>\n ServerName md.example.org\n SSLEngine on\n</VirtualHost>\n\
             <IfDefine NEVER>\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n</IfDefine>\n",
        ),
    ]);
    assert_eq!(found.len(), 3, "{found:#?}");
    let www = part(&found, "VirtualHost www.example.org (/etc/apache2/sites-enabled/www.conf:1)");
    assert_eq!(www.server_names, ["www.example.org", "example.org"]);
    assert_eq!(ports(www), ["443"]);
    assert_eq!(versions(www).as_deref(), Some("TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3"));
    assert_eq!(www.certificates, ["/srv/certs/www.pem"]);
    assert_eq!(www.keys, ["/etc/apache2/ssl/www.key"]);
    assert_eq!(www.settings["SSLCipherSuite TLSv1.3"], "TLS_AES_256_GCM_SHA384");
    assert_eq!(
        www.unresolved,
        ["SSLCertificateChainFile ${chains}/c.pem", "/etc/apache2/gone.conf cannot be read"]
    );
    let second = "VirtualHost 192.0.2.1:8443 (/etc/apache2/sites-enabled/www.conf:11)";
    let second = part(&found, second);
    assert_eq!(ports(second), ["192.0.2.1 8443"]);
    assert_eq!(versions(second).as_deref(), Some("SSLv3 TLSv1.2"));
    assert_eq!(second.suites.as_deref(), Some("HIGH:!aNULL"));
    assert_eq!(second.trusts, ["/etc/apache2/ca.pem"]);
    assert_eq!(second.settings["SSLVerifyClient"], "require");
    assert_eq!(found[2].settings["MDomain"], "md.example.org www.md.example.org");
}

#[test]
fn the_order_of_words_counts_in_a_protocol_list_of_apache() {
    for (written, expected) in [
        ("TLSv1.2 TLSv1.3", "TLSv1.3"),
        ("-all TLSv1.3", "TLSv1.3"),
        ("all -TLSv1 -TLSv1.1", "TLSv1.2 TLSv1.3"),
        ("+SSLv3 +TLSv1", "SSLv3 TLSv1.0"),
    ] {
        let text = format!("SSLEngine on\nSSLProtocol {written}\nListen 8443 https\n");
        let found = read(&[("/etc/httpd/conf/httpd.conf", &text)]);
        assert_eq!(versions(&found[0]).as_deref(), Some(expected), "{written}");
        assert_eq!(ports(&found[0]), ["8443"]);
    }
}

#[test]
fn each_listener_of_haproxy_has_its_own_words_and_those_of_all() {
    let found = read(&[
        (
            "/etc/haproxy/haproxy.cfg",
            "global\n  crt-base /etc/haproxy/certs\n  setenv PORT 9443\n  \
             ssl-default-bind-ciphers ECDHE+AESGCM # why\n  \
             ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\nfrontend www\n  \
             bind :80\n  bind *:443,[2001:db8::1]:443 ssl crt www.pem alpn h2,http/1.1\n  \
             bind 192.0.2.1:8443 ssl crt folder ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.2 \
             ciphers ALL ca-file /srv/ca.pem verify required\n  \
             bind \":${PORT}\" ssl crt-list list.txt force-tlsv13\n  \
             bind :7443 ssl crt \"${HOME}/x.pem\"\nlisten x\n  bind :::6443 name ssl\n",
        ),
        ("/etc/haproxy/certs/folder/a.pem", ""),
        ("/etc/haproxy/certs/folder/a.pem.key", ""),
        ("/etc/haproxy/certs/folder/b.pem", ""),
        ("/etc/haproxy/certs/folder/b.pem.ocsp", ""),
        (
            "/etc/haproxy/certs/list.txt",
            "# names\nc.pem [alpn h2 ssl-min-ver TLSv1.0] c.example.org !x.example.org\nd.pem\n",
        ),
    ]);
    assert_eq!(found.len(), 4, "{found:#?}");
    let www = part(&found, "frontend www bind *:443,[2001:db8::1]:443");
    assert_eq!((www.line, ports(www)), (8, vec!["443".to_owned(), "2001:db8::1 443".to_owned()]));
    assert_eq!(versions(www).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(www.suites.as_deref(), Some("ECDHE+AESGCM"));
    assert_eq!(www.certificates, ["/etc/haproxy/certs/www.pem"]);
    assert_eq!(www.keys, www.certificates);
    assert_eq!((&*www.settings["alpn"], &*www.settings["no-tls-tickets"]), ("h2,http/1.1", "on"));

    let old = part(&found, "frontend www bind 192.0.2.1:8443");
    assert_eq!(versions(old).as_deref(), Some("TLSv1.0 TLSv1.1 TLSv1.2"));
    let folder = "/etc/haproxy/certs/folder";
    assert_eq!(old.certificates, [format!("{folder}/a.pem"), format!("{folder}/b.pem")]);
    assert_eq!(old.keys, [format!("{folder}/a.pem.key"), format!("{folder}/b.pem")]);
    assert_eq!(
        (old.trusts.as_slice(), old.suites.as_deref()),
        (&["/srv/ca.pem".to_owned()][..], Some("ALL"))
    );

    let list = part(&found, "frontend www bind :9443");
    assert_eq!(list.server_names, ["c.example.org"]);
    assert_eq!(list.certificates.len(), 2);
    assert_eq!(versions(list).as_deref(), Some("TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3"));
    assert_eq!(found[3].unresolved, ["crt ${HOME}/x.pem"]);
}

/// As HAProxy 2.6 answered clients of each version.
#[test]
fn bounds_of_haproxy_set_aside_what_excludes_single_versions() {
    for (written, expected) in [
        ("", Some("TLSv1.2")),
        ("ssl-min-ver TLSv1.0", Some("TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3")),
        ("ssl-max-ver TLSv1.1", Some("TLSv1.1")),
        ("ssl-max-ver TLSv1.3", Some("TLSv1.2 TLSv1.3")),
    ] {
        let text = format!(
            "global\n ssl-default-bind-options no-tlsv13\nfrontend a\n bind :443 ssl crt a {written}\n"
        );
        let found = read(&[("/etc/haproxy/haproxy.cfg", &text)]);
        assert_eq!(versions(&found[0]).as_deref(), expected, "{written}");
    }
    let found = read(&[("/etc/haproxy/haproxy.cfg", "frontend a\n bind :443 ssl crt a.pem\n")]);
    assert_eq!(versions(&found[0]), None, "HAProxy decides");
}
