//! Signs of automatic and of manual renewal.

use pki_inventory::{
    Automation, AutomationRole, Direction, Inventory, Renewal, Sign, Strength, View, renewal, signs,
};

use crate::world::{Made, World, certbot, plain};

fn of(world: &World, id: pki_inventory::AssetId) -> (Vec<Sign>, Renewal) {
    let view = View::of(&world.0);
    let asset = world.get(id);
    let certificate = asset.certificate().unwrap();
    (signs(asset, certificate, &view), renewal(asset, certificate, &view))
}

/// The signs of a certificate that lies in a file of this name, as `+` or `-` with strength.
fn at(made: &Made, path: &str) -> (String, Renewal) {
    let mut world = World(Inventory::default());
    let id = world.certificate(&made.der(), &format!("file://{path}"));
    let (signs, renewal) = of(&world, id);
    (words(&signs), renewal)
}

fn words(signs: &[Sign]) -> String {
    let word = |sign: &Sign| {
        let direction = if sign.direction == Direction::Automatic { '+' } else { '-' };
        format!("{direction}{}", sign.strength.name())
    };
    signs.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn made(change: impl FnOnce(&mut Made)) -> (String, Renewal) {
    let mut made = plain("www.example.org");
    change(&mut made);
    at(&made, "/www.pem")
}

fn check(found: (String, Renewal), signs: &str, renewal: Renewal) {
    assert_eq!((found.0.as_str(), found.1), (signs, renewal));
}

#[test]
fn without_a_sign_nothing_is_known() {
    check(made(|_| {}), "", Renewal::Undetermined);
}

#[test]
fn the_issuer_tells_where_it_issues_one_way_only() {
    check(made(|it| it.issuer = Some("Let's Encrypt")), "+strong", Renewal::Automated);
    check(made(|it| it.issuer = Some("DigiCert Inc")), "+weak", Renewal::Undetermined);
    check(made(|it| it.issuer = Some("Amazon")), "+medium", Renewal::Undetermined);
    check(made(|it| it.issuer = Some("ACME SCEP CA")), "+medium", Renewal::Undetermined);
    check(made(|it| it.issuer = Some("Landscepter")), "", Renewal::Undetermined);
}

#[test]
fn validity_tells_in_bands() {
    for (days, signs, renewal) in [
        (1, "+strong", Renewal::Automated),
        (7, "+strong", Renewal::Automated),
        (30, "", Renewal::Undetermined),
        (47, "+medium", Renewal::Undetermined),
        (64, "+medium", Renewal::Undetermined),
        (90, "+medium", Renewal::Undetermined),
        (100, "", Renewal::Undetermined),
        (199, "", Renewal::Undetermined),
        (397, "-weak", Renewal::Undetermined),
        (730, "", Renewal::Undetermined),
        (1200, "-medium", Renewal::Undetermined),
    ] {
        check(made(|it| it.days = days), signs, renewal);
    }
    let two = made(|it| (it.days, it.issuer) = (90, Some("Amazon")));
    check(two, "+medium +medium", Renewal::Automated);
}

#[test]
fn names_of_workloads_nodes_and_platforms_tell() {
    let workload = made(|it| it.uris = vec!["spiffe://example.org/web"]);
    check(workload, "+strong", Renewal::Automated);
    let node = made(|it| {
        (it.name, it.organisation) = (Some("system:node:one"), Some("system:nodes"));
    });
    check(node, "+strong", Renewal::Automated);
    let platform = made(|it| it.hosts = vec!["shop.azurewebsites.net"]);
    check(platform, "+strong", Renewal::Automated);
    let imitation = made(|it| (it.hosts, it.issuer) = (vec!["shop.azurewebsites.net"], None));
    check(imitation, "", Renewal::Undetermined);
}

#[test]
fn what_ad_hoc_commands_leave_tells() {
    let only_name = made(|it| (it.name, it.hosts) = (Some("printer"), vec![]));
    check(only_name, "-strong", Renewal::Manual);
    let appliance = made(|it| (it.issuer, it.days) = (None, 3650));
    check(appliance, "-strong", Renewal::Manual);
    check(made(|it| it.serial = vec![7]), "-medium", Renewal::Undetermined);
    let two = made(|it| (it.serial, it.days) = (vec![7], 1200));
    check(two, "-medium -medium", Renewal::Manual);
}

#[test]
fn names_of_files_tell() {
    let plain = plain("www.example.org");
    for path in ["/www.pem.old", "/www_new2.pem", "/Backup-www.pem", "/root/Downloads/www.pem"] {
        check(at(&plain, path), "-medium", Renewal::Undetermined);
    }
    check(at(&plain, "/www-2026.pem"), "-weak", Renewal::Undetermined);
    for path in ["/newton.pem", "/old/www.pem", "/gold.pem", "/www-202.pem", "/rsa-2048.pem"] {
        check(at(&plain, path), "", Renewal::Undetermined);
    }
    // A copy in a folder for copies is what backups make.
    check(at(&plain, "/var/backups/www.pem.old"), "", Renewal::Undetermined);
    let mut host = crate::world::plain("backup.example.org");
    check(at(&host, "/backup.example.org.pem"), "", Renewal::Undetermined);
    check(at(&host, "/backup.example.org.pem.old"), "-medium", Renewal::Undetermined);
    (host.hosts, host.uris) = (vec![], vec!["https://h.example"]);
    host.name = Some("new-2026");
    check(at(&host, "/new-2026.pem"), "", Renewal::Undetermined);
}

#[test]
fn strong_signs_against_each_other_leave_it_open() {
    let both =
        made(|it| (it.issuer, it.name, it.hosts) = (Some("Let's Encrypt"), Some("x"), vec![]));
    check(both, "+strong -strong", Renewal::Undetermined);
    let mut le = plain("www.example.org");
    le.issuer = Some("Let's Encrypt");
    le.serial = vec![7];
    check(at(&le, "/www.old"), "+strong -medium -medium", Renewal::Automated);
}

#[test]
fn an_authority_has_no_signs() {
    let authority = made(|it| (it.authority, it.issuer, it.days) = (true, None, 7300));
    check(authority, "", Renewal::Undetermined);
}

/// A certificate that certbot manages, with these traces besides.
fn managed(lineage: Automation, schedules: &[Option<bool>]) -> (String, Renewal) {
    let mut world = World::default();
    let id = world.certificate(&plain("www.example.org").der(), "file:///le/archive/w/cert1.pem");
    let tool = lineage.tool.clone();
    world.automation(lineage, "file:///le/renewal/w.conf");
    for (number, active) in schedules.iter().enumerate() {
        let schedule =
            Automation { active: *active, ..Automation::of(&tool, AutomationRole::Schedule) };
        world.automation(schedule, &format!("file:///etc/cron.d/certbot{number}"));
    }
    let (signs, renewal) = of(&world, id);
    (words(&signs), renewal)
}

#[test]
fn a_lineage_tells_with_what_starts_its_tool() {
    let lineage = || certbot(&["/le/archive/w/"]);
    check(managed(lineage(), &[]), "+medium", Renewal::Undetermined);
    check(managed(lineage(), &[None]), "+medium", Renewal::Undetermined);
    check(managed(lineage(), &[Some(true)]), "+strong", Renewal::Automated);
    check(managed(lineage(), &[Some(false), Some(true)]), "+strong", Renewal::Automated);
    check(managed(lineage(), &[Some(false)]), "-strong", Renewal::Manual);
    check(managed(lineage(), &[Some(false), None]), "+medium", Renewal::Undetermined);
    let off = Automation { active: Some(false), ..lineage() };
    check(managed(off, &[Some(true)]), "-strong", Renewal::Manual);
    let own = Automation { active: Some(true), ..lineage() };
    check(managed(own, &[]), "+strong", Renewal::Automated);
    let by_hand = Automation { authenticator: Some("manual".to_owned()), ..lineage() };
    check(managed(by_hand, &[]), "+medium -medium", Renewal::Undetermined);
    // A count of renewals does not tell who started them.
    let often = Automation { renewals: Some(3), ..lineage() };
    check(managed(often, &[]), "+medium", Renewal::Undetermined);
}

#[test]
fn the_folder_of_a_tool_that_stays_does_not_show_that_it_runs() {
    let staying = || Automation { tool: "Caddy".to_owned(), ..certbot(&["/le/archive/w/"]) };
    check(managed(staying(), &[]), "+weak", Renewal::Undetermined);
    check(managed(staying(), &[None]), "+medium", Renewal::Undetermined);
    check(managed(staying(), &[Some(true)]), "+strong", Renewal::Automated);
    let renewed = Automation { renewals: Some(2), ..staying() };
    check(managed(renewed.clone(), &[]), "+medium", Renewal::Undetermined);
    // Renewed, but the last one has ended since.
    let mut world = World::default();
    let mut made = plain("www.example.org");
    (made.age, made.days) = (300, 200);
    let id = world.certificate(&made.der(), "file:///le/archive/w/cert1.pem");
    world.automation(renewed, "file:///le/renewal/w.conf");
    assert_eq!(words(&of(&world, id).0), "+weak");
}

/// A lineage of a tool in a file, and what starts the tool in another.
fn started(tool: &str, lineage: &str, folder: &str, schedule: &str) -> (String, Renewal) {
    let mut world = World::default();
    let der = plain("www.example.org").der();
    let id = world.certificate(&der, &format!("file://{folder}cert.pem"));
    let inner = folder.rsplit_once("!/").map_or(folder.to_owned(), |(_, it)| format!("/{it}"));
    let manages = vec![inner];
    let trace = Automation { manages, ..Automation::of(tool, AutomationRole::Lineage) };
    world.automation(trace, &format!("file://{lineage}"));
    let runs = Automation { active: Some(true), ..Automation::of(tool, AutomationRole::Schedule) };
    world.automation(runs, &format!("file://{schedule}"));
    let (signs, renewal) = of(&world, id);
    (words(&signs), renewal)
}

#[test]
fn a_schedule_counts_where_it_can_be_the_one() {
    let host = |schedule| started("certbot", "/etc/le/w.conf", "/etc/le/w/", schedule);
    for place in [
        "/etc/crontab",
        "/etc/cron.d/certbot#1",
        "/usr/lib/systemd/system/certbot.timer",
        "/var/spool/cron/crontabs/root#2",
        "/root/.config/systemd/user/certbot.timer",
    ] {
        check(host(place), "+strong", Renewal::Automated);
    }
    for place in [
        "/home/dev/playbook/files/cron.d/certbot",
        "/home/dev/playbook/etc/cron.d/certbot",
        "/var/spool/cron/crontabs/alice",
        "/home/alice/.config/systemd/user/certbot.timer",
        "/srv/i.tar!/l.tar!/etc/cron.d/certbot",
        "/backup/etc/cron.d/certbot",
    ] {
        check(host(place), "+medium", Renewal::Undetermined);
    }
    let home = |schedule| started("acme.sh", "/home/al/.acme.sh/w.conf", "/home/al/w/", schedule);
    for place in ["/var/spool/cron/crontabs/al", "/home/al/.config/systemd/user/acme.timer"] {
        check(home(place), "+strong", Renewal::Automated);
    }
    for place in ["/var/spool/cron/crontabs/root", "/etc/cron.d/acme", "/var/spool/cron/bob"] {
        check(home(place), "+medium", Renewal::Undetermined);
    }
    let image = |folder, schedule| started("certbot", &format!("{folder}w.conf"), folder, schedule);
    let same = image("/i.tar!/1.tar!/etc/le/", "/i.tar!/2.tar!/etc/cron.d/certbot");
    check(same, "+strong", Renewal::Automated);
    check(image("/srv/root/etc/le/", "/srv/root/etc/cron.d/c"), "+strong", Renewal::Automated);
    check(image("/etc/le/", "/srv/root/etc/cron.d/c"), "+medium", Renewal::Undetermined);
}

#[test]
fn what_was_seen_of_a_start_is_said() {
    let said = |active, schedule: Option<&str>, at: Option<&str>| {
        let mut world = World::default();
        let id = world.certificate(&plain("www.example.org").der(), "file:///le/w/cert1.pem");
        world.automation(certbot(&["/le/w/"]), "file:///le/w.conf");
        if let Some(at) = at {
            let trace = Automation {
                active,
                schedule: schedule.map(str::to_owned),
                ..Automation::of("certbot", AutomationRole::Schedule)
            };
            world.automation(trace, at);
        }
        let (signs, renewal) = of(&world, id);
        assert_eq!((words(&signs).as_str(), renewal), ("+medium", Renewal::Undetermined));
        signs[0].what.clone()
    };
    let open = "what starts certbot was seen, but not whether it is active";
    assert!(said(None, Some("@daily"), Some("file:///etc/cron.daily/certbot")).ends_with(open));
    let at_boot = said(Some(true), Some("@reboot"), Some("file:///etc/crontab#1"));
    assert!(at_boot.ends_with(open), "{at_boot}");
    let other = said(Some(true), None, Some("file:///var/spool/cron/alice"));
    assert!(other.ends_with("was seen, but not whether it does for this one"), "{other}");
    assert!(said(None, None, None).ends_with("what starts certbot was not seen"));
}

#[test]
fn a_plan_that_is_long_past_contradicts_the_schedule() {
    let planned = |days: i64| {
        let next = pki_inventory::Time(crate::world::NOW.0 - days * pki_inventory::Time::DAY);
        let lineage = certbot(&["/le/archive/w/"]);
        managed(Automation { next_renewal: Some(next), ..lineage }, &[Some(true)])
    };
    check(planned(-9), "+strong", Renewal::Automated);
    check(planned(9), "+strong", Renewal::Automated);
    check(planned(90), "-medium", Renewal::Undetermined);
}

#[test]
fn copies_of_a_trace_count_once_and_those_of_backups_not_at_all() {
    let mut world = World::default();
    let id = world.certificate(&plain("www.example.org").der(), "file:///le/w/cert1.pem");
    for place in ["/le/w.conf", "/srv/copy/w.conf", "/backup/le/w.conf"] {
        let trace = Automation { renewals: Some(2), ..certbot(&["/le/w/"]) };
        world.automation(trace, &format!("file://{place}"));
    }
    let (signs, renewal) = of(&world, id);
    assert_eq!((words(&signs).as_str(), renewal), ("+medium", Renewal::Undetermined));
    let mut world = World::default();
    let id = world.certificate(&plain("www.example.org").der(), "file:///backup/caddy/w.pem");
    world.automation(certbot(&["/backup/caddy/"]), "file:///backup/caddy/w.json");
    assert_eq!(words(&of(&world, id).0), "");
}

#[test]
fn old_certificates_beside_the_new_one_count_as_renewals() {
    let mut world = World::default();
    let mut older = plain("www.example.org");
    older.age = 100;
    world.certificate(&older.der(), "file:///le/archive/w/cert1.pem");
    let id = world.certificate(&plain("www.example.org").der(), "file:///le/archive/w/cert2.pem");
    world.automation(certbot(&["/le/archive/w/"]), "file:///le/renewal/w.conf");
    let (signs, renewal) = of(&world, id);
    assert_eq!((words(&signs).as_str(), renewal), ("+medium", Renewal::Undetermined));
    assert!(signs[0].what.contains("and has renewed it once"), "{}", signs[0].what);
}

#[test]
fn certificates_of_other_names_in_the_same_folder_are_no_renewals() {
    let mut world = World::default();
    let id = world.certificate(&plain("www.example.org").der(), "file:///tls/www.pem");
    world.certificate(&plain("shop.example.org").der(), "file:///tls/shop.pem");
    let trace = world.automation(certbot(&["/tls/"]), "file:///le/renewal/w.conf");
    assert_eq!(View::of(&world.0).managed_by(world.get(trace)).certificates, 2);
    let (signs, renewal) = of(&world, id);
    assert_eq!((words(&signs).as_str(), renewal), ("+medium", Renewal::Undetermined));
}

#[test]
fn a_template_of_active_directory_is_a_weak_sign() {
    // CertificateTemplate ::= SEQUENCE { templateID OBJECT IDENTIFIER, ... } of 1.2.3.
    let template = vec![0x30, 0x04, 0x06, 0x02, 0x2a, 0x03];
    let oid = [1, 3, 6, 1, 4, 1, 311, 21, 7];
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let extension = rcgen::CustomExtension::from_oid_content(&oid, template);
    params.custom_extensions.push(extension);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 8, 1);
    let der = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let mut world = World::default();
    let id = world.certificate(&der, "file:///a.pem");
    let (signs, _) = of(&world, id);
    assert!(words(&signs).starts_with("+weak"), "{signs:?}");
    assert!(signs[0].what.contains("template"));
}

#[test]
fn several_issuers_within_a_year_are_a_weak_sign() {
    let mut world = World::default();
    let id = world.certificate(&plain("www.example.org").der(), "file:///a.pem");
    let mut other = plain("www.example.org");
    (other.issuer, other.age) = (Some("Other"), 100);
    world.certificate(&other.der(), "file:///b.pem");
    let (found, renewal) = of(&world, id);
    assert_eq!((found.len(), found[0].strength), (1, Strength::Weak));
    assert!(found[0].what.contains("Example, Other"), "{}", found[0].what);
    assert_eq!(renewal, Renewal::Undetermined);
}

#[test]
fn of_many_issuers_a_few_are_named() {
    let mut world = World::default();
    let mut ids = Vec::new();
    for (number, issuer) in ["A", "B", "C", "D", "E", "F"].into_iter().enumerate() {
        let mut made = plain("www.example.org");
        (made.issuer, made.age) = (Some(issuer), if issuer == "F" { 400 } else { 10 });
        ids.push(world.certificate(&made.der(), &format!("file:///{number}.pem")));
    }
    let told = |id| of(&world, id).0.first().map(|sign| sign.what.clone()).unwrap_or_default();
    assert!(told(ids[0]).ends_with("within a year: A, B, C, D and 1 more"), "{}", told(ids[0]));
    assert_eq!(told(ids[5]), "", "more than a year from all others");
}
