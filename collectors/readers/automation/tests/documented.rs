//! Files after the documented formats of tools that are no Debian packages.

mod host;

use host::{Memory, alone, no_canary};
use pki_automation::recognise_link;
use pki_inventory::{Automation, AutomationRole, Time};

#[test]
fn acme_sh_tells_its_next_renewal_and_where_it_installs() {
    let found = alone(
        "/root/.acme.sh/a.example.org_ecc/a.example.org.conf",
        "Le_Domain='a.example.org'\nLe_Alt='b.example.org,*.a.example.org'\nLe_Webroot='dns_cf'\n\
         Le_PreHook=''\nLe_API='https://acme.zerossl.com/v2/DV90'\nLe_Keylength='ec-256'\n\
         Le_NextRenewTime='1700000000'\nLe_RealKeyPath='/etc/nginx/a.key'\n\
         Le_RealFullChainPath='~/a.pem'\nLe_RealCertPath=''\nSAVED_CF_Token='canary'\n\
         Le_ReloadCmd='__ACME_BASE64__START_Y2FuYXJ5__ACME_BASE64__END_'\n",
    );
    let expected = Automation {
        name: Some("a.example.org".to_owned()),
        domains: ["a.example.org", "b.example.org", "*.a.example.org"].map(str::to_owned).to_vec(),
        manages: ["/etc/nginx/a.key", "/root/.acme.sh/a.example.org_ecc/", "/root/a.pem"]
            .map(str::to_owned)
            .to_vec(),
        issuer: Some("https://acme.zerossl.com/v2/DV90".to_owned()),
        authenticator: Some("dns_cf".to_owned()),
        key_type: Some("ec-256".to_owned()),
        reuses_key: Some(true),
        next_renewal: Some(Time(1_700_000_000)),
        hook: Some(true),
        ..Automation::of("acme.sh", AutomationRole::Lineage)
    };
    assert_eq!(found, expected);
    assert!(!format!("{found:?}").contains("Y2FuYXJ5"));
    let webroot = alone(
        "/root/.acme.sh/c.example/c.example.conf",
        "Le_Domain='c.example'\nLe_Alt='no'\nLe_Webroot='/srv/www'\nLe_ForceNewDomainKey='1'\n",
    );
    assert_eq!(webroot.authenticator.as_deref(), Some("webroot"));
    assert_eq!((webroot.reuses_key, webroot.domains.len()), (Some(false), 1));
}

#[test]
fn caddy_tells_names_authority_and_chosen_moment() {
    let folder =
        "/var/lib/caddy/caddy/certificates/acme-v02.api.letsencrypt.org-directory/a.example";
    let found = alone(
        &format!("{folder}/a.example.json"),
        r#"{"sans":["a.example"],"issuer_data":{"url":"https://ca.example/cert/1",
            "ca":"https://ca.example/directory","account":"https://ca.example/acct/canary",
            "renewal_info":{"suggestedWindow":{"start":"2025-01-01T00:00:00Z"},
            "_selectedTime":"2025-01-02T03:04:05Z"}}}"#,
    );
    assert_eq!(found.domains, ["a.example"]);
    assert_eq!(found.manages, [format!("{folder}/")]);
    assert_eq!(found.issuer.as_deref(), Some("https://ca.example/directory"));
    assert_eq!(found.next_renewal, Some("2025-01-02T03:04:05Z".parse().unwrap()));
    no_canary(&[found]);
    let file =
        alone("/etc/caddy/Caddyfile", "{\n\tauto_https off\n\temail canary@example.org\n}\n");
    assert_eq!((file.role, file.active), (AutomationRole::Schedule, Some(false)));
    assert_eq!(alone("/etc/caddy/Caddyfile", "a.example {\n}\n").active, None);
}

#[test]
fn traefik_keeps_all_certificates_of_its_resolvers_in_one_file() {
    let text = r#"{"le":{"Account":{"Email":"canary@example.org","PrivateKey":"Y2FuYXJ5",
        "Registration":{"uri":"https://ca.example/acct/canary"},"KeyType":"EC256"},
        "Certificates":[{"domain":{"main":"a.example","sans":["b.example"]},
        "certificate":"canary","key":"canary","Store":"default"},
        {"domain":{"main":"c.example"},"key":"canary"}]},"other":{"Certificates":null}}"#;
    let found =
        Memory::default().file("/etc/traefik/acme.json", text).read_at("/etc/traefik/acme.json");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].domains, ["a.example", "b.example"]);
    assert_eq!(found[0].manages, ["/etc/traefik/acme.json"]);
    assert_eq!(found[0].name.as_deref(), Some("le"));
    assert_eq!(found[0].key_type.as_deref(), Some("EC256"));
    assert_eq!(found[0].issuer.as_deref(), Some("https://ca.example"));
    no_canary(&found);
    assert!(!format!("{found:?}").contains("Y2FuYXJ5"));
}

#[test]
fn win_acme_counts_what_went_well() {
    let found = alone(
        "/srv/copy/win-acme/acme-v02.api.letsencrypt.org/x1.renewal.json",
        "\u{feff}{\"Id\":\"x1\",\"LastFriendlyName\":\"[IIS] Shop\",\"PfxPasswordProtected\":\"canary\",
         \"TargetPluginOptions\":{\"CommonName\":\"a.example\",\"AlternativeNames\":[\"a.example\",\"b.example\"]},
         \"CsrPluginOptions\":{\"ReusePrivateKey\":true},\"InstallationPluginOptions\":[{\"Script\":\"canary.ps1\"}],
         \"History\":[{\"Date\":\"2025-01-01T00:00:00Z\",\"Success\":true},
         {\"Date\":\"2025-02-01T00:00:00Z\",\"Success\":false},
         {\"Date\":\"2025-03-01T00:00:00.1234567Z\",\"Success\":true,
          \"OrderResults\":[{\"Name\":\"main\",\"DueDate\":\"2025-04-25T00:00:00.1234567Z\"}]}]}",
    );
    assert_eq!((found.renewals, found.reuses_key, found.hook), (Some(1), Some(true), Some(true)));
    assert_eq!(found.name.as_deref(), Some("[IIS] Shop"));
    assert_eq!(found.domains, ["a.example", "b.example"]);
    assert_eq!(found.next_renewal, Some("2025-04-25T00:00:00Z".parse().unwrap()));
    assert_eq!(found.issuer.as_deref(), Some("acme-v02.api.letsencrypt.org"));
    no_canary(&[found]);
}

#[test]
fn posh_acme_and_getssl_and_acme_client_are_read() {
    let posh = alone(
        "/home/a/.config/Posh-ACME/LE_PROD/1/a.example/order.json",
        r#"{"MainDomain":"a.example","SANs":["b.example"],"KeyLength":"2048","AlwaysNewKey":false,
            "Plugin":["Route53"],"RenewAfter":"2025-05-01T00:00:00Z","PfxPass":"canary",
            "location":"https://ca.example/order/1"}"#,
    );
    assert_eq!((posh.domains.len(), posh.reuses_key), (2, Some(true)));
    assert_eq!(posh.next_renewal, Some("2025-05-01T00:00:00Z".parse().unwrap()));
    no_canary(&[posh]);
    let getssl = Memory::default()
        .file("/root/.getssl/getssl.cfg", "CA=\"https://ca.example\"\nREUSE_PRIVATE_KEY=\"true\"\n")
        .file(
            "/root/.getssl/a.example/getssl.cfg",
            "SANS=\"b.example,c.example\"\nRELOAD_CMD=\"canary\"\n\
             DOMAIN_CERT_LOCATION=\"/etc/ssl/a.crt;ssh:host:/canary\"\n",
        )
        .one("/root/.getssl/a.example/getssl.cfg");
    assert_eq!(getssl.domains, ["a.example", "b.example", "c.example"]);
    assert_eq!(getssl.manages, ["/etc/ssl/a.crt", "/root/.getssl/a.example/"]);
    assert_eq!((getssl.reuses_key, getssl.hook), (Some(true), Some(true)));
    no_canary(&[getssl]);
    let client = alone(
        "/etc/acme-client.conf",
        "authority le {\n api url \"https://ca.example\"\n account key \"/etc/acme/canary.pem\"\n}\n\
         domain a.example {\n alternative names { b.example c.example }\n\
         domain key \"/etc/ssl/private/a.key\" ecdsa\n domain certificate \"/etc/ssl/a.crt\"\n\
         domain full chain certificate \"/etc/ssl/a.pem\"\n sign with le\n}\n",
    );
    assert_eq!(client.domains, ["a.example", "b.example", "c.example"]);
    assert_eq!(client.manages, ["/etc/ssl/a.crt", "/etc/ssl/a.pem", "/etc/ssl/private/a.key"]);
    assert_eq!((client.issuer.as_deref(), client.key_type.as_deref()), (Some("le"), Some("ecdsa")));
    no_canary(&[client]);
}

#[test]
fn cert_manager_is_read_in_manifests_secrets_and_lists() {
    let yaml = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: shop}\nspec:\n  \
        secretName: shop-tls\n  dnsNames: [a.example, b.example]\n  issuerRef: {name: le}\n  \
        privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Never}\nstatus:\n  revision: 4\n  \
        renewalTime: \"2025-06-01T00:00:00Z\"\n---\napiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  \
        metadata:\n    annotations:\n      cert-manager.io/certificate-name: shop\n      \
        cert-manager.io/issuer-name: le\n      cert-manager.io/alt-names: a.example,b.example\n  \
        data: {tls.key: canary}\n---\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n    \
        cert-manager.io/cluster-issuer: ca\nspec:\n  tls:\n  - hosts: [c.example]\n";
    let found = Memory::default().file("/srv/k/dump.yaml", yaml).read_at("/srv/k/dump.yaml");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(found[0].key_type.as_deref(), Some("ECDSA 256"));
    assert_eq!((found[0].reuses_key, found[0].renewals), (Some(true), Some(3)));
    assert_eq!(found[0].next_renewal, Some("2025-06-01T00:00:00Z".parse().unwrap()));
    assert_eq!(found[1].domains, ["a.example", "b.example"]);
    assert_eq!(found[1].manages, ["/srv/k/dump.yaml"]);
    assert_eq!(found[2].issuer.as_deref(), Some("ca"));
    assert_eq!(found[2].domains, ["c.example"]);
    no_canary(&found);
    let json = r#"{"kind":"Secret","metadata":{"annotations":{"cert-manager.io/certificate-name":"x"}},
        "data":{"tls.key":"canary"}}"#;
    assert_eq!(alone("/srv/x.json", json).name.as_deref(), Some("x"));
}

#[test]
fn kubelet_has_rotated_when_there_are_older_files() {
    let link = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let newest = "/var/lib/kubelet/pki/kubelet-client-2025-05-01-10-00-00.pem";
    assert!(recognise_link(link.as_ref()));
    let read = |host: &Memory| pki_automation::read(link.as_ref(), b"", host);
    let once = Memory::default().link(link, newest).file(newest, "");
    assert_eq!((read(&once)[0].renewals, read(&once)[0].active), (Some(0), None));
    let twice = once.file("/var/lib/kubelet/pki/kubelet-client-2024-05-01-10-00-00.pem", "");
    let found = read(&twice);
    assert_eq!((found[0].renewals, found[0].active), (Some(1), Some(true)));
    assert_eq!(found[0].manages.len(), 3);
    let elsewhere = Memory::default().link(link, "/etc/kubernetes/client.pem");
    assert_eq!(read(&elsewhere), [], "a static file does not rotate");
    let settings =
        "kind: KubeletConfiguration\nrotateCertificates: true\nserverTLSBootstrap: false\n";
    let host = Memory::default().file("/var/lib/kubelet/config.yaml", settings);
    let found = host.read_at("/var/lib/kubelet/config.yaml");
    let said: Vec<_> = found.iter().map(|one| (one.name.as_deref().unwrap(), one.active)).collect();
    assert_eq!(said, [("kubelet-client", Some(true)), ("kubelet-server", Some(false))]);
    assert_eq!(found[0].manages, [link]);
}

#[test]
fn templates_for_vault_tell_what_they_ask_for() {
    let template = "{{ with secret \"pki/issue/web\" \"common_name=a.example\" \"alt_names=b.example,c.example\" }}\n\
        {{ .Data.certificate }}{{ end }}{{ with secret \"kv/canary\" }}{{ end }}\n";
    let alone_found = alone("/etc/ct/web.ctmpl", template);
    assert_eq!(alone_found.tool, "consul-template");
    assert_eq!(alone_found.domains, ["a.example", "b.example", "c.example"]);
    let agent = "auto_auth {\n method \"approle\" { config = { secret_id = \"canary\" } }\n}\n\
        template {\n  source = \"web.ctmpl\"\n  destination = \"/etc/ssl/web.pem\"\n  command = \"canary\"\n}\n\
        template {\n  contents = <<E\n{{ with pkiCert \"pki/issue/db\" \"common_name=db.example\" }}{{ .Cert }}{{ end }}\nE\n  \
        destination = \"/etc/ssl/db.pem\"\n}\n";
    let found = Memory::default()
        .file("/etc/vault/agent.d.hcl", agent)
        .file("/etc/vault/web.ctmpl", template)
        .read_at("/etc/vault/agent.d.hcl");
    let said: Vec<_> = found
        .iter()
        .map(|one| (one.name.as_deref().unwrap(), one.manages[0].as_str(), one.hook))
        .collect();
    assert_eq!(
        said,
        [
            ("pki/issue/web", "/etc/ssl/web.pem", Some(true)),
            ("pki/issue/db", "/etc/ssl/db.pem", None)
        ]
    );
    assert!(found.iter().all(|one| one.tool == "Vault Agent"));
    no_canary(&found);
}

#[test]
fn agents_of_meshes_and_authorities_are_named() {
    let spire = alone(
        "/opt/spire/conf/agent/agent.conf",
        "agent {\n  trust_domain = \"example.org\"\n  join_token = \"canary\"\n}\nplugins {\n  NodeAttestor \"join_token\" {\n}}\n",
    );
    assert_eq!(spire.issuer.as_deref(), Some("spiffe://example.org"));
    assert_eq!(spire.authenticator.as_deref(), Some("join_token"));
    no_canary(&[spire]);
    let step = alone(
        "/root/.step/config/defaults.json",
        r#"{"ca-url":"https://ca.example","fingerprint":"canary"}"#,
    );
    assert_eq!((step.issuer.as_deref(), step.active), (Some("https://ca.example"), None));
    no_canary(&[step]);
}

#[test]
fn tables_of_cron_are_read_in_each_of_their_forms() {
    let schedule = |path: &str, text: &str| {
        let found = alone(path, text);
        no_canary(std::slice::from_ref(&found));
        (found.tool, found.schedule.unwrap(), found.active)
    };
    let is = |tool: &str, schedule: &str, active| (tool.to_owned(), schedule.to_owned(), active);
    assert_eq!(
        schedule(
            "/etc/crontab",
            "MAILTO=canary@example.org\n5 4 * * mon root getssl -u -a --token canary\n"
        ),
        is("getssl", "5 4 * * mon", Some(true))
    );
    assert_eq!(
        schedule(
            "/var/spool/cron/crontabs/root",
            "@daily \"/root/.acme.sh\"/acme.sh --cron --home canary > /dev/null\n"
        ),
        is("acme.sh", "@daily", Some(true))
    );
    assert_eq!(
        schedule("/var/spool/cron/root", "1 2 3 4 5 lego renew\n"),
        is("lego", "1 2 3 4 5", Some(true))
    );
    assert_eq!(
        schedule("/etc/cron.weekly/renew", "#!/bin/sh\nexec sscep enroll -p canary\n"),
        is("sscep", "@weekly", None)
    );
    assert_eq!(
        schedule("/etc/cron.d/renew.disabled", "1 2 * * * root uacme -h /canary issue a.example\n"),
        is("uacme", "1 2 * * *", None)
    );
}

#[test]
fn a_script_that_is_called_is_looked_into_once() {
    let host = Memory::default()
        .file(
            "/etc/cron.d/pki",
            "1 2 * * * root /opt/renew.sh canary\n3 4 * * * root /opt/other.sh\n",
        )
        .file(
            "/opt/renew.sh",
            "#!/bin/sh\n# lego renew\nopenssl cmp -cmd kur -secret pass:canary\n",
        )
        .file("/opt/other.sh", "#!/bin/sh\n/opt/renew.sh\n");
    let found = host.one("/etc/cron.d/pki");
    assert_eq!(
        (found.tool.as_str(), found.schedule.as_deref()),
        ("OpenSSL CMP", Some("1 2 * * *"))
    );
    no_canary(&[found]);
}

#[test]
fn units_of_every_shape_are_read() {
    let found = Memory::default()
        .file(
            "/etc/systemd/system/cert-renewer@.timer",
            "[Timer]\nOnCalendar=*:1/5\nOnBootSec=2min\n[Install]\nWantedBy=timers.target\n",
        )
        .file(
            "/etc/systemd/system/cert-renewer@.service",
            "[Service]\nExecStart=/usr/bin/step ca renew \\\n  --force ${CANARY}\n",
        )
        .link(
            "/etc/systemd/system/timers.target.wants/cert-renewer@web.timer",
            "/etc/systemd/system/cert-renewer@.timer",
        )
        .one("/etc/systemd/system/cert-renewer@.timer");
    assert_eq!(found.schedule.as_deref(), Some("*:1/5; OnBootSec=2min"));
    assert_eq!((found.tool.as_str(), found.active), ("step", Some(true)));
    no_canary(&[found]);
    let service = "[Service]\nExecStart=/usr/bin/caddy run --config /canary\n[Install]\nWantedBy=multi-user.target\n";
    let path = "/mnt/image/usr/lib/systemd/system/caddy.service";
    let image = || {
        Memory::default().file(path, service).file("/mnt/image/etc/systemd/system/x.service", "")
    };
    assert_eq!(image().one(path).active, Some(false));
    let link = "/mnt/image/etc/systemd/system/multi-user.target.wants/caddy.service";
    assert_eq!(image().link(link, path).one(path).active, Some(true));
    let bus = Memory::default()
        .file("/usr/share/dbus-1/x.service", "[D-BUS Service]\nExec=/usr/bin/certmonger\n");
    assert_eq!(bus.read_at("/usr/share/dbus-1/x.service"), []);
}

#[test]
fn monitors_are_named_by_what_they_watch() {
    let rules = "groups:\n- name: tls\n  rules:\n  - alert: CertificateEnds\n    expr: probe_ssl_earliest_cert_expiry - time() < 86400 * 14\n\
        \x20 - alert: Other\n    expr: up == 0\n";
    let found = alone("/etc/prometheus/rules/tls.yml", rules);
    let expected = Automation {
        name: Some("CertificateEnds".to_owned()),
        ..Automation::of("Prometheus", AutomationRole::Monitor)
    };
    assert_eq!(found, expected);
    let nagios = "define command {\n command_name check_web_cert\n command_line /usr/lib/check_http -H canary -C 30,14\n}\n\
        define command {\n command_name check_web\n command_line /usr/lib/check_http -H x -c 5\n}\n\
        define service {\n service_description Shop certificate\n check_command check_ssl_cert!canary\n}\n";
    let found = Memory::default().file("/etc/nagios4/x.cfg", nagios).read_at("/etc/nagios4/x.cfg");
    let names: Vec<_> = found.iter().map(|one| one.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["check_web_cert", "Shop certificate"]);
    no_canary(&found);
    let icinga = alone(
        "/etc/icinga2/conf.d/x.conf",
        "apply Service \"tls\" {\n  check_command = \"ssl_cert\"\n}\n",
    );
    assert_eq!((icinga.tool.as_str(), icinga.name.as_deref()), ("Icinga", Some("tls")));
}

#[test]
fn a_word_in_the_settings_of_another_program_is_no_monitor() {
    for (path, text) in [
        ("/etc/app/app.conf", "{ \"ssl_cert\": \"/etc/app/tls.pem\" }\n"),
        ("/etc/app/app.cfg", "[tls]\n\"ssl_cert\" = \"/etc/app/tls.pem\"\nhttp_certificate = x\n"),
    ] {
        assert_eq!(Memory::default().file(path, text).read_at(path), [], "{text}");
    }
    let remote =
        alone("/etc/nagios/nrpe.cfg", "pid_file=/x\ncommand[tls]=/usr/lib/check_ssl_cert -H a\n");
    assert_eq!((remote.tool.as_str(), remote.name.as_deref()), ("Nagios", Some("tls")));
}

#[test]
fn what_ends_and_is_started_with_the_machine_only_is_not_known_to_renew() {
    for (line, active) in [
        ("@reboot root certbot -q renew", None),
        ("@daily root certbot -q renew", Some(true)),
        ("@reboot root step ca renew --daemon a.crt a.key", Some(true)),
    ] {
        let found = alone("/etc/cron.d/renew", &format!("{line}\n"));
        assert_eq!(found.active, active, "{line}");
        assert!(found.schedule.is_some_and(|schedule| schedule.starts_with('@')), "{line}");
    }
}

#[test]
fn a_table_that_is_only_kept_somewhere_is_not_known_to_be_in_force() {
    for (path, active) in [
        ("/etc/cron.d/renew", Some(true)),
        ("/srv/image/etc/cron.d/renew", Some(true)),
        ("/home/dev/repo/files/cron.d/renew", None),
    ] {
        assert_eq!(alone(path, "@daily root certbot -q renew\n").active, active, "{path}");
    }
}
