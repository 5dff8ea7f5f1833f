//! What tokens hold, joined with what network and disk show, and with what a run before saw.

use std::fs;

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::certificates::path;
use pkimm_tests::facts;
use pkimm_tests::servers::TlsServer;
use pkimm_tests::servers::tokens::softhsm;
use serde_json::{Value, json};

use crate::AS_OF;

use super::{Lab, PIN, TOKEN, findings, good, login, named, names, settings};

#[test]
fn keys_on_tokens_are_joined_with_servers_and_files() {
    let lab = Lab::new();
    let server = TlsServer::openssl(&lab.material.server, &["-tls1_3"]);
    let file = lab.home.path().join("pin");
    let scan = |with_token: bool| {
        let text = format!(
            "[filesystem]\nroots = []\n[tls]\ntargets = [\"{}\"]\n{}",
            server.address(),
            if with_token {
                format!(
                    "[pkcs11]\np11_kit = false\n[[pkcs11.modules]]\npath = {:?}\n{}",
                    path(&softhsm()),
                    login(TOKEN, &format!("pin_file = {:?}", path(&file)))
                )
            } else {
                String::new()
            }
        );
        lab.home.write("pkimm-agent.toml", text);
        let _ = good(lab.agent(&["scan"]));
        let inventory = lab.home.inventory();
        let served = facts::with_digest(&inventory, "certificate", &lab.material.server.sha256());
        facts::outcome(&lab.home.findings(AS_OF), "key.location-unknown", served).to_owned()
    };
    assert_eq!(scan(false), "unknown", "nobody has looked where its key is");
    assert_eq!(scan(true), "met", "it is on the token");
}

#[test]
fn the_key_of_an_authority_in_a_file_is_outside_hardware_wherever_else_it_is() {
    let lab = Lab::new();
    // The root's key lies where its certificate lies: on the disk.
    let folder = lab.home.folder("kept");
    let own = &lab.material.root.own;
    fs::copy(&own.key, folder.join("root.key")).unwrap();
    fs::copy(&own.certificate, folder.join("root.pem")).unwrap();
    let file = lab.home.path().join("pin");
    let text = format!(
        "[filesystem]\nroots = [{:?}]\n[pkcs11]\np11_kit = false\n[[pkcs11.modules]]\npath = {:?}\n{}",
        path(&folder),
        path(&softhsm()),
        login(TOKEN, &format!("pin_file = {:?}", path(&file)))
    );
    lab.home.write("pkimm-agent.toml", text);
    let _ = good(lab.agent(&["scan"]));
    let inventory = lab.home.inventory();
    let findings = lab.home.findings(AS_OF);
    let rule = "ca.key-outside-hardware";
    let root = facts::with_digest(&inventory, "certificate", &own.sha256());
    assert_eq!(facts::outcome(&findings, rule, root), "not-met");
    let said = findings
        .iter()
        .find(|finding| finding["rule"] == rule && finding["asset"] == root["id"])
        .unwrap();
    let said = said["sentence"].as_str().unwrap();
    assert!(said.contains("root.key"), "it says where: {said}");
    let issuing = named(&inventory, "certificate ca");
    assert_eq!(facts::outcome(&findings, rule, issuing), "not-met", "SoftHSM is software");
}

#[test]
fn two_scans_of_the_same_tokens_give_the_same_octets() {
    let lab = Lab::new();
    lab.log_in();
    let reports: Vec<String> = (0..2)
        .map(|_| {
            let _ = fs::remove_dir_all(lab.home.path().join("pkimm-report"));
            let _ = lab.agent(&["run", "--as-of", AS_OF]).expect_code(0);
            lab.home.read("pkimm-report/assessment.json")
        })
        .collect();
    for (one, other) in reports[0].lines().zip(reports[1].lines()) {
        assert_eq!(one, other);
    }
    assert!(reports[0] == reports[1]);
    let report: Value = serde_json::from_str(&reports[0]).unwrap();
    assert!(report.to_string().contains("aes-wrap-decrypt"), "the keys are in the report");
}

#[test]
fn a_key_that_is_gone_from_a_token_is_a_change() {
    let (home, hsm) = super::small(TOKEN, PIN);
    let p256 =
        |label: &str, id: &str| pkimm_tests::servers::tokens::Object::pair("p256", label, id);
    hsm.put(TOKEN, PIN, &[p256("goes", "02")]);
    let file = home.write("pin", format!("{PIN}\n"));
    let login = login(TOKEN, &format!("pin_file = {:?}", path(&file)));
    settings(&home, "", &[&softhsm()], &login);
    let run = |home: &Home, time: &str| {
        let mut command = home.command(&["run", "--as-of", time]);
        hsm.tell(&mut command);
        let _ = finish(command).expect_code(0);
    };
    run(&home, "2026-10-01T00:00:00Z");
    let gone = named(&home.inventory(), "key goes")["id"].clone();
    hsm.remove(TOKEN, PIN, "goes");
    hsm.put(TOKEN, PIN, &[p256("comes", "03")]);
    run(&home, "2026-11-01T00:00:00Z");
    let report: Value = serde_json::from_str(&home.read("pkimm-report/assessment.json")).unwrap();
    let comes = named(&home.inventory(), "key comes")["id"].clone();
    let expected = json!({"new": [comes], "gone": [gone], "not_looked_at": []});
    facts::assert_facts("the changes", &report["changes"], &expected);
    assert_eq!(names(&home.inventory()).iter().filter(|name| name.starts_with("key ")).count(), 2);
    // Without the PIN it is not said to be gone: nobody looked.
    settings(&home, "", &[&softhsm()], "");
    run(&home, "2026-11-02T00:00:00Z");
    let report: Value = serde_json::from_str(&home.read("pkimm-report/assessment.json")).unwrap();
    assert_eq!(report["changes"]["gone"], json!([]), "{:#}", report["changes"]);
    assert!(findings(&home, "not-met").iter().all(|(rule, _)| rule != "token.key-imported"));
}
