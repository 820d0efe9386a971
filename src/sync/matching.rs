//! Whose is it: a customer as the records that name it make it — sums, owner, status, and what it
//! can be found by. Pure.

use crate::model::OwnerRules;
use crate::model::customer::{Name, Part, PartKind, View};
use crate::model::text::search_fold_into;

pub mod contact;
pub mod link;
pub mod shop;

/// Adds up a customer from its records. Records that are gone count only when all are.
pub fn view(name: Name<'_>, parts: &[Part<'_>], rules: &OwnerRules) -> View {
    let gone = parts.iter().all(|part| part.gone);
    let mut parts: Vec<&Part<'_>> = parts.iter().filter(|part| gone || !part.gone).collect();
    parts.sort_by_key(|part| (part.kind, part.number, part.id));
    let (parties, accounts) = parts.split_at(parts.partition_point(|part| part.kind == PartKind::Party));

    let mut partner_accounts = Vec::<&str>::new();
    for part in &parts {
        if !part.partner_account.is_empty() && !partner_accounts.contains(&part.partner_account) {
            partner_accounts.push(part.partner_account);
        }
    }
    let (owner, rule) = rules.owner(partner_accounts.iter().copied());
    // Without an account zero is known only where the client's own record says it: else its accounts
    // may simply not have been read yet.
    let said_zero = |part: &&Part<'_>| part.reward_usd.is_none_or(|reward| reward == 0);
    let no_accounts = accounts.is_empty()
        && parties.iter().any(|part| part.reward_usd.is_some())
        && parties.iter().all(said_zero);
    let sum = |amount: fn(&Part<'_>) -> Option<i64>| {
        let known = accounts.iter().filter_map(|part| amount(part)).reduce(|a, b| a + b);
        known.or(no_accounts.then_some(0))
    };
    let volume_lots = sum(|part| part.volume_lots);
    let reward_usd = sum(|part| part.reward_usd);
    View {
        id: name.id,
        system: name.system.to_owned(),
        key: name.key.to_owned(),
        hidden: parts.is_empty(),
        gone,
        owner: owner.to_owned(),
        owner_rule: rule.word(),
        // ACTIVE sorts first: a client with one active account is active.
        status: said(parties, |part| part.status).next().or_else(|| said(accounts, |p| p.status).min()),
        activity: (volume_lots.is_some() || reward_usd.is_some()).then(|| {
            let active = volume_lots.unwrap_or(0) > 0 || reward_usd.unwrap_or(0) > 0;
            if active { "ACTIVE" } else { "INACTIVE" }
        }),
        country: said(&parts, |part| part.country).next(),
        partner_account: (!partner_accounts.is_empty()).then(|| partner_accounts.join(", ")),
        registered: said(parties, |part| part.since).next().or_else(|| said(accounts, |p| p.since).min()),
        last_trade: said(&parts, |part| part.last_trade).max(),
        accounts: accounts.len() as i64,
        account_numbers: accounts.iter().map(|part| part.number).collect::<Vec<_>>().join(" "),
        volume_lots,
        volume_mln_usd: sum(|part| part.volume_mln_usd),
        reward_usd,
        rebate_usd: parties.iter().filter_map(|part| part.rebate_usd).reduce(|a, b| a + b),
        text: search_text(&parts, &partner_accounts),
        shop: None,
    }
}

/// What these records say of something, without those that say nothing.
fn said<'a>(
    parts: &'a [&'a Part<'a>],
    what: impl Fn(&Part<'a>) -> &'a str + 'a,
) -> impl Iterator<Item = String> + 'a {
    parts.iter().map(move |part| what(part)).filter(|said| !said.is_empty()).map(str::to_owned)
}

/// The values of the payloads and what was derived from them, folded, one a line.
fn search_text(parts: &[&Part<'_>], partner_accounts: &[&str]) -> String {
    let mut text = String::new();
    add_values(&mut text, parts.iter().map(|part| part.raw));
    partner_accounts.iter().for_each(|name| add_value(&mut text, name));
    parts.iter().for_each(|part| add_value(&mut text, part.country));
    text
}

/// Adds the values of payloads to a text.
fn add_values<'a>(text: &mut String, payloads: impl Iterator<Item = &'a str> + Clone) {
    text.reserve(payloads.clone().map(str::len).sum());
    for payload in payloads {
        for_each_value(payload, &mut |value| add_value(text, value));
    }
}

/// Adds a value to a text, folded and on a line of its own. One that another line contains is found with
/// that: an account's short name of its client, a zero. Every character left out is one less to index.
fn add_value(text: &mut String, value: &str) {
    let start = text.len();
    search_fold_into(value, text);
    let (before, new) = text.split_at(start);
    if new.is_empty() || before.contains(new) {
        text.truncate(start);
    } else {
        text.push('\n');
    }
}

/// Calls `each` with every string and number of a JSON text that is known to be valid, as written;
/// keys, `true`, `false` and `null` are left out.
pub fn for_each_value(json: &str, each: &mut impl FnMut(&str)) {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                let is_key = bytes[at..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
                if is_key {
                    continue;
                }
                let quoted = &json[start..at];
                if quoted.contains('\\') {
                    if let Ok(value) = serde_json::from_str::<String>(quoted) {
                        each(&value);
                    }
                } else {
                    each(quoted.trim_matches('"'));
                }
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                {
                    at += 1;
                }
                each(&json[start..at]);
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(json: &str) -> Vec<String> {
        let mut values = Vec::new();
        for_each_value(json, &mut |value| values.push(value.to_owned()));
        values
    }

    #[test]
    fn values_are_found_and_keys_are_not() {
        let json = r#"{"a" : "x\"y", "b":[1.50,{"c":"ж"}],"d":null,"e":true,"f":-2e3,"g":""}"#;
        assert_eq!(values(json), ["x\"y", "1.50", "ж", "-2e3", ""]);
    }

    #[test]
    fn without_accounts_zero_is_known_only_where_the_client_says_it() {
        let reward = |reward_usd| {
            let client = [Part { kind: PartKind::Party, reward_usd, ..Part::default() }];
            let view = view(Name::default(), &client, &OwnerRules::default());
            (view.reward_usd, view.activity)
        };
        assert_eq!(reward(Some(0)), (Some(0), Some("INACTIVE")));
        assert_eq!(reward(Some(1240)), (None, None));
        assert_eq!(reward(None), (None, None));
    }

    #[test]
    fn a_customer_is_the_sum_of_its_live_accounts() {
        let raws = ["20", "10", "30"].map(|n| format!(r#"{{"client_account":"{n}","campaign":"RB you"}}"#));
        let account = |at: usize, number, reward_usd, gone| Part {
            kind: PartKind::Account,
            number,
            reward_usd,
            gone,
            raw: &raws[at],
            ..Part::default()
        };
        let accounts = [
            account(0, "20", Some(5), false),
            account(1, "10", None, false),
            account(2, "30", Some(100), true),
        ];
        let view = view(Name::default(), &accounts, &OwnerRules::default());
        assert_eq!((view.accounts, view.reward_usd, view.volume_lots), (2, Some(5), None));
        assert_eq!(view.account_numbers, "10 20");
        assert_eq!(view.activity, Some("ACTIVE"));
        assert_eq!(view.text, "10\nrb you\n20\n");
        assert!(!view.hidden && !view.gone);
    }
}
