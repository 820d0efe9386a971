//! What the guides quote is what the program says: a text of the catalogue that changes, or that is new,
//! fails here until the guide follows.

use concord::words;

use super::none;
use super::scan::texts;

/// Families of texts that reading a shop can bring to light.
const FAMILIES: [&str; 9] =
    ["connect-", "run-", "case-", "config-", "schedule-", "system-", "reject-", "exclude-", "way-"];

/// Texts of no such family that it can.
const ALSO: [&str; 4] = ["cli-no-shop", "cli-no-such-phone", "cli-init-bad-zone", "cli-system-is-paused"];

/// Those of a family that it cannot: words of a state or a choice, sign-in by token, lists of clients,
/// sums that no base states, other settings, what is said of a case that is decided.
const NEVER: [&str; 28] = [
    "run-status-queued",
    "run-status-running",
    "run-status-succeeded",
    "run-status-incomplete",
    "run-status-failed",
    "run-status-cancelled",
    "case-choice-keep",
    "case-choice-mark_gone",
    "case-choice-counts",
    "connect-tried",
    "connect-login-without-token",
    "connect-token-invalid",
    "connect-token-refused",
    "connect-token-expired",
    "reject-bad_uid",
    "case-uid-collision",
    "run-sums-differ",
    "run-no-keys",
    "config-bad-date",
    "config-bad-address",
    "config-bad-database",
    "config-bad-smtp",
    "config-bad-mail",
    "config-no-recipient",
    "config-owner-twice",
    "case-unknown",
    "case-not-open",
    "case-choice-unknown",
];

/// Likewise: what is said of writing, and of kinds of system that are no shop.
const ELSEWHERE: [&str; 15] = [
    "connect-cannot-write",
    "connect-write-later",
    "connect-write-refused",
    "connect-write-no-name",
    "connect-write-no-row",
    "connect-write-unanswered",
    "connect-write-broke",
    "connect-write-unread",
    "connect-write-kind",
    "connect-login-unlicensed",
    "connect-login-locked",
    "reject-no_details",
    "way-listed",
    "config-bad-md5",
    "exclude-system_user",
];

/// Likewise: what is said of flows.
const FLOWS: [&str; 35] = [
    "case-ambiguous-match",
    "case-number-clash",
    "case-uncertain-delivery",
    "case-duplicate",
    "case-changed-code",
    "case-not-as-sent",
    "case-target-gone",
    "case-conflict",
    "case-ping-pong",
    "case-restore-moved",
    "case-unknown-state",
    "case-not-representable",
    "case-no-party",
    "case-uncertain-document",
    "case-net-amount",
    "case-changed-after-send",
    "case-choice-seen",
    "case-linked-otherwise",
    "case-choice-create",
    "case-choice-exclude",
    "case-choice-resolved",
    "case-choice-applied",
    "case-choice-not_applied",
    "case-choice-source",
    "case-choice-leave",
    "case-needs-ref",
    "config-unknown-entity",
    "config-flow-documents",
    "config-flow-after",
    "config-bad-amount",
    "config-bad-flow-name",
    "config-flow-system",
    "config-flow-circle",
    "config-unknown-field",
    "config-bad-time",
];

/// Likewise: what is said of a case that is out of date.
const PAST: [&str; 2] = ["case-newer-run", "case-unknown-system"];

/// A text as a guide quotes it: its first sentence, with `shop` and its list named and every other
/// argument in capitals.
fn quoted(id: &str) -> String {
    let known = [("system", "shop"), ("stream", "purchases"), ("reason", ""), ("expected", "text")];
    let text = words::words(words::DEFAULT).with(id, &known);
    let mut quoted = String::new();
    for (at, part) in text.split("{$").enumerate() {
        match part.split_once('}').filter(|_| at > 0) {
            Some((argument, rest)) => quoted.push_str(&(argument.to_uppercase() + rest)),
            None => quoted.push_str(part),
        }
    }
    let end = [". ", "; "].iter().filter_map(|end| quoted.find(end)).min().unwrap_or(quoted.len());
    quoted[..end].trim_end_matches('.').to_owned()
}

#[test]
fn the_guide_for_1c_has_every_message() {
    let texts = texts();
    let guide = &texts.iter().find(|file| file.path == "docs/1c.md").expect("the guide is there").text;
    let excepted = |id: &&str| ![&NEVER[..], &PAST, &ELSEWHERE, &FLOWS].concat().contains(id);
    let of_a_family = words::ids().filter(|id| FAMILIES.iter().any(|family| id.starts_with(family)));
    let missing = of_a_family.filter(excepted).chain(ALSO).filter_map(|id| {
        let row = format!("\n| {} | ", quoted(id));
        (!guide.contains(&row)).then(|| format!("docs/1c.md has no row for {id}: {}", row.trim()))
    });
    none(missing);
    let known: Vec<&str> = words::ids().collect();
    none(
        NEVER
            .iter()
            .chain(&PAST)
            .chain(&ELSEWHERE)
            .chain(&FLOWS)
            .filter(|id| !known.contains(id))
            .map(|id| format!("there is no text {id}")),
    );
}

#[test]
fn the_guide_for_1c_has_every_setting() {
    let texts = texts();
    let text = |path: &str| &texts.iter().find(|file| file.path == path).expect("the file is there").text;
    let (guide, manual) = (text("docs/1c.md"), text("concord.default.toml"));
    let (_, shop) = manual.split_once("#[systems.shop]\n").expect("the manual has a shop");
    let (own, rest) = shop.split_once("##[systems.shop.entities]\n").expect("and what its sets are called");
    let of_every_system = manual.split("# What follows is the same for every kind of system.").nth(1);
    let of_every_system = of_every_system.and_then(|text| text.split("\n\n").next()).unwrap_or_default();
    let settings = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.trim_start_matches('#').split_once(" = "));
        let setting = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        lines.filter(|(name, _)| !name.contains(' ') && *name != "kind").map(setting).collect()
    };
    let entities = settings(rest.split("\n\n").next().unwrap_or_default());
    assert!(entities.len() == 6 && settings(own).len() > 8 && settings(of_every_system).len() > 10);
    let names = settings(own).into_iter().chain(settings(of_every_system));
    none(names.filter(|(name, _)| !guide.contains(&format!("`{name}`"))).map(|(name, _)| name));
    // What has a default of its own is quoted with it.
    for name in ["currency", "purchase_days", "points_rule", "city_rules", "packaging", "timeout"] {
        let (_, value) = settings(own).into_iter().find(|(own, _)| own == name).expect("it is a setting");
        assert!(guide.contains(&format!("`{name}` | `{value}` |")), "{name} = {value}");
    }
    for (name, set) in entities {
        let row = format!("`{}` | `{name}` |", set.trim_matches('"'));
        assert!(guide.contains(&row), "{row}");
    }
}
