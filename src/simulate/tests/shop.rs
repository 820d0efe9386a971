//! The shop over real HTTP: this file holds its visitor and the figures everybody must come to.

mod data;
mod edits;
mod questions;
mod traps;

use jiff::civil::{DateTime, date};
use reqwest::RequestBuilder;

use super::super::onec::{LOGIN, PASSWORD};
use super::super::{PointsRule, Trap, shop_config};
use super::*;

const CARDS: &str = "Catalog_ДисконтныеКарты";
const CUSTOMERS: &str = "Catalog_Контрагенты";
const PRODUCTS: &str = "Catalog_Номенклатура";
const SALES: &str = "AccumulationRegister_ПродажиПоДисконтнымКартам_RecordType";
const POINTS: &str = "AccumulationRegister_БонусныеБаллы_RecordType";
const BALANCE: &str = "AccumulationRegister_БонусныеБаллы/Balance";
const JSON: &str = "$format=application/json;odata=nometadata";

/// One who has the login of the shop's base.
struct Shopper {
    simulator: Simulator,
    http: Client,
}

impl Shopper {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// A shop of 300 customers with these traps.
    async fn trapped(traps: &[Trap]) -> Self {
        Self::with(Options { shop_traps: traps.to_vec(), ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let few = Options { shop_customers: options.shop_customers.min(300), ..options };
        let simulator = Simulator::start(few, None).await.unwrap();
        let http = Client::builder().user_agent("test").no_proxy().build().unwrap();
        Self { simulator, http }
    }

    fn request(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/onec/odata/standard.odata/{path}", self.simulator.url()))
    }

    /// Asks as one should, with both hints for JSON.
    async fn ask(&self, path: &str) -> Response {
        let mark = if path.contains('?') { '&' } else { '?' };
        let request = self.request(&format!("{path}{mark}{JSON}")).header("accept", "application/json");
        request.basic_auth(LOGIN, Some(PASSWORD)).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.ask(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn rows(&self, path: &str) -> Vec<Value> {
        self.json(path).await["value"].as_array().unwrap().clone()
    }

    async fn count(&self, path: &str) -> usize {
        self.ask(path).await.text().await.unwrap().parse().unwrap()
    }

    /// Status and code of a refusal.
    async fn refused(&self, path: &str) -> (u16, String) {
        let response = self.ask(path).await;
        let status = response.status().as_u16();
        let body: Value = response.json_value().await;
        let error = &body["odata.error"];
        assert_eq!(error["message"]["lang"], "ru", "{path}: {body}");
        (status, error["code"].as_str().unwrap().to_owned())
    }

    /// Reads a set page by page until one is short, as there is no other way to know.
    async fn scan(&self, set: &str, options: &str, top: usize) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let page = self.rows(&format!("{set}?$top={top}&$skip={}{options}", all.len())).await;
            let short = page.len() < top;
            all.extend(page);
            if short {
                return all;
            }
        }
    }

    async fn reference_card(&self) -> Value {
        let phone = self.simulator.shop().reference_phone();
        self.rows(&format!("{CARDS}?$filter=КодКартыШтрихкод eq '{phone}'")).await.remove(0)
    }
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

/// The exact sum of a field that holds JSON numbers.
fn sum(rows: &[Value], field: &str) -> Decimal {
    rows.iter().map(|row| row[field].to_string().parse::<Decimal>().unwrap()).sum()
}

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(year: i16, month: i8, day: i8) -> DateTime {
    date(year, month, day).at(12, 0, 0, 0)
}

#[tokio::test]
async fn the_reference_customer_comes_to_the_known_figures() {
    let shopper = Shopper::new().await;
    let card = shopper.reference_card().await;
    let key = text(&card, "Ref_Key");
    let own = format!("{SALES}?$filter=Active eq true and ДисконтнаяКарта_Key eq guid'{key}'");
    let opening = "isof(Recorder,'Document_ВводНачальныхОстатков')";
    let opening_rows = shopper.rows(&format!("{own} and {opening}")).await;
    assert_eq!(sum(&opening_rows, "Сумма"), amount("232360.00"));
    let year_ago = shopper.simulator.shop().today().at(0, 0, 0, 0) - jiff::Span::new().days(365);
    let recent = format!("{own} and not {opening} and Period ge datetime'{year_ago}'");
    let purchases = shopper.rows(&recent).await;
    assert_eq!(sum(&purchases, "Сумма"), amount("132694.00"));
    assert_eq!(sum(&shopper.rows(&own).await, "Сумма"), amount("365054.00"));
    let twins = purchases.iter().filter(|row| row["Сумма"] == json!(9999.99)).count();
    assert_eq!(twins, 2, "two equal lines of one receipt");

    let owner = text(&card, "ВладелецКарты_Key");
    let customer = shopper.json(&format!("{CUSTOMERS}(guid'{owner}')")).await;
    assert_eq!(text(&customer, "ОсновныеСведения").lines().nth(2), Some("Симферополь"));

    let shop = shopper.simulator.shop();
    assert_eq!(shop.card("reference"), key);
    for rule in [PointsRule::Movements, PointsRule::LastRecord, PointsRule::VirtualBalance, PointsRule::Naive]
    {
        assert_eq!(shop.points(key, rule, shop.now()), Some(amount("4806")), "{rule:?}");
    }
    let city = shop.city(owner).unwrap();
    assert_eq!((city.name.as_str(), city.rule), ("Симферополь", "main_info_line_3"));
    let sums = shop.sums_of_card(key, Some(365));
    assert_eq!((sums.opening_balances.sum, sums.purchases.sum), (amount("232360"), amount("132694")));
    assert_eq!((sums.inactive.sum, sums.returns.sum), (amount("77777"), amount("-6500")));
    assert_eq!(shop.sums_of_card(key, None).purchases, sums.purchases);
}

#[tokio::test]
async fn one_card_tells_the_rules_of_points_apart() {
    let shopper = Shopper::new().await;
    let shop = shopper.simulator.shop();
    let card = shop.card("telling");
    let now = shop.now();
    for (rule, points) in [
        (PointsRule::Movements, "120"),
        (PointsRule::LastRecord, "45"),
        (PointsRule::VirtualBalance, "120"),
        (PointsRule::Naive, "75"),
    ] {
        assert_eq!(shop.points(&card, rule, now), Some(amount(points)), "{rule:?}");
    }
    let own = format!("БонуснаяКарта_Key eq guid'{card}'");
    let rows = shopper.rows(&format!("{POINTS}?$filter={own}&$orderby=Period")).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (&text(row, "Period")[..10], row["Начислено"].clone(), row["КСписанию"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("2025-01-10", json!(100), json!(0)),
            ("2025-03-01", json!(0), json!(30)),
            ("2025-04-01", json!(50), json!(0)),
            ("2099-01-10", json!(0), json!(45)),
        ]
    );
    for (period, spent) in
        [(format!("Period=datetime'{}',", now.round(jiff::Unit::Second).unwrap()), 30), (String::new(), 75)]
    {
        // With the apostrophes inside doubled, and without.
        for quote in ["''", "'"] {
            let condition = own.replace('\'', quote);
            let rows = shopper.rows(&format!("{BALANCE}({period}Condition='{condition}')")).await;
            let balance =
                json!({ "БонуснаяКарта_Key": card, "НачисленоBalance": 150, "КСписаниюBalance": spent });
            assert_eq!(rows, [balance]);
        }
    }
    assert_eq!(shop.points(&shop.card("overdrawn"), PointsRule::Movements, now), Some(Decimal::ZERO));
    assert_eq!(shop.points(&shop.card("overdrawn"), PointsRule::VirtualBalance, now), Some(amount("-150")));
    assert_eq!(shop.points(&shop.card("no_points"), PointsRule::Movements, now), None);
}

#[tokio::test]
async fn sums_are_those_of_the_rows() {
    let shopper = Shopper::new().await;
    let rows = shopper.scan(SALES, "&$orderby=Period,Recorder,LineNumber", 500).await;
    let truth = shopper.simulator.truth();
    let truth = &truth["shop"];
    assert_eq!(truth["sales"]["count"], rows.len());
    let zero = "00000000-0000-0000-0000-000000000000";
    let kinds = |row: &Value| {
        let opening = row["Recorder_Type"] == "StandardODATA.Document_ВводНачальныхОстатков";
        match (row["Active"] == true, row["ДисконтнаяКарта_Key"] == zero) {
            (false, _) => "inactive",
            (true, true) => "no_card",
            (true, false) if opening => "opening_balances",
            _ => "purchases",
        }
    };
    for kind in ["inactive", "no_card", "opening_balances", "purchases"] {
        let own: Vec<Value> = rows.iter().filter(|row| kinds(row) == kind).cloned().collect();
        assert!(own.len() > 2, "{kind}");
        assert_eq!(truth[kind]["count"], own.len(), "{kind}");
        assert_eq!(amount(truth[kind]["sum"].as_str().unwrap()), sum(&own, "Сумма"), "{kind}");
        let returned: Vec<Value> =
            own.iter().filter(|row| row["Сумма"].as_f64() < Some(0.0)).cloned().collect();
        if kind == "purchases" {
            assert_eq!(amount(truth["returns"]["sum"].as_str().unwrap()), sum(&returned, "Сумма"));
        } else {
            assert!(returned.is_empty(), "{kind}");
        }
    }
    let shop = shopper.simulator.shop();
    let (year, all) = (shop.sums(Some(365)), shop.sums(None));
    assert!(year.purchases.count < all.purchases.count && year.opening_balances == all.opening_balances);
    let by_card = shop.sums_by_card(None).into_values().map(|sums| sums.purchases.sum);
    assert_eq!(by_card.sum::<Decimal>(), all.purchases.sum);
    let points = shopper.scan(POINTS, "&$orderby=Period,Recorder,LineNumber", 500).await;
    assert_eq!(truth["points"]["count"], points.len());
    let balances = shopper
        .rows(&format!("{BALANCE}(Period=datetime'{}')", shop.now().round(jiff::Unit::Second).unwrap()))
        .await;
    let balance = sum(&balances, "НачисленоBalance") - sum(&balances, "КСписаниюBalance");
    assert_eq!(amount(truth["points"]["virtual_balance"].as_str().unwrap()), balance);
    let by_card = shop.points_by_card(PointsRule::VirtualBalance, shop.now());
    assert_eq!(
        (by_card.values().sum::<Decimal>(), &truth["points"]["cards"]),
        (balance, &json!(by_card.len()))
    );
}
