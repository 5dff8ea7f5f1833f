//! `scan --plan`: what would be asked, without asking.

use std::time::Duration;

use pki_collectors::{Plan, tls_plan};
use pki_config::{
    DirectoryScope, DirectoryServer, Pkcs11Scope, Settings, Target, TokenUri, Windows,
};
use serde_json::{Value, json};

use crate::output;

/// Prints the plan of a scan: for people or, where lines of JSON were asked for, as one object.
pub fn print(mut settings: Settings, loopback: &[Target], as_json: bool) -> anyhow::Result<()> {
    settings.tls.targets.extend_from_slice(loopback);
    let plan = tls_plan(&settings.tls);
    if as_json {
        output::print(&format!("{}\n", object(&settings, &plan)))
    } else {
        output::print(&output::plain(&told(&settings, &plan)))
    }
}

/// When connections may be opened, as a sentence without its end.
pub fn windows(windows: &Windows) -> String {
    if windows.is_always() { "at any time".to_owned() } else { format!("only {windows}") }
}

/// A table and a few sentences.
fn told(settings: &Settings, plan: &Plan) -> String {
    let (tls, mut text) = (&settings.tls, String::new());
    if plan.lines.is_empty() {
        text.push_str("TLS: nobody is asked.\n");
    } else {
        text.push_str(&table(plan));
        let (least, most) = plan.connections;
        text.push_str(&format!(
            "\nConnections  {}, for depth {}\n",
            span(&grouped(least), &grouped(most)),
            tls.depth
        ));
        text.push_str(&format!(
            "Time         {}, at {} connections a second, {} targets at the same time and {} a \
             target\n",
            span(&duration(plan.at_least), &duration(plan.at_most)),
            grouped(u128::from(tls.connections_per_sec)),
            grouped(tls.concurrency as u128),
            duration(tls.deadline())
        ));
        text.push_str(&format!("When         {}\n", windows(&tls.windows)));
    }
    let roots = &settings.filesystem.roots;
    let trees: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    text.push_str(&match trees.len() {
        0 => "Files        none are read\n".to_owned(),
        _ => format!("Files        below {}\n", trees.join(", ")),
    });
    if !settings.directory.is_empty() {
        text.push_str(&format!("Directories  {}\n", directories(&settings.directory)));
    }
    if !settings.pkcs11.is_empty() {
        text.push_str(&format!("Tokens       {}\n", tokens(&settings.pkcs11)));
    }
    text.push_str("Nothing was sent, no name was looked up and no module was loaded.\n");
    text
}

/// How many there are, and which.
fn directories(scope: &DirectoryScope) -> String {
    let counted = |count: usize, one: &str, many: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    };
    let names: Vec<String> = scope.servers.iter().map(DirectoryServer::name).collect();
    let servers = counted(names.len(), "server", "servers");
    let servers = servers.map(|servers| format!("{servers} ({})", names.join(", ")));
    let dumps = counted(scope.dumps.len(), "dump", "dumps");
    let records =
        counted(scope.records.len(), "database of an authority", "databases of authorities");
    [servers, dumps, records].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The modules that would be loaded, the tokens that would be read of theirs, and the logins there are.
fn tokens(scope: &Pkcs11Scope) -> String {
    let logins = match scope.logins.len() {
        0 => "without a login".to_owned(),
        1 => "1 login".to_owned(),
        many => format!("{many} logins"),
    };
    format!("of {}; {}; {logins}", modules(scope), chosen(scope))
}

/// The modules that are loaded, as a list. Which of them p11-kit is configured with is known when they are
/// loaded.
pub fn modules(scope: &Pkcs11Scope) -> String {
    let mut all: Vec<String> =
        scope.modules.iter().map(|module| module.path.display().to_string()).collect();
    if scope.p11_kit {
        all.push("the modules that p11-kit is configured with".to_owned());
    }
    all.join(", ")
}

/// The tokens of theirs that are read.
pub fn chosen(scope: &Pkcs11Scope) -> String {
    let only: Vec<String> = scope.only.iter().map(TokenUri::to_string).collect();
    if only.is_empty() { "all of them".to_owned() } else { format!("only {}", only.join(", ")) }
}

/// The longest target that stands in one line with its figures.
const LONGEST: usize = 44;

/// The targets, one a line, and their sum.
fn table(plan: &Plan) -> String {
    const HEADS: [&str; 6] = ["Target", "Hosts", "Excluded", "Ports", "Names", "Probes"];
    let mut rows: Vec<[String; 6]> = vec![HEADS.map(str::to_owned)];
    for line in &plan.lines {
        rows.push([
            line.target.clone(),
            grouped(line.hosts),
            grouped(line.excluded),
            grouped(line.ports as u128),
            grouped(line.server_names),
            grouped(line.probes),
        ]);
    }
    let none = String::new;
    rows.push(["In all".to_owned(), none(), none(), none(), none(), grouped(plan.probes)]);
    // Long lists of ports have a line of their own, lest all figures stand far out.
    let is_long = |text: &str| text.chars().count() > LONGEST;
    let width = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).filter(|cell| !is_long(cell));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for [target, figures @ ..] in &rows {
        let target = if is_long(target) {
            text.push_str(&format!("{target}\n"));
            ""
        } else {
            target
        };
        text.push_str(&format!("{target:<width$}", width = widths[0]));
        for (figure, width) in figures.iter().zip(&widths[1..]) {
            text.push_str(&format!("  {figure:>width$}"));
        }
        text.push('\n');
    }
    text
}

/// The same for programs.
fn object(settings: &Settings, plan: &Plan) -> Value {
    let tls = &settings.tls;
    let lines: Vec<Value> = plan
        .lines
        .iter()
        .map(|line| {
            json!({
                "target": line.target,
                "hosts": number(line.hosts),
                "excluded": number(line.excluded),
                "ports": line.ports,
                "server_names": number(line.server_names),
                "probes": number(line.probes),
            })
        })
        .collect();
    let roots = &settings.filesystem.roots;
    json!({
        "kind": "plan",
        "depth": tls.depth.to_string(),
        "targets": lines,
        "probes": number(plan.probes),
        "connections": {
            "at_least": number(plan.connections.0),
            "at_most": number(plan.connections.1),
        },
        "seconds": {
            "at_least": plan.at_least.as_secs_f64(),
            "at_most": plan.at_most.as_secs_f64(),
        },
        "connections_per_sec": tls.connections_per_sec,
        "concurrency": tls.concurrency,
        "deadline_secs": tls.deadline().as_secs(),
        "windows": (!tls.windows.is_always()).then(|| tls.windows.to_string()),
        "directories": settings.directory.servers.iter().map(DirectoryServer::name).collect::<Vec<_>>(),
        "dumps": settings.directory.dumps.len(),
        "records": settings.directory.records.len(),
        "modules": settings.pkcs11.modules.iter().map(|module| module.path.display().to_string()).collect::<Vec<_>>(),
        "p11_kit": settings.pkcs11.p11_kit,
        "tokens": settings.pkcs11.only.iter().map(TokenUri::to_string).collect::<Vec<_>>(),
        "logins": settings.pkcs11.logins.len(),
        "trees": roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>(),
    })
}

/// Numbers beyond what JSON readers count exactly are few and far away; the nearest one will do.
fn number(count: u128) -> Value {
    u64::try_from(count).map_or_else(|_| json!(count as f64), Value::from)
}

/// `1,234,567`.
fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn span(least: &str, most: &str) -> String {
    if least == most { least.to_owned() } else { format!("{least} to {most}") }
}

/// The two largest units that count: `2 d 3 h`, `4 min 10 s`, `10 s`.
fn duration(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    if !time.is_zero() && time < Duration::from_secs(1) {
        return "less than 1 s".to_owned();
    }
    let seconds = time.as_secs();
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let (unit, name) = UNITS[first];
    let mut text = format!("{} {name}", grouped(u128::from(seconds / unit)));
    if let Some((smaller, name)) = UNITS.get(first + 1) {
        let rest = seconds % unit / smaller;
        if rest > 0 {
            text.push_str(&format!(" {rest} {name}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use pki_collectors::PlanLine;

    use super::*;

    fn plan() -> Plan {
        let line = |target: &str, hosts, excluded, ports, server_names| PlanLine {
            target: target.to_owned(),
            hosts,
            excluded,
            ports,
            server_names,
            probes: (hosts - excluded) * ports as u128 * server_names,
        };
        let lines = vec![
            line("10.0.0.0/8:443", 16_777_214, 256, 1, 1),
            line("www.example.org:443,8443", 1, 0, 2, 3),
        ];
        let probes = lines.iter().map(|line| line.probes).sum();
        Plan {
            lines,
            probes,
            connections: (probes, 2 * probes),
            at_least: Duration::from_secs(167_769),
            at_most: Duration::from_secs(3_000_000),
        }
    }

    #[test]
    fn a_plan_is_a_table_with_its_sum() {
        let mut settings = Settings::default();
        settings.filesystem.roots = vec!["/etc".into(), "/srv".into()];
        let text = told(&settings, &plan());
        let expected = "\
Target                         Hosts  Excluded  Ports  Names      Probes
10.0.0.0/8:443            16,777,214       256      1      1  16,776,958
www.example.org:443,8443           1         0      2      3           6
In all                                                        16,776,964

Connections  16,776,964 to 33,553,928, for depth certificate
Time         1 d 22 h to 34 d 17 h, at 100 connections a second, 64 targets at the same time and \
10 s a target
When         at any time
Files        below /etc, /srv
Nothing was sent, no name was looked up and no module was loaded.
";
        assert_eq!(text, expected);
        let none = Plan { lines: Vec::new(), ..plan() };
        assert!(told(&Settings::default(), &none).starts_with("TLS: nobody is asked.\nFiles "));
    }

    #[test]
    fn directories_are_counted() {
        let of = |text: &str| Settings::parse("s.toml", text).expect("settings");
        let two = of("[[directory.servers]]\nurl = \"ldap://a:1389\"\n[[directory.servers]]\n\
                      domain = \"corp.example\"\n[[directory.dumps]]\npath = \"/d\"\n");
        let text = told(&two, &plan());
        let line = "Directories  2 servers (a:1389, corp.example), 1 dump\nNothing was sent";
        assert!(text.contains(line), "{text}");
        let object = object(&two, &plan());
        assert_eq!(object["directories"], json!(["a:1389", "corp.example"]));
        assert_eq!((&object["dumps"], &object["records"]), (&json!(1), &json!(0)));
        let records = of("[[directory.records]]\npath = \"/r\"\n");
        assert!(told(&records, &plan()).contains("Directories  1 database of an authority\n"));
        assert!(!told(&of(""), &plan()).contains("Directories"));
    }

    #[test]
    fn modules_and_tokens_are_named() {
        let of = |text: &str| Settings::parse("s.toml", text).expect("settings");
        let line = |settings: &Settings| {
            let text = told(settings, &plan());
            text.lines().find(|line| line.starts_with("Tokens")).map(str::to_owned)
        };
        let two = of("[pkcs11]\np11_kit = true\nonly = [\"pkcs11:token=CA%20keys\"]\n\
                      [[pkcs11.modules]]\npath = \"/a.so\"\n[[pkcs11.logins]]\n\
                      token = \"pkcs11:token=CA%20keys\"\npin_env = \"P\"\n");
        let told = "Tokens       of /a.so, the modules that p11-kit is configured with; only \
             pkcs11:token=CA%20keys; 1 login";
        assert_eq!(line(&two).as_deref(), Some(told));
        let plain = of("[[pkcs11.modules]]\npath = \"/a.so\"\n");
        let told = "Tokens       of /a.so; all of them; without a login";
        assert_eq!(line(&plain).as_deref(), Some(told));
        assert_eq!(line(&of("")), None);
        let object = object(&two, &plan());
        assert_eq!((&object["modules"], &object["p11_kit"]), (&json!(["/a.so"]), &json!(true)));
        assert_eq!(object["tokens"], json!(["pkcs11:token=CA%20keys"]));
        assert_eq!(object["logins"], json!(1));
    }

    #[test]
    fn a_target_with_many_ports_stands_above_its_figures() {
        let mut long = plan();
        let ports: Vec<String> = (8000..8012).map(|port| port.to_string()).collect();
        long.lines[1].target = format!("b.test:{}", ports.join(","));
        let text = table(&long);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[2], long.lines[1].target);
        assert_eq!(lines[3].trim_start(), "1         0      2      3           6");
        assert_eq!(lines[3].len(), lines[1].len());
    }

    #[test]
    fn a_plan_is_an_object_with_the_same_figures() {
        let object = object(&Settings::default(), &plan());
        assert_eq!(object["probes"], 16_776_964);
        assert_eq!(object["targets"][1]["server_names"], 3);
        assert_eq!(object["connections"]["at_most"], 33_553_928);
        assert_eq!(object["seconds"]["at_least"], 167_769.0);
        assert_eq!(object["windows"], Value::Null);
    }

    #[test]
    fn times_and_numbers_are_for_people() {
        for (millis, said) in [
            (0, "0 s"),
            (400, "less than 1 s"),
            (59_900, "59 s"),
            (60_000, "1 min"),
            (250_000, "4 min 10 s"),
            (7_260_000, "2 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), said);
        }
        for (count, said) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (1 << 64, "18,446,744,073,709,551,616")]
        {
            assert_eq!(grouped(count), said);
        }
    }
}
