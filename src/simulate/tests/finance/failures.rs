//! What a fault does to a save: what its sender sees, and what has really happened.

use super::*;

const NEW: [(&str, &str); 1] = [("fullname", "تازه")];

/// Sends a new contact into a fault; gives the status and text its sender sees, if any, and how many
/// contacts there are when all is done.
async fn into(accountant: &Accountant, fault: Fault) -> (Option<(u16, String)>, usize) {
    accountant.simulator.clear_mutations();
    accountant.simulator.set_faults(vec![fault]);
    let sent = accountant.send(Method::POST, SAVE, contact("", "CodeMain=", &NEW).to_string()).await;
    let seen = match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            response.text().await.ok().map(|text| (status, text))
        }
        Err(_) => None,
    };
    accountant.simulator.settled().await;
    accountant.simulator.set_faults(Vec::new());
    (seen, accountant.mutations().len())
}

fn fault(action: Action) -> Fault {
    Fault::new("finance", "SaveFormData", action)
}

#[tokio::test]
async fn a_save_fails_before_or_after_it_is_done() {
    let accountant = Accountant::new().await;
    for (action, status, done) in [
        (Action::Status, 500, 0),
        (Action::StatusAfter, 500, 1),
        (Action::Html, 200, 0),
        (Action::HtmlAfter, 200, 1),
    ] {
        let (seen, changes) = into(&accountant, fault(action)).await;
        let (code, text) = seen.unwrap();
        assert_eq!((code, changes), (status, done), "{action:?}");
        assert_eq!(text.starts_with('<'), status == 200, "{action:?}");
        let entry = accountant.simulator.ledger("finance").pop().unwrap();
        assert_eq!((entry.status, entry.fault), (status, Some(action)));
    }
    let throttled = fault(Action::Status).value(json!({ "code": 429, "retry_after": 2, "body": "بعدا" }));
    assert_eq!(into(&accountant, throttled).await, (Some((429, "بعدا".to_owned())), 0));
    let lost = fault(Action::StatusAfter).value(json!({ "code": 503, "body": { "Message": "x" } }));
    assert_eq!(into(&accountant, lost).await, (Some((503, r#"{"Message":"x"}"#.to_owned())), 1));
}

#[tokio::test]
async fn a_save_whose_answer_is_lost_has_or_has_not_happened() {
    let accountant = Accountant::new().await;
    let (seen, changes) = into(&accountant, fault(Action::DropBefore)).await;
    assert_eq!((seen, changes), (None, 0));
    let (seen, changes) = into(&accountant, fault(Action::DropAfter)).await;
    assert_eq!((seen, changes), (None, 1));
    let (seen, changes) = into(&accountant, fault(Action::DropAfter).value("half")).await;
    assert_eq!((seen, changes), (None, 1));
}

#[tokio::test]
async fn a_save_lands_when_nobody_waits_for_it_any_more() {
    let accountant = Accountant::new().await;
    for value in [json!(30), json!({ "after": 30, "close": 1 })] {
        let (seen, changes) = into(&accountant, fault(Action::LandLate).value(value)).await;
        assert_eq!((seen, changes), (None, 1));
        let entry = accountant.simulator.ledger("finance").pop().unwrap();
        assert_eq!((entry.status, entry.fault), (0, Some(Action::LandLate)));
    }
}

#[tokio::test]
async fn what_was_taken_lands_before_the_end() {
    let accountant = Accountant::new().await;
    let late = fault(Action::LandLate).value(json!({ "after": 60_000, "close": 1 }));
    accountant.simulator.set_faults(vec![late]);
    let sent = accountant.send(Method::POST, SAVE, contact("", "CodeMain=", &NEW).to_string()).await;
    assert!(sent.is_err() && accountant.mutations().is_empty());
    let world = std::sync::Arc::clone(&accountant.simulator.world);
    let begun = Instant::now();
    accountant.simulator.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(world.mutations.of("finance").len(), 1);
}

#[tokio::test]
async fn a_session_dies_at_any_time() {
    let mut accountant = Accountant::new().await;
    let (seen, changes) = into(&accountant, fault(Action::Expire)).await;
    assert_eq!((seen.unwrap().0, changes), (401, 0));
    let refused = accountant.send(Method::GET, GET_ALL, String::new()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    accountant.login().await;
    assert_eq!(accountant.all().await.len(), 153);
}

#[tokio::test]
async fn a_save_takes_its_time_and_is_done_though_its_sender_leaves() {
    let delay = Duration::from_millis(500);
    let accountant = Accountant::with(Options { save_delay: delay, ..Options::default() }).await;
    let begun = Instant::now();
    code(&accountant.new_contact(&NEW).await);
    assert!(begun.elapsed() >= delay && accountant.simulator.is_settled());
    let request = accountant.http.post(format!("{}/finance{SAVE}", accountant.simulator.url()));
    let request = request.header("authorization", &accountant.session);
    let sent = tokio::spawn(request.body(contact("", "CodeMain=", &NEW).to_string()).send());
    while accountant.simulator.is_settled() {
        tokio::task::yield_now().await;
    }
    sent.abort();
    assert!(sent.await.unwrap_err().is_cancelled());
    assert_eq!(accountant.mutations().len(), 1);
    accountant.simulator.settled().await;
    assert_eq!(accountant.mutations().len(), 2);
}

#[tokio::test]
async fn lists_mislead_as_planned() {
    let accountant = Accountant::new().await;
    let distinct =
        |rows: &[Value]| rows.iter().map(|row| row["Code"].to_string()).collect::<BTreeSet<_>>().len();
    for (action, rows, codes) in
        [(Action::Duplicate, 153, 148), (Action::ForgetTotal, 152, 152), (Action::Reorder, 153, 153)]
    {
        accountant.simulator.set_faults(vec![Fault::new("finance", "GetAll", action)]);
        let read = accountant.all().await;
        assert_eq!((read.len(), distinct(&read)), (rows, codes), "{action:?}");
    }
    accountant.simulator.set_faults(vec![Fault::new("finance", "GetAll", Action::Empty)]);
    assert!(accountant.all().await.is_empty());
    let nowhere = Fault::new("finance", "/api/v2", Action::Empty);
    assert!(accountant.simulator.never(&[nowhere]).is_some());
}
