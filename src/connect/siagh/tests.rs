//! Contacts as the page shows them, what should never come, what is sent byte for byte, and what
//! becomes of it.

use proptest::prelude::*;

use super::super::http::Gate;
use super::super::http::tests::{Server, brisk, json, serve, status};
use super::*;
use crate::model::record::{Described, Reject};

const SETTINGS: &str = "username = \"کاربر نمونه\"\npassword = \"رمز\"\n[cities]\n\"تهران\" = 21\n[provinces]\n\"تهران\" = \"8\"\n[countries]\n\"ایران\" = 98\n";

fn siagh(url: &str) -> Siagh {
    toml::from_str(&format!("base_url = \"{url}\"\n{SETTINGS}")).unwrap()
}

fn finance() -> Siagh {
    siagh("http://finance.example.test")
}

fn contact(json: &str) -> Result<Described, LeftOut> {
    finance().contact(json)
}

/// A contact as `field=value` in the order of the fields.
fn said(contact: &Contact) -> String {
    contact.iter().map(|(field, value)| format!("{}={value}", field.word())).collect::<Vec<_>>().join("|")
}

const ROW: &str = r#"{"Code":9001,"RecordId":77,"Name":"مخاطب نمونه","NickName":"ن","NationalCode":"0012345679","MobileNo":"09120000001","MobileNo2":"","TelNo":"02100000001","Email":"sample@example.test","WebSiteAddress":null,"Address":"خیابان نمونه","PostalCode":"1234567890","CityCode":21,"CountryCode":"98","GeographicCode":8,"Gender":true,"Description":"یادداشت","IsActive":true,"IsAdminUser":false,"TowardType":false,"AccountPartyCode":5001,"Password":"canary"}"#;

#[test]
fn a_contact_is_read() {
    let read = contact(ROW).unwrap();
    assert_eq!((read.key.as_str(), read.region.as_str()), ("9001", "IR"));
    assert_eq!(
        said(&read.contact),
        "kind=person|name=مخاطب نمونه|national_id=0012345679|mobile=09120000001|telephone=02100000001|\
         email=sample@example.test|address=خیابان نمونه|city=تهران|province=تهران|country=ایران|\
         postal_code=1234567890|gender=male|notes=یادداشت|active=true"
    );
}

#[test]
fn values_come_in_many_forms() {
    for (row, expected) in [
        (r#"{"Code":"۹۰۰۱","Name":" x "}"#, "name=x"),
        (
            r#"{"Code":1,"TowardType":"1","Gender":0,"IsActive":"0"}"#,
            "kind=organization|gender=female|active=false",
        ),
        (
            r#"{"Code":1,"TowardType":true,"Gender":"زن","IsActive":0}"#,
            "kind=organization|gender=female|active=false",
        ),
        (r#"{"Code":1,"TowardType":7,"Gender":"?","IsActive":"?"}"#, ""),
        (r#"{"Code":1,"CityCode":"۲۱","GeographicCode":99,"CountryCode":0}"#, "city=تهران"),
        (r#"{"Code":1,"MobileNo":9120000001,"Name":"null","Email":""}"#, "mobile=9120000001"),
        (r#"{"code":1,"NAME":"x"}"#, "name=x"),
        (r#"{"Code":1,"Name":{"a":1},"Address":["x"]}"#, ""),
    ] {
        assert_eq!(said(&contact(row).unwrap().contact), expected, "{row}");
    }
    for (row, left_out) in [
        ("[1]", LeftOut::Rejected(Reject { rule: "not_an_object", field: "" })),
        ("nul", LeftOut::Rejected(Reject { rule: "not_an_object", field: "" })),
        (r#"{"Name":"x"}"#, LeftOut::Rejected(Reject { rule: "no_key", field: "Code" })),
        (r#"{"Code":1,"IsAdminUser":true}"#, LeftOut::Excluded("system_user")),
        (r#"{"Code":1,"IsAdminUser":"1"}"#, LeftOut::Excluded("system_user")),
    ] {
        assert_eq!(contact(row).unwrap_err(), left_out, "{row}");
    }
}

#[test]
fn sites_that_count_otherwise_say_so() {
    let text = format!(
        "taraftype_person = 2\ntowardtype_person = true\ntowardtype_organization = \"0\"\n{SETTINGS}"
    );
    let finance: Siagh = toml::from_str(&format!("base_url = \"http://a.example.test\"\n{text}")).unwrap();
    let read = |row| finance.contact(row).unwrap().contact.get(Field::Kind).map(str::to_owned);
    assert_eq!(read(r#"{"Code":1,"TowardType":true}"#).as_deref(), Some("person"));
    assert_eq!(read(r#"{"Code":1,"TowardType":0}"#).as_deref(), Some("organization"));
    assert_eq!(finance.taraftype_person, "2");
}

#[test]
fn passwords_are_gone_before_there_is_a_row() {
    for (row, kept) in [
        (r#"{"Code":1,"Password":"canary","Name":"x"}"#, r#"{"Code":1,"Name":"x"}"#),
        (r#"{"Code":1,"PASSWORD":"canary"}"#, r#"{"Code":1}"#),
        (r#"{"Password":"canary","Password":"canary","Code" : 1.0}"#, r#"{"Code":1.0}"#),
        ("{\"\\u0050assword\":\"canary\",\"Code\":1}", r#"{"Code":1}"#),
        (r#"{"Code":1,"UserPassword2":["canary"],"Pwd":"canary"}"#, r#"{"Code":1}"#),
        (r#"{"Code":1,"User":{"Name":"x","Password":"canary"}}"#, r#"{"Code":1,"User":{"Name":"x"}}"#),
        (r#"[{"Password":"canary"},2]"#, "[{},2]"),
        (r#"{"Code":1,"MobileNo2":"","Email":null}"#, r#"{"Code":1,"MobileNo2":"","Email":null}"#),
        ("{\"Code\":1,\"\\ud800\":\"canary\"}", "{}"),
    ] {
        let rows = read::rows(&format!("[{row}]")).unwrap();
        assert_eq!(&*rows[0].raw, kept, "{row}");
    }
    let deep = format!("{}{}{}", "[".repeat(120), r#"{"Password":"canary"}"#, "]".repeat(120));
    assert!(!read::rows(&format!("[{deep}]")).unwrap()[0].raw.contains("canary"));
}

#[test]
fn only_a_bare_array_is_a_list() {
    use crate::connect::http::NotWhole;
    let rows = read::rows(r#"[{"Code":1},{"Code":"2"},{},5]"#).unwrap();
    let keys: Vec<Option<&str>> = rows.iter().map(|row| row.key.as_deref()).collect();
    assert_eq!(keys, [Some("1"), Some("2"), None, None]);
    for text in [r#"{"Message":"x"}"#, "null", "5"] {
        assert_eq!(read::rows(text).unwrap_err(), NotWhole::Shape("[…]"), "{text}");
    }
    for text in ["[1,", "", "[{]"] {
        assert_eq!(read::rows(text).unwrap_err(), NotWhole::Broken, "{text}");
    }
}

#[test]
fn a_password_goes_as_its_hash() {
    // The digest of the empty text and of "abc" are those of RFC 1321.
    assert_eq!(password_hash(""), "D41D8CD98F00B204E9800998ECF8427E");
    assert_eq!(password_hash("abc"), "900150983CD24FB0D6963F7D28E17F72");
    let parse = |text: &str| toml::from_str::<Siagh>(&format!("base_url = \"x\"\nusername = \"u\"\n{text}"));
    let hash = parse("password_md5 = \"d41d8cd98f00b204e9800998ecf8427e\"").unwrap().password_md5.unwrap();
    assert_eq!(hash.expose_secret(), "D41D8CD98F00B204E9800998ECF8427E");
    for text in ["", "d41d8cd98f00b204e9800998ecf8427", "g41d8cd98f00b204e9800998ecf8427e"] {
        let refusal = parse(&format!("password_md5 = \"{text}\"")).unwrap_err();
        assert!(refusal.message().starts_with("config-bad-md5"), "{refusal}");
    }
}

#[test]
fn what_can_be_kept() {
    let full = Contact::default()
        .with(Field::Number, "100-2045")
        .with(Field::Kind, "person")
        .with(Field::Name, "مخاطب|نمونه\r\nدوم")
        .with(Field::NationalId, "۰۰۱۲۳۴۵۶۷۹")
        .with(Field::Mobile, "+98 912 000 0001")
        .with(Field::Telephone, "۰۲۱-۰۰۰۰۰۰۰۱")
        .with(Field::City, "تهران")
        .with(Field::Province, "قم")
        .with(Field::Gender, "?")
        .with(Field::Active, "false");
    assert_eq!(
        said(&finance().holds(&full)),
        "kind=person|name=مخاطب نمونه دوم|national_id=0012345679|mobile=09120000001|telephone=02100000001|\
         city=تهران|active=false"
    );
    let same = Contact::default().with(Field::Mobile, "09120000001").with(Field::Telephone, "+989120000001");
    assert_eq!(said(&finance().holds(&same)), "mobile=09120000001");
    let abroad = Contact::default().with(Field::Mobile, "+1 202 000 0001").with(Field::City, " تهران ");
    assert_eq!(said(&finance().holds(&abroad)), "mobile=+1 202 000 0001|city=تهران");
    let once = finance().holds(&full);
    assert_eq!(finance().holds(&once), once);
}

#[test]
fn a_created_contact_is_traced_by_what_is_unique() {
    let of = |field, value: &str| Contact::default().with(field, value);
    let both = of(Field::Mobile, "1").with(Field::Telephone, "2");
    for (contact, mark, expected) in [
        (both, Some(5), Some(Lookup::Field(Field::Mobile, "1".into()))),
        (of(Field::Telephone, "2"), Some(5), Some(Lookup::Field(Field::Telephone, "2".into()))),
        (of(Field::Name, "x"), Some(5), Some(Lookup::After(5))),
        (of(Field::Name, "x"), None, None),
    ] {
        assert_eq!(finance().trace(&contact, mark), expected);
    }
    assert_eq!(finance().written_unseen(), ["tmpid"]);
}

#[test]
fn a_create_is_the_captured_request() {
    let contact = Contact::default()
        .with(Field::Kind, "person")
        .with(Field::Name, "مخاطب نمونه")
        .with(Field::Mobile, "09120000001")
        .with(Field::NationalId, "0012345679");
    let body = finance().body(&Write::Create { contact: &contact, mark: "45" }).unwrap();
    assert_eq!(
        body,
        "{\"formId\":\"2BFDA\",\"ctrlValues\":\"gn_web_users.isactive=1|gn_web_users.gender=|\
         gn_web_users.fullname=مخاطب نمونه|gn_web_users.mobileno=09120000001|gn_web_users.telno=|\
         gn_web_users.passno=0012345679|gn_web_users.tmpid=45|gn_web_users.email=|gn_web_users.address=|\
         gn_web_users.pocode=|gn_web_users.codeostan=|gn_web_users.codeshahr=|gn_web_users.countrycode=|\
         gn_web_users.websiteaddress=|gn_web_users.tozihat=|gn_web_users.taraftype=0\",\
         \"parameters\":\"CodeMain=\",\"dataRows\":\"[]\",\"attachments\":\"[]\",\"postCode\":\"1110\",\
         \"flowId\":\"\"}"
    );
    let places = Contact::default()
        .with(Field::Kind, "organization")
        .with(Field::Name, "a|b\nc")
        .with(Field::City, "تهران")
        .with(Field::Province, "تهران")
        .with(Field::Country, "ایران")
        .with(Field::Gender, "female")
        .with(Field::Active, "false");
    let body = finance().body(&Write::Create { contact: &places, mark: "4|5" }).unwrap();
    for part in [
        "isactive=0|",
        "gender=0|",
        "fullname=a b c|",
        "tmpid=4 5|",
        "codeostan=8|",
        "codeshahr=21|",
        "countrycode=98|",
        "taraftype=1\"",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[test]
fn an_update_writes_back_what_does_not_change() {
    let wished = Contact::default().with(Field::Name, "نام دیگر").with(Field::Mobile, "09120000009");
    let update = |now: &str, fields: &[Field]| {
        let write = Write::Update { key: "9001", now, contact: &wished, fields, mark: "100-45" };
        finance().body(&write)
    };
    assert_eq!(
        update(ROW, &[Field::Mobile]).unwrap(),
        "{\"formId\":\"2BFDA\",\"ctrlValues\":\"Param1=9001|gn_web_users.isactive=1|gn_web_users.gender=1|\
         gn_web_users.fullname=مخاطب نمونه|gn_web_users.mobileno=09120000009|gn_web_users.telno=02100000001|\
         gn_web_users.passno=0012345679|gn_web_users.tmpid=100-45|gn_web_users.email=sample@example.test|\
         gn_web_users.address=خیابان نمونه|gn_web_users.pocode=1234567890|gn_web_users.codeostan=8|\
         gn_web_users.codeshahr=21|gn_web_users.countrycode=98|gn_web_users.websiteaddress=|\
         gn_web_users.tozihat=یادداشت|gn_web_users.taraftype=0\",\"parameters\":\"CodeMain=9001\",\
         \"dataRows\":\"[]\",\"attachments\":\"[]\",\"postCode\":\"1110\",\"flowId\":\"\"}"
    );
    // What is taken away at the source is blanked, and codes without a name stay as they are.
    let row =
        r#"{"Code":9001,"Name":"x","CityCode":77,"Gender":"?","TowardType":1,"Email":"e","IsActive":false}"#;
    let body = update(row, &[Field::Email]).unwrap();
    for part in ["codeshahr=77|", "gender=?|", "taraftype=1\"", "email=|", "isactive=0|", "fullname=x|"] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert_eq!(update("[]", &[Field::Email]), None);
}

#[test]
fn the_columns_are_for_the_site_to_say() {
    let text = format!(
        "{SETTINGS}[columns]\nNationalCode = \"codemelli\"\nemail = \"\"\nMobileNo2 = \"mobileno2\"\n"
    );
    let finance: Siagh = toml::from_str(&format!("base_url = \"http://a.example.test\"\n{text}")).unwrap();
    let contact = Contact::default().with(Field::NationalId, "1").with(Field::Email, "e@example.test");
    let write = Write::Update {
        key: "1",
        now: r#"{"Code":1,"MobileNo2":"09120000002"}"#,
        contact: &contact,
        fields: &[Field::NationalId],
        mark: "",
    };
    let body = finance.body(&write).unwrap();
    assert!(body.contains(".codemelli=1|") && body.contains(".mobileno2=09120000002\""), "{body}");
    assert!(!body.contains("passno") && !body.contains("email"), "{body}");
    assert_eq!(said(&finance.holds(&contact)), "national_id=1");
}

#[test]
fn answers_say_what_became_of_a_save() {
    use crate::connect::http::Said;
    let done = |key: &str| Said::Done { key: key.to_owned(), facts: Vec::new() };
    let refused = |words: &str| Said::Refused(words.to_owned());
    let broke = |words: &str| Said::Broke(words.to_owned());
    for (text, said) in [
        (
            r#"{"Errors":[],"FinalMessages":[],"ReturnValue":true,"ReturnCode":"9001","ReturnParams":"9001"}"#,
            done("9001"),
        ),
        (r#"{"ReturnValue":"true","ReturnCode":۹۰۰۱}"#, Said::Unknown),
        (r#"{"ReturnValue":"true","ReturnCode":"۹۰۰۱"}"#, done("9001")),
        (r#"{"ReturnValue":true,"ReturnCode":9001,"Errors":null}"#, done("9001")),
        (
            r#"{"ReturnValue":true,"ReturnCode":"1","Errors":[{"ErrorType":"ErrWarning","Description":"w"},{"ErrorType":"ErrSuccs"}]}"#,
            done("1"),
        ),
        (
            r#"{"Errors":[{"ErrorType":"ErrError","Description":"شماره موبایل نمی تواند تکراری باشد.","ErrorCode":-1}],"ReturnValue":false}"#,
            refused("شماره موبایل نمی تواند تکراری باشد."),
        ),
        (r#"{"Errors":[{"ErrorType":"ErrWarning","Description":"w"}],"ReturnValue":false}"#, refused("w")),
        (
            r#"{"Errors":[{"ErrorType":"ErrError","Description":"RUNTIME ERROR at 5: Field 'Code' not found"}],"ReturnValue":false}"#,
            broke("RUNTIME ERROR at 5: Field 'Code' not found"),
        ),
        (
            r#"{"Errors":[{"ErrorType":"ErrError","Description":"x"}],"ReturnValue":true,"ReturnCode":"1"}"#,
            broke("x"),
        ),
        (
            r#"{"Errors":[{"ErrorType":"Other","Description":"x"}],"ReturnValue":true,"ReturnCode":"1"}"#,
            broke("x"),
        ),
        (r#"{"ReturnValue":true}"#, Said::Unknown),
        (r#"{"ReturnValue":true,"ReturnCode":""}"#, Said::Unknown),
        (r#"{"ReturnValue":false}"#, Said::Unknown),
        (r#"{"Errors":[{"ErrorType":"ErrError","Description":"x"}]}"#, Said::Unknown),
        ("{}", Said::Unknown),
        ("[]", Said::Unknown),
        ("true", Said::Unknown),
        ("{\"ReturnValue\":true", Said::Unknown),
    ] {
        assert_eq!(answer::saved(text), said, "{text}");
    }
}

const LOGGED_IN: &str = r#"{"ContactCode":1,"UserCode":2,"UserName":"x","SessionId":"0123456789abcdef0123456789abcdef","Token":"0123456789abcdef0123456789abcdef:0","FiscalYear":1408,"SystemDate":"1408/05/17"}"#;

/// A server that lets in and otherwise answers with this.
async fn behind_the_door(answer: fn(&str, &str) -> axum::response::Response) -> (Server, Http, Siagh) {
    let server = serve(move |_, seen| async move {
        match seen.line.as_str() {
            "POST /GeneralApi/LoginUser" => json(LOGGED_IN),
            line if seen.token == "0123456789abcdef0123456789abcdef" => answer(line, &seen.body),
            _ => status(401, r#"{"Message":"no"}"#),
        }
    })
    .await;
    let finance = siagh(&server.url);
    let http = Http::new("finance", finance.door(), brisk(), Gate::default()).unwrap();
    (server, http, finance)
}

#[tokio::test]
async fn signs_in_with_the_hash_and_keeps_what_only_the_login_says() {
    let (server, http, finance) = behind_the_door(|_, _| json(&format!("[{ROW}]"))).await;
    let page = finance.fetch(&http, &STREAMS[0], None, &Ask::default()).await.unwrap();
    assert_eq!((page.rows.len(), page.next, page.totals.count), (1, None, None));
    assert!(!page.rows[0].raw.contains("canary"));
    assert_eq!(server.lines(), ["POST /GeneralApi/LoginUser", "GET /api/Sgh/GEN/Gn_Web_Users/GetAll"]);
    let hash = password_hash("رمز");
    assert_eq!(server.bodies()[0], format!(r#"{{"UserName":"کاربر نمونه","Password":"{hash}"}}"#));
    assert_eq!(http.login_fact("FiscalYear").await.unwrap().as_deref(), Some("1408"));
    assert_eq!(http.login_fact("SystemDate").await.unwrap().as_deref(), Some("1408/05/17"));
    assert_eq!(http.login_fact("BranchCode").await.unwrap(), None);
    assert_eq!(server.lines().len(), 2, "it was signed in already");
}

fn listed(line: &str, body: &str) -> axum::response::Response {
    let other =
        r#"{"Code":9002,"MobileNo":"۰۹۱۲ ۰۰۰ ۰۰۰۱"},{"Code":9003,"Name":"x","MobileNo":"09120000003"}"#;
    match line {
        "GET /api/Sgh/GEN/Gn_Web_Users/GetAll" => json(&format!("[{ROW},{other}]")),
        _ if body.contains("TelNo") => status(404, "{}"),
        _ if body == r#"{"Code":9003}"# || body == r#"{"MobileNo":"+989120000001"}"# => {
            json(&format!("[{ROW},{other}]"))
        }
        _ => json("[]"),
    }
}

#[tokio::test]
async fn contacts_are_looked_up_by_columns_and_in_the_list() {
    let field = |field, value: &str| Lookup::Field(field, value.to_owned());
    for (by, keys, asked) in [
        (Lookup::Key("9003".into()), &["9003"][..], 1),
        (Lookup::Key("9009".into()), &[], 1),
        (Lookup::Key("x".into()), &[], 0),
        // A system that does not know the condition gives everything.
        (field(Field::Mobile, "۰۹۱۲۰۰۰۰۰۰۱"), &["9001", "9002"], 6),
        (field(Field::Mobile, "5"), &[], 1),
        (field(Field::Telephone, "02100000001"), &["9001"], 10),
        (field(Field::Name, "مخاطب  نمونه"), &["9001"], 1),
        (field(Field::Number, "1"), &[], 1),
        (Lookup::After(9001), &["9002", "9003"], 1),
        (Lookup::After(9003), &[], 1),
    ] {
        let (server, http, finance) = behind_the_door(listed).await;
        let rows = finance.find(&http, &STREAMS[0], &by).await.unwrap();
        let found: Vec<&str> = rows.iter().filter_map(|row| row.key.as_deref()).collect();
        assert_eq!(found, keys, "{by:?}");
        assert_eq!(server.lines().iter().filter(|line| line.contains("GetAll")).count(), asked, "{by:?}");
    }
}

#[tokio::test]
async fn an_update_that_made_another_contact_is_told_as_such() {
    let (server, http, finance) =
        behind_the_door(|_, _| json(r#"{"Errors":[],"ReturnValue":true,"ReturnCode":"9002"}"#)).await;
    let contact = Contact::default().with(Field::Name, "x");
    let write =
        Write::Update { key: "9001", now: ROW, contact: &contact, fields: &[Field::Name], mark: "45" };
    let outcome = finance.write(&http, &write).await;
    assert_eq!(outcome, Outcome::Confirmed { key: "9002".to_owned(), facts: Vec::new() });
    assert_eq!(server.lines(), ["POST /GeneralApi/LoginUser", "POST /BpmsApi/SaveFormData"]);
}

#[tokio::test]
async fn a_refusal_is_told_in_its_words_without_the_people_in_it() {
    let (_, http, finance) = behind_the_door(|_, _| {
        json(r#"{"Errors":[{"ErrorType":"ErrError","Description":"شماره موبایل علي کریمی (۰۹۱۲۰۰۰۰۰۰۱) نمی تواند تکراری باشد."}],"ReturnValue":false}"#)
    })
    .await;
    let contact = Contact::default().with(Field::Name, "علی کریمی").with(Field::Mobile, "09120000001");
    let Outcome::Rejected(message) =
        finance.write(&http, &Write::Create { contact: &contact, mark: "" }).await
    else {
        panic!("not refused");
    };
    assert_eq!(message.id, "connect-write-refused");
    assert_eq!(message.args["reason"], ": شماره موبایل … (…) نمی تواند تکراری باشد");
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent() {
    let (server, http, finance) = behind_the_door(|_, _| json("{}")).await;
    let nameless = Contact::default().with(Field::Mobile, "09120000001");
    let create = Write::Create { contact: &nameless, mark: "" };
    let update = Write::Update { key: "1", now: "", contact: &nameless, fields: &[Field::Mobile], mark: "" };
    for (write, id) in [(create, "connect-write-no-name"), (update, "connect-write-no-row")] {
        let outcome = finance.write(&http, &write).await;
        assert!(matches!(&outcome, Outcome::Rejected(message) if message.id == id), "{outcome:?}");
    }
    assert!(server.lines().is_empty());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}", json in "[\\[\\]{}\":,Code0-9.\\\\u -]{0,80}") {
        for text in [&text, &json] {
            let _ = (read::rows(text), contact(text), answer::answer(text));
            let quoted = serde_json::to_string(text).unwrap();
            for (_, column, _) in columns::FIELDS {
                let row = format!("{{\"Code\":1,\"{column}\":{quoted}}}");
                let read = contact(&row).unwrap();
                let kept = finance().holds(&read.contact);
                let write = Write::Update { key: "1", now: &row, contact: &kept, fields: &[], mark: text };
                let body = finance().body(&write).unwrap();
                let sent = crate::connect::object::Object::read(&body).unwrap();
                let pairs = sent.get("ctrlValues").owned().unwrap();
                // Whatever a value holds, it stays one value.
                prop_assert_eq!(pairs.split('|').count(), 17, "{}", pairs);
            }
        }
    }
}
