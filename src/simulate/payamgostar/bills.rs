//! Quotes and invoices: what follows from their lines, exactly and in decimals.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;

use super::super::record::Record;
use super::fields::{BILL, Sort};

const LINE: [&str; 13] = [
    "productCode",
    "productId",
    "productName",
    "isService",
    "baseUnitPrice",
    "finalUnitPrice",
    "count",
    "totalUnitPrice",
    "totalDiscount",
    "totalVat",
    "totalToll",
    "detailDescription",
    "productUnitTypeName",
];
/// What a header adds up from its lines, and the field of the lines.
const TOTALS: [(&str, &str); 4] = [
    ("totalValue", "totalUnitPrice"),
    ("discount", "totalDiscount"),
    ("vat", "totalVat"),
    ("toll", "totalToll"),
];
/// What a final value is made of.
const PARTS: [&str; 5] = ["totalValue", "discount", "vat", "toll", "additionalCosts"];
/// Products whose codes begin like this are free of value added tax.
const EXEMPT: char = '9';

/// A quote or invoice without lines.
pub(super) fn blank(sort: Sort, id: &str, subtype: &str, at: &str) -> Record {
    let date = if sort == Sort::Quote { "quoteDate" } else { "invoiceDate" };
    let mut row = Record::default();
    for name in BILL {
        match name {
            "crmId" => row.set(name, &json!(id)),
            "crmObjectTypeCode" => row.set(name, &json!(subtype)),
            "quoteDate" => row.set(date, &json!(at)),
            "creatDate" | "modifyDate" | "expireDate" => row.set(name, &json!(at)),
            "discount" | "vat" | "toll" | "additionalCosts" | "totalValue" | "finalValue" | "tollPercent" => {
                row.set_raw(name, money(Decimal::ZERO));
            }
            "vatPercent" => row.set_raw(name, "10.0".to_owned()),
            "billableObjectStateIndex" => row.set(name, &json!(1)),
            "details" => row.set(name, &json!([])),
            _ => row.set(name, &json!("")),
        }
    }
    if sort == Sort::Invoice {
        row.set("refId", &json!(null));
    }
    row
}

/// Sets what is given. Lines are completed from `productCode`, `count`, `baseUnitPrice` and
/// `totalDiscount`; sums of the header follow from them, and the final value from the sums, but for
/// those that are given themselves.
pub(super) fn set(row: &mut Record, given: &Record) {
    for name in given.names().filter(|name| *name != "details") {
        row.set_raw(name, given.raw(name).unwrap_or("null").to_owned());
    }
    let lines = given.raw("details").is_some();
    if lines {
        let rate = row.amount("vatPercent").unwrap_or_default() / Decimal::ONE_HUNDRED;
        let details: Vec<Record> = given.list("details").iter().map(|given| line(given, rate)).collect();
        for (total, part) in TOTALS.iter().filter(|(total, _)| given.raw(total).is_none()) {
            row.set_raw(total, money(details.iter().filter_map(|line| line.amount(part)).sum()));
        }
        row.set_list("details", &details);
    }
    if given.raw("finalValue").is_none() && (lines || PARTS.iter().any(|part| given.raw(part).is_some())) {
        let [total, discount, vat, toll, costs] = PARTS.map(|part| row.amount(part).unwrap_or_default());
        row.set_raw("finalValue", money(total - discount + vat + toll + costs));
    }
}

fn line(given: &Record, rate: Decimal) -> Record {
    let amount = |name: &str| given.amount(name).unwrap_or_default();
    let code = given.text("productCode");
    let (price, discount) = (amount("baseUnitPrice"), amount("totalDiscount"));
    let count = given.amount("count").unwrap_or(Decimal::ONE);
    let total = price * count;
    let rate = if code.starts_with(EXEMPT) { Decimal::ZERO } else { rate };
    let unit = (total - discount).checked_div(count).unwrap_or_default();
    let mut line = Record::default();
    for name in LINE {
        let text = match name {
            "finalUnitPrice" => money(unit),
            "count" => count.normalize().to_string(),
            "totalUnitPrice" => money(total),
            "totalVat" => money((total - discount) * rate),
            "baseUnitPrice" | "totalDiscount" | "totalToll" => money(amount(name)),
            "isService" => "false".to_owned(),
            "productId" => json!(format!("00000000-0000-4000-9000-{code:0>12}")).to_string(),
            "productName" => json!(format!("کالای نمونه {code}")).to_string(),
            "productUnitTypeName" => json!("عدد").to_string(),
            _ => json!("").to_string(),
        };
        line.set_raw(name, given.raw(name).map_or(text, str::to_owned));
    }
    line
}

/// An amount as a JSON number with two decimals.
pub(super) fn money(amount: Decimal) -> String {
    let mut amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    amount.rescale(2);
    amount.to_string()
}
