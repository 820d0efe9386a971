//! The finance system over real HTTP: this file holds its visitor, who has an accountant's login.

mod contacts;
mod documents;
mod failures;

use md5::Digest as _;

use super::super::siagh::{PASSWORD_MD5, USER};
use super::super::{By, Kind, Match, Mutation, OfficeTrap, finance_config};
use super::*;

const GET_ALL: &str = "/api/Sgh/GEN/Gn_Web_Users/GetAll";
const SAVE: &str = "/BpmsApi/SaveFormData";

/// One who has signed in to the finance system.
pub(super) struct Accountant {
    pub simulator: Simulator,
    http: Client,
    session: String,
}

impl Accountant {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn trapped(traps: &[OfficeTrap]) -> Self {
        Self::with(Options { office_traps: traps.to_vec(), ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(options, None).await.unwrap();
        let http = Client::builder().user_agent("test").no_proxy().build().unwrap();
        let mut accountant = Self { simulator, http, session: String::new() };
        accountant.login().await;
        accountant.simulator.clear_ledger();
        accountant
    }

    pub async fn login(&mut self) -> Value {
        let answer = self.try_login(USER, PASSWORD_MD5).await.json_value().await;
        answer["SessionId"].as_str().unwrap().clone_into(&mut self.session);
        answer
    }

    async fn try_login(&self, name: &str, password: &str) -> Response {
        let body = json!({ "UserName": name, "Password": password }).to_string();
        let url = format!("{}/finance/GeneralApi/LoginUser", self.simulator.url());
        self.http.post(url).body(body).send().await.unwrap()
    }

    pub async fn send(&self, method: Method, path: &str, body: String) -> reqwest::Result<Response> {
        let request = self.http.request(method, format!("{}/finance{path}", self.simulator.url()));
        request.header("authorization", &self.session).body(body).send().await
    }

    pub async fn all(&self) -> Vec<Value> {
        let response = self.send(Method::GET, GET_ALL, String::new()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn where_(&self, wanted: Value) -> Vec<Value> {
        let response = self.send(Method::POST, GET_ALL, wanted.to_string()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn one(&self, code: i64) -> Value {
        let mut found = self.where_(json!({ "Code": code })).await;
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// Saves a form and gives the answer, whose status is 200 whatever it says.
    pub async fn save(&self, form: &Value) -> Value {
        let response = self.send(Method::POST, SAVE, form.to_string()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json_value().await
    }

    async fn new_contact(&self, controls: &[(&str, &str)]) -> Value {
        self.save(&contact("", "CodeMain=", controls)).await
    }

    /// Saves a contact over the one with a code, which is named where it has to be.
    async fn update(&self, code: i64, controls: &[(&str, &str)]) -> Value {
        self.save(&contact(&format!("Param1={code}|"), &format!("CodeMain={code}"), controls)).await
    }

    pub fn mutations(&self) -> Vec<Mutation> {
        self.simulator.mutations("finance")
    }
}

/// The form of a contact, all of whose controls are sent.
pub(super) fn contact(first: &str, parameters: &str, controls: &[(&str, &str)]) -> Value {
    let names = [
        "isactive",
        "gender",
        "fullname",
        "mobileno",
        "telno",
        "passno",
        "tmpid",
        "email",
        "address",
        "pocode",
        "codeostan",
        "codeshahr",
        "countrycode",
        "websiteaddress",
        "tozihat",
        "taraftype",
    ];
    let value = |name: &str| {
        let given = controls.iter().find(|(own, _)| *own == name);
        given.map_or(if name == "isactive" { "1" } else { "" }, |(_, value)| value)
    };
    let pairs: Vec<String> =
        names.iter().map(|name| format!("gn_web_users.{name}={}", value(name))).collect();
    json!({
        "formId": "2BFDA",
        "ctrlValues": format!("{first}{}", pairs.join("|")),
        "parameters": parameters,
        "dataRows": "[]",
        "attachments": "[]",
        "postCode": "1110",
        "flowId": "",
    })
}

/// What a refusal says.
pub(super) fn complaint(answer: &Value) -> &str {
    assert_eq!(answer["ReturnValue"], false, "{answer}");
    assert_eq!(
        (&answer["Errors"][0]["ErrorType"], &answer["Errors"][0]["ErrorCode"]),
        (&json!("ErrError"), &json!(-1))
    );
    answer["Errors"][0]["Description"].as_str().unwrap()
}

/// The code that a save came back with.
pub(super) fn code(answer: &Value) -> i64 {
    assert_eq!(answer["ReturnValue"], true, "{answer}");
    answer["ReturnCode"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_door_opens_to_the_hash_of_the_password_alone() {
    let mut accountant = Accountant::new().await;
    let answer = accountant.login().await;
    let session = answer["SessionId"].as_str().unwrap();
    assert_eq!(session.len(), 32);
    assert_eq!(answer["Token"], format!("{session}:0"));
    assert_eq!((&answer["FiscalYear"], &answer["SystemDate"]), (&json!(1408), &json!("1408/05/17")));
    assert_eq!((&answer["UserName"], &answer["ContactCode"]), (&json!(USER), &json!(1)));
    accountant.simulator.finance().set_date("1409/01/05");
    let later = accountant.login().await;
    assert_eq!((&later["FiscalYear"], &later["SystemDate"]), (&json!(1409), &json!("1409/01/05")));

    let plain = super::super::siagh::PASSWORD;
    let digest = md5::Md5::digest(plain.as_bytes());
    assert_eq!(digest.iter().map(|byte| format!("{byte:02X}")).collect::<String>(), PASSWORD_MD5);
    for (name, password) in [(USER, plain), (USER, &PASSWORD_MD5.to_lowercase()), ("user", PASSWORD_MD5)] {
        let refused = accountant.try_login(name, password).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.json_value().await["Message"].is_string());
    }
    let url = format!("{}/finance{GET_ALL}", accountant.simulator.url());
    for authorization in
        [format!("Bearer {}", accountant.session), format!("{}:0", accountant.session), String::new()]
    {
        let refused = accountant.http.get(&url).header("authorization", authorization).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.json_value().await["Message"].is_string());
    }
    let nowhere = accountant.send(Method::GET, "/api/Sgh/GEN/Nothing/GetAll", String::new()).await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn contacts_are_made_when_first_looked_at_and_the_same_for_a_seed() {
    let (one, other) = (Accountant::new().await, Accountant::new().await);
    assert!(!one.simulator.finance().is_made());
    let rows = one.all().await;
    assert!(one.simulator.finance().is_made());
    assert_eq!(rows, other.all().await);
    assert_eq!(rows, one.simulator.rows("finance", "contacts"));
    let third = Accountant::with(Options { seed: 2, ..Options::default() }).await;
    assert_ne!(rows, third.all().await);
    assert!(one.mutations().is_empty());
}

#[tokio::test]
async fn there_are_as_many_contacts_as_the_import_is_about() {
    let accountant = Accountant::new().await;
    let rows = accountant.all().await;
    let admins = rows.iter().filter(|row| row["IsAdminUser"] == true).count();
    assert_eq!((rows.len(), admins), (153, 1));
    let count = |found: Match| {
        let expected = accountant.simulator.finance().expected();
        expected.iter().filter(|one| one.found == found).count()
    };
    let known = [Match::Number, Match::FoldedNumber, Match::NationalId, Match::Mobile].map(count);
    assert_eq!(
        (known, count(Match::Ambiguous), count(Match::Unknown), count(Match::Admin)),
        ([30, 8, 6, 6], 2, 100, 1)
    );
    let truth = accountant.simulator.truth();
    let contacts = &truth["finance"]["contacts"];
    assert_eq!(
        (&contacts["count"], &contacts["customers"], &contacts["expected"]["unknown"]),
        (&json!(153), &json!(152), &json!(100))
    );

    let plain = Accountant::with(Options { crm_ambiguous: false, ..Options::default() }).await;
    assert_eq!(plain.all().await.len(), 151);
    let more = Accountant::with(Options { scale: 3, ..Options::default() }).await;
    assert_eq!(more.all().await.len(), 3 * 150 + 2 + 1);
}

#[tokio::test]
async fn rows_are_as_the_wire_has_them() {
    let accountant = Accountant::new().await;
    let rows = accountant.all().await;
    let count = |meant: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| meant(row)).count();
    for row in &rows {
        assert_eq!(row.as_object().unwrap().len(), 27, "{row}");
        assert!(row["Code"].is_i64() && row["tmpid"].is_null());
        assert!(row["Password"].as_str().unwrap().starts_with(super::super::Finance::CANARY));
    }
    let unique = |column: &str| {
        let values: Vec<&str> =
            rows.iter().filter_map(|row| row[column].as_str()).filter(|text| !text.is_empty()).collect();
        let distinct: BTreeSet<&&str> = values.iter().collect();
        assert!(values.len() > 30, "{column}");
        assert_eq!(values.len(), distinct.len(), "{column}");
    };
    ["MobileNo", "TelNo", "NationalCode"].into_iter().for_each(unique);
    let empty = |value: &Value| value.as_str().unwrap_or_default().is_empty();
    assert!(count(&|row| empty(&row["MobileNo"]) && empty(&row["TelNo"])) > 5);
    assert!(count(&|row| row["MobileNo"].is_null()) > 0 && count(&|row| row["MobileNo"] == "") > 0);
    assert!(count(&|row| row["TowardType"] == true) > 15);
    assert!(count(&|row| row["NationalCode"].as_str().is_some_and(|id| id.starts_with('0'))) > 5);
    assert!(count(&|row| row["AccountPartyCode"].is_null()) > 3);
    assert!(rows.iter().all(|row| row["AccountPartyCode"] != row["Code"]));

    let flipped = Accountant::trapped(&[OfficeTrap::FinanceTowardFlipped]).await;
    for (row, other) in rows.iter().zip(flipped.all().await) {
        assert_eq!(row["TowardType"], json!(!other["TowardType"].as_bool().unwrap()));
    }
}

#[tokio::test]
async fn a_filter_takes_columns_exactly() {
    let accountant = Accountant::new().await;
    let rows = accountant.all().await;
    let row =
        rows.iter().find(|row| row["MobileNo"].as_str().is_some_and(|mobile| mobile.len() == 11)).unwrap();
    for column in ["Code", "MobileNo"] {
        assert_eq!(accountant.where_(json!({ column: row[column] })).await, std::slice::from_ref(row));
    }
    assert_eq!(accountant.where_(json!({ "Code": row["Code"].to_string() })).await.len(), 1);
    assert_eq!(accountant.where_(json!({ "MobileNo": "0912" })).await.len(), 0);
    let active = accountant.where_(json!({ "IsActive": true, "TowardType": true })).await;
    assert!(!active.is_empty() && active.iter().all(|row| row["TowardType"] == true));
    assert_eq!(accountant.where_(json!({})).await.len(), 153);
    for wrong in [r#"{"mobileno":"1"}"#, r#"{"tmpid":"1"}"#] {
        let refused = accountant.send(Method::POST, GET_ALL, wrong.to_owned()).await.unwrap();
        assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    let refused = accountant.send(Method::POST, GET_ALL, "[]".to_owned()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn accountants_work_in_it_too() {
    let accountant = Accountant::new().await;
    let finance = accountant.simulator.finance();
    let code = finance.add(&json!({ "Name": "مخاطب نمونه", "MobileNo": "09120000001" }));
    assert!(finance.edit(code, &json!({ "Email": "a@mail.example.test" })));
    assert_eq!(accountant.one(code).await["Email"], "a@mail.example.test");
    assert!(finance.remove(code) && !finance.remove(code) && !finance.edit(code, &json!({})));
    assert!(accountant.where_(json!({ "Code": code })).await.is_empty());
    let told: Vec<_> = accountant.mutations().into_iter().map(|one| (one.by, one.kind, one.key)).collect();
    let key = code.to_string();
    assert_eq!(told, [Kind::Create, Kind::Update, Kind::Delete].map(|kind| (By::Person, kind, key.clone())));

    accountant.simulator.clear_mutations();
    assert_eq!(accountant.simulator.change("finance", "contacts", 10.0), 16);
    let changed = accountant.mutations();
    let keys: BTreeSet<&String> = changed.iter().map(|one| &one.key).collect();
    assert_eq!((changed.len(), keys.len()), (16, 16));
    assert!(changed.iter().all(|one| one.before != one.after && one.by == By::Person));
    let url = format!("{}/_sim/mutations?system=finance", accountant.simulator.url());
    let listed: Value = accountant.http.get(url).send().await.unwrap().json_value().await;
    assert_eq!(listed[15]["key"], json!(changed[15].key));
    assert!(!listed.to_string().contains("sim-canary"));

    accountant.simulator.replace_rows("finance", "contacts", vec![json!({ "Code": 7, "Name": "یک" })]);
    assert_eq!(accountant.all().await, [json!({ "Code": 7, "Name": "یک" })]);
}

#[test]
fn its_configuration_names_it() {
    let text = finance_config("http://127.0.0.1:1");
    let parsed: toml::Table = text.parse().unwrap();
    let finance = &parsed["systems"]["finance"];
    assert_eq!(finance["base_url"].as_str(), Some("http://127.0.0.1:1/finance"));
    assert_eq!((finance["kind"].as_str(), finance["username"].as_str()), (Some("siagh"), Some(USER)));
}
