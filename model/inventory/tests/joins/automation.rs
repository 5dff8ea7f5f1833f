//! Which automation manages a certificate.

use pki_inventory::{Automation, AutomationRole, View};

use crate::world::{World, certbot, ids, plain};

#[test]
fn a_trace_manages_the_files_and_folders_it_names() {
    let mut world = World::default();
    let inside = world.certificate(&plain("a.example").der(), "file:///le/archive/a/cert1.pem#1");
    let file = world.certificate(&plain("b.example").der(), "file:///etc/b.pem#1");
    let beside = world.certificate(&plain("c.example").der(), "file:///le/archive/ab/cert1.pem");
    let outside = world.certificate(&plain("d.example").der(), "file:///etc/b.pem.old");
    let deep = world.certificate(&plain("e.example").der(), "file:///le/archive/a/x/y.pem");
    let trace = certbot(&["/le/archive/a/", "/etc/b.pem"]);
    let trace = world.automation(trace, "file:///le/renewal/a.conf");
    world.automation(certbot(&["/elsewhere/"]), "file:///le/renewal/z.conf");
    let view = View::of(&world.0);
    for managed in [inside, file, deep] {
        assert_eq!(ids(&view.automation_of(world.get(managed))), [trace], "{managed}");
    }
    for other in [beside, outside] {
        assert!(view.automation_of(world.get(other)).is_empty(), "{other}");
    }
}

#[test]
fn in_one_file_a_trace_is_for_the_names_it_says() {
    let mut world = World::default();
    let one = world.certificate(&plain("one.example").der(), "file:///acme.json#1");
    let two = world.certificate(&plain("two.example").der(), "file:///acme.json#2");
    let other = world.certificate(&plain("two.example").der(), "file:///other.json#2");
    let traefik = |domain: &str| Automation {
        domains: vec![domain.to_owned()],
        ..Automation::of("Traefik", AutomationRole::Lineage)
    };
    let for_one = world.automation(traefik("One.example"), "file:///acme.json#1");
    let for_two = world.automation(traefik("two.example"), "file:///acme.json#2");
    let view = View::of(&world.0);
    assert_eq!(ids(&view.automation_of(world.get(one))), [for_one]);
    assert_eq!(ids(&view.automation_of(world.get(two))), [for_two]);
    assert!(view.automation_of(world.get(other)).is_empty());
    let managed = view.managed_by(world.get(for_one));
    assert_eq!((managed.certificates, managed.newest.map(|it| it.id)), (1, Some(one)));
}

#[test]
fn a_trace_in_an_image_is_about_the_files_of_that_image() {
    let mut world = World::default();
    let der = plain("a.example").der();
    let host = world.certificate(&der, "file:///le/a.pem");
    let image = world.certificate(&plain("i.example").der(), "file:///i.tar!/l.tar!/le/a.pem");
    let trace = world.automation(certbot(&["/le/a.pem"]), "file:///i.tar!/l.tar!/le/a.conf");
    let view = View::of(&world.0);
    assert!(view.automation_of(world.get(host)).is_empty());
    assert_eq!(ids(&view.automation_of(world.get(image))), [trace]);
}

#[test]
fn renewals_are_counted_by_what_lies_there() {
    let mut world = World::default();
    let trace = world.automation(certbot(&["/le/archive/a/"]), "file:///le/renewal/a.conf");
    let mut newest = None;
    for (number, age) in [(1, 180), (2, 120), (3, 60)] {
        let mut made = plain("a.example");
        made.age = age;
        let der = made.der();
        for file in ["cert", "fullchain"] {
            let place = format!("file:///le/archive/a/{file}{number}.pem#1");
            newest = Some(world.certificate(&der, &place));
        }
    }
    let mut authority = plain("ca.example");
    authority.authority = true;
    world.certificate(&authority.der(), "file:///le/archive/a/chain3.pem");
    world.certificate(&plain("b.example").der(), "file:///le/archive/b/cert1.pem");
    let view = View::of(&world.0);
    let managed = view.managed_by(world.get(trace));
    assert_eq!((managed.certificates, managed.newest.map(|it| it.id)), (3, newest));
    let nothing = view.managed_by(world.get(newest.unwrap()));
    assert_eq!((nothing.certificates, nothing.newest.is_none()), (0, true));
}

#[test]
fn schedules_and_monitors_are_found_by_tool() {
    let mut world = World::default();
    let of = |tool, role| Automation::of(tool, role);
    let timer = of("certbot", AutomationRole::Schedule);
    let timer = world.automation(timer, "file:///lib/certbot.timer");
    let cron = of("certbot", AutomationRole::Schedule);
    let cron = world.automation(cron, "file:///etc/cron.d/certbot");
    let watch = of("Prometheus", AutomationRole::Monitor);
    let watch = world.automation(watch, "file:///rules.yml");
    world.automation(certbot(&["/le/"]), "file:///le/renewal/a.conf");
    let view = View::of(&world.0);
    let mut both = [timer, cron];
    both.sort();
    assert_eq!(ids(view.schedules("certbot")), both);
    assert_eq!(ids(view.monitors("Prometheus")), [watch]);
    assert!(view.schedules("Prometheus").is_empty() && view.monitors("certbot").is_empty());
    let certificate = plain("a.example").der();
    let mut world = World::default();
    let id = world.certificate(&certificate, "file:///etc/cron.d/certbot");
    world.automation(of("certbot", AutomationRole::Schedule), "file:///etc/cron.d/certbot");
    let view = View::of(&world.0);
    assert!(view.automation_of(world.get(id)).is_empty(), "a schedule manages nothing by itself");
}
