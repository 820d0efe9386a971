//! Whose is it: a customer as the records that name it make it — sums, owner, status, and what it
//! can be found by. Pure.

use std::collections::BTreeSet;

use crate::model::customer::{Part, View};
use crate::model::text::search_fold_into;
use crate::model::{Account, OwnerRules, Party};

/// Adds up a customer from its records. Records that are gone count only when all are.
pub fn view(id: i64, parties: &[Part<Party>], accounts: &[Part<Account>], rules: &OwnerRules) -> View {
    let gone = parties.iter().all(|p| p.gone) && accounts.iter().all(|a| a.gone);
    let mut parties: Vec<_> = parties.iter().filter(|p| gone || !p.gone).collect();
    parties.sort_by_key(|party| party.id);
    let mut accounts: Vec<_> = accounts.iter().filter(|a| gone || !a.gone).collect();
    accounts.sort_by(|a, b| a.fields.number.cmp(&b.fields.number));

    let mut partner_accounts = Vec::<&str>::new();
    let named = parties.iter().filter_map(|p| p.fields.partner_account.as_deref());
    for name in named.chain(accounts.iter().filter_map(|a| a.fields.partner_account.as_deref())) {
        if !partner_accounts.contains(&name) {
            partner_accounts.push(name);
        }
    }
    let (owner, rule) = rules.owner(partner_accounts.iter().copied());
    // A client whose broker sends amounts and who has no account has traded nothing: zero is known.
    let no_accounts = accounts.is_empty() && parties.iter().any(|p| p.fields.reward_usd.is_some());
    let sum = |amount: fn(&Account) -> Option<i64>| {
        let known = accounts.iter().filter_map(|a| amount(&a.fields)).reduce(|a, b| a + b);
        known.or(no_accounts.then_some(0))
    };
    let volume_lots = sum(|a| a.volume_lots);
    let reward_usd = sum(|a| a.reward_usd);
    View {
        id,
        hidden: parties.is_empty() && accounts.is_empty(),
        gone,
        owner: owner.to_owned(),
        owner_rule: rule.word().to_owned(),
        status: parties.iter().find_map(|p| p.fields.status.clone()).or_else(|| {
            let statuses: BTreeSet<&str> =
                accounts.iter().filter_map(|a| a.fields.status.as_deref()).collect();
            // ACTIVE sorts first: a client with one active account is active.
            statuses.first().map(|status| (*status).to_owned())
        }),
        activity: (volume_lots.is_some() || reward_usd.is_some()).then(|| {
            let active = volume_lots.unwrap_or(0) > 0 || reward_usd.unwrap_or(0) > 0;
            if active { "ACTIVE" } else { "INACTIVE" }.to_owned()
        }),
        country: parties
            .iter()
            .find_map(|p| p.fields.country.clone())
            .or_else(|| accounts.iter().find_map(|a| a.fields.country.clone())),
        partner_account: (!partner_accounts.is_empty()).then(|| partner_accounts.join(", ")),
        registered: parties
            .iter()
            .find_map(|p| p.fields.registered.clone())
            .or_else(|| accounts.iter().filter_map(|a| a.fields.opened.clone()).min()),
        last_trade: accounts
            .iter()
            .filter_map(|a| a.fields.last_trade.clone())
            .chain(parties.iter().filter_map(|p| p.fields.last_trade.clone()))
            .max(),
        accounts: accounts.len() as i64,
        account_numbers: accounts.iter().map(|a| a.fields.number.as_str()).collect::<Vec<_>>().join(" "),
        volume_lots,
        volume_mln_usd: sum(|a| a.volume_mln_usd),
        reward_usd,
        rebate_usd: parties.iter().filter_map(|p| p.fields.rebate_usd).reduce(|a, b| a + b),
        text: {
            let raws = parties.iter().map(|p| p.raw.as_str()).chain(accounts.iter().map(|a| a.raw.as_str()));
            let derived = partner_accounts
                .iter()
                .copied()
                .chain(parties.iter().filter_map(|p| p.fields.country.as_deref()));
            search_text(raws, derived.chain(accounts.iter().filter_map(|a| a.fields.country.as_deref())))
        },
    }
}

/// Every different value of the payloads and the given extra ones, folded, one a line.
fn search_text<'a>(raws: impl Iterator<Item = &'a str>, extra: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    // Where each value stands in the text. A customer has a few dozen of them, most of different
    // lengths: looking through them is cheaper than hashing each.
    let mut there = Vec::<(usize, usize)>::new();
    let mut add = |value: &str| {
        let start = text.len();
        search_fold_into(value, &mut text);
        let end = text.len();
        let length = end - start;
        let known =
            there.iter().any(|(at, long)| *long == length && text[*at..at + long] == text[start..end]);
        if length == 0 || known {
            text.truncate(start);
        } else {
            there.push((start, length));
            text.push('\n');
        }
    };
    for raw in raws {
        for_each_value(raw, &mut add);
    }
    extra.for_each(&mut add);
    text
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
    fn a_customer_is_the_sum_of_its_live_accounts() {
        let account = |number: &str, reward, gone| Part {
            id: 1,
            customer: 7,
            gone,
            raw: format!(r#"{{"client_account":"{number}","campaign":"RB you"}}"#),
            fields: Account { number: number.to_owned(), reward_usd: reward, ..Account::default() },
        };
        let accounts =
            [account("20", Some(5), false), account("10", None, false), account("30", Some(100), true)];
        let view = view(7, &[], &accounts, &OwnerRules::default());
        assert_eq!((view.accounts, view.reward_usd, view.volume_lots), (2, Some(5), None));
        assert_eq!(view.account_numbers, "10 20");
        assert_eq!(view.activity.as_deref(), Some("ACTIVE"));
        assert_eq!(view.text, "10\nrb you\n20\n");
        assert!(!view.hidden && !view.gone);
    }
}
