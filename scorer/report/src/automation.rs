//! What people read of a trace of automation, and of how a certificate is renewed.

use pki_inventory::{
    Asset, Automation, AutomationRole, Certificate, Direction, Renewal, Sign, Strength, View,
    renewal,
};

use crate::told::{Rows, Told};
use crate::words;

/// What a trace is about.
pub(crate) fn role(role: AutomationRole) -> &'static str {
    match role {
        AutomationRole::Lineage => "settings of one certificate",
        AutomationRole::Schedule => "starts the tool",
        AutomationRole::Monitor => "watches for expiry",
    }
}

/// A question that a tool's files may leave open.
pub(crate) fn answer(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not to be seen",
    }
}

/// How it renews: what is known, each a line.
pub(crate) fn renewing(body: &Automation) -> Vec<String> {
    let mut lines = vec![format!("set up to run by itself: {}", answer(body.active))];
    lines.extend(body.schedule.as_ref().map(|schedule| format!("runs at {schedule}")));
    lines.extend(body.next_renewal.map(|next| format!("next renewal {}", next.date())));
    lines.extend(body.renewals.map(|renewals| match renewals {
        1 => "has renewed once".to_owned(),
        times => format!("has renewed {times} times"),
    }));
    lines.extend(body.hook.map(|hook| format!("hook after a renewal: {}", answer(Some(hook)))));
    lines
}

/// What it asks for and how: under each label a text as the tool has it.
pub(crate) fn asking(body: &Automation) -> Vec<(&'static str, String)> {
    let stated = [
        ("asks", &body.issuer),
        ("shows control by", &body.authenticator),
        ("key", &body.key_type),
    ];
    let stated = stated.into_iter().filter_map(|(what, text)| Some((what, text.clone()?)));
    let kept = body.reuses_key.map(|kept| ("keeps the key", answer(Some(kept)).to_owned()));
    stated.chain(kept).collect()
}

/// The certificates it manages: how many, and the newest.
pub(crate) fn managed(asset: &Asset, body: &Automation, view: &View<'_>) -> Vec<Told> {
    if body.role != AutomationRole::Lineage {
        return Vec::new();
    }
    let managed = view.managed_by(asset);
    let Some(newest) = managed.newest else {
        return Told::texts(["no certificate was seen where it keeps them"]);
    };
    let count = words::count(managed.certificates, "certificate seen", "certificates seen");
    let until = newest.certificate().map_or_else(String::new, |one| one.not_after.date());
    let newest = Told::asset(newest.id, view);
    let text = format!("newest: {}, valid until {until}", newest.text);
    vec![Told::text(count), Told { text, ..newest }]
}

/// What starts the tool of a lineage, and what watches by it.
pub(crate) fn helpers(body: &Automation, view: &View<'_>) -> (Vec<Told>, Vec<Told>) {
    if body.role != AutomationRole::Lineage {
        return (Vec::new(), Vec::new());
    }
    let told = |assets: &[&Asset]| assets.iter().map(|one| Told::asset(one.id, view)).collect();
    (told(view.schedules(&body.tool)), told(view.monitors(&body.tool)))
}

/// All of it.
pub(crate) fn rows(asset: &Asset, body: &Automation, view: &View<'_>) -> Rows {
    let (schedules, monitors) = helpers(body, view);
    let asking = asking(body).into_iter().map(|(what, text)| format!("{what}: {text}"));
    vec![
        ("tool", vec![Told::text(body.tool.clone())]),
        ("role", vec![Told::text(format!("{}: {}", body.role.name(), role(body.role)))]),
        ("name", Told::texts(body.name.clone())),
        ("domains", Told::texts(body.domains.clone())),
        ("manages", Told::texts(body.manages.clone())),
        ("issuance", Told::texts(asking)),
        ("renewal", Told::texts(renewing(body))),
        ("certificates", managed(asset, body, view)),
        ("schedules of this tool", schedules),
        ("watched by", monitors),
    ]
}

/// How a certificate is renewed, as far as the signs tell; `None` for authorities, whose renewal is
/// another matter.
pub(crate) fn renewed(
    asset: &Asset,
    certificate: &Certificate,
    view: &View<'_>,
) -> Option<&'static str> {
    (!certificate.is_authority()).then(|| renewal_name(renewal(asset, certificate, view)))
}

/// The word for a way of renewal.
pub(crate) fn renewal_name(renewal: Renewal) -> &'static str {
    match renewal {
        Renewal::Automated => "automated",
        Renewal::Manual => "manual",
        Renewal::Undetermined => "undetermined",
    }
}

/// What a sign speaks for.
pub(crate) fn direction(sign: &Sign) -> &'static str {
    match sign.direction {
        Direction::Automatic => "automatic",
        Direction::Manual => "manual",
    }
}

/// How much a sign counts.
pub(crate) fn strength(sign: &Sign) -> &'static str {
    match sign.strength {
        Strength::Weak => "weak",
        Strength::Medium => "medium",
        Strength::Strong => "strong",
    }
}
