//! `adcs.authority-outlived-by-template`: an authority ends before what it issues should.
//!
//! ## What it looks at
//! Authorities that a directory registers: what is left of the life of their newest certificate,
//! beside the longest validity of the templates that they publish. Those for authorities are left
//! out.
//! ## Why it matters
//! An authority issues nothing that outlives it. Certificates get shorter without a word, and on
//! one day all of them end at once.
//! ## What it cannot see
//! Whether the renewal of the authority is planned; limits of its own in the registry of its host.
//! Templates that were not read.

use pki_inventory::{Asset, Authority, Template, Time, general_flag};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-outlived-by-template",
    title: "A certificate of an authority ends before what its templates promise",
    cites: &[
        Cite { document: "RFC 5280", section: "6.1.3" },
        Cite { document: "[MS-CRTD]", section: "2.11" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, cx: &RuleContext<'_>) -> Outcome {
    if authority.templates.is_empty() {
        return Outcome::NotApplicableBecause("publishes no template".to_owned());
    }
    let known = authority.certificates.iter().filter_map(|digest| cx.view.certificate(*digest));
    let Some(end) = known.map(|(_, certificate)| certificate.not_after).max() else {
        return Outcome::Unknown("its certificate is not in the inventory".to_owned());
    };
    let published = cx.view.published_by(authority);
    let others: Vec<&Template> =
        published.iter().map(|(_, one)| *one).filter(|one| !is_for_authorities(one)).collect();
    if others.is_empty() && !published.is_empty() {
        return Outcome::NotApplicableBecause(
            "publishes templates for authorities only".to_owned(),
        );
    }
    let lives = others.iter().filter_map(|one| Some((one.validity_secs?, &one.name)));
    let Some((longest, name)) = lives.max() else {
        return Outcome::Unknown("the validity of its templates was not read".to_owned());
    };
    let days = longest / Time::DAY;
    match cx.as_of.days_until(end) {
        left if cx.as_of.plus_days(days) <= end => Outcome::MetBecause(format!(
            "its certificate has {left} days left, and the longest template, {name}, promises \
             {days}"
        )),
        _ if end < cx.as_of => Outcome::NotMet(format!("its certificate ended on {}", end.date())),
        left => Outcome::NotMet(format!(
            "its certificate ends on {}, in {left} days, but {name} promises {days}",
            end.date()
        )),
    }
}

/// An authority below this one is planned to its end, and gets what is left.
fn is_for_authorities(template: &Template) -> bool {
    let bits = general_flag::AUTHORITY | general_flag::CROSS_AUTHORITY;
    template.general_flags.is_some_and(|flags| flags & bits != 0)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{issuing, template};
    use crate::fixtures::{NOW, World, authority, check, limits};

    use pki_inventory::{Authority, Certificate, Template};

    fn ending(days: i64, validity_secs: Option<i64>) -> World {
        let not_after = NOW.plus_days(days);
        let own = Certificate { not_after, ..authority("Corp CA") };
        let one = Authority { certificates: vec![own.digest()], ..issuing(&["T"]) };
        let template = Template { validity_secs, ..template("T") };
        World::default().template(template).issued_by(one).listed(own, "cACertificate")
    }

    const YEAR: Option<i64> = Some(365 * 86_400);

    #[test]
    fn met_to_the_day() {
        check(&RULE, &ending(365, YEAR), &limits(), "met");
    }

    #[test]
    fn not_met_a_day_short_or_past_the_end() {
        let world = ending(364, YEAR);
        check(&RULE, &world, &limits(), "not-met");
        let expected = "its certificate ends on 2027-11-20, in 364 days, but T promises 365";
        assert_eq!(world.sentences(&RULE, &limits()), [expected]);
        check(&RULE, &ending(-3, YEAR), &limits(), "not-met");
    }

    #[test]
    fn unknown_without_the_certificate_or_the_validity() {
        check(&RULE, &World::default().published(template("T")), &limits(), "unknown");
        check(&RULE, &ending(365, None), &limits(), "unknown");
    }

    #[test]
    fn templates_for_authorities_do_not_count() {
        let world = |names: &[&str]| {
            let own = Certificate { not_after: NOW.plus_days(400), ..authority("Corp CA") };
            let one = Authority { certificates: vec![own.digest()], ..issuing(names) };
            let long = |name, flag| Template {
                validity_secs: Some(5 * 365 * 86_400),
                general_flags: Some(flag),
                ..template(name)
            };
            let world = World::default().template(template("T")).template(long("SubCA", 0x80));
            let world = world.template(long("CrossCA", 0x800));
            world.issued_by(one).listed(own, "cACertificate")
        };
        check(&RULE, &world(&["T", "SubCA", "CrossCA"]), &limits(), "met");
        check(&RULE, &world(&["SubCA", "CrossCA"]), &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_where_nothing_is_published() {
        let world = World::default().issued_by(issuing(&[]));
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
