//! `concord simulate`: the external systems alone, for rehearsals.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::{Common, End, text, usage};
use crate::model::Message;
use crate::simulate::{AnyTrap, Fault, Options, Simulator, whole_config};

/// What `simulate` takes.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Port on 127.0.0.1 [default: any free one].
    #[arg(long)]
    port: Option<u16>,
    /// Faults to switch on, a JSON list.
    ///
    /// Each is {"system", "path", "nth", "times", "do", "value"}: of the requests to a system whose
    /// address holds `path`, from the `nth` on, so many `times` (0: for ever), this happens:
    ///
    ///   status       answers `value`, an HTTP status [500], or {"code", "retry_after" in seconds}
    ///   status_after processes, then answers a status as if it had not
    ///   html         answers 200 with a web page, as a firewall does
    ///   html_after   processes, then answers with that page
    ///   empty        an empty list; with "value":"body" nothing at all, with "value":"page" no rows, but
    ///                the true totals
    ///   truncate     half of the answer
    ///   drop_before  closes the connection, unprocessed
    ///   drop_after   closes it after processing; with "value":"half" after half of the answer
    ///   land_late    closes the connection and processes `value` milliseconds later [1000]; with {"after",
    ///                "close"} the connection stays open for `close` milliseconds
    ///   late         answers after `value` milliseconds [1000]
    ///   slow         16 bytes per `value` milliseconds [100]
    ///   hang         never answers
    ///   expire       takes all tokens away
    ///   duplicate    rows of the page before come again
    ///   reorder      rows come in another order
    ///   forget_total leaves a row out that the totals count
    ///
    /// The same list is taken, and replaced, by POST /_sim/faults while it runs. POST /_sim/change
    /// with {"system", "stream", "percent"} changes rows; GET /_sim/ledger tells what was asked, GET
    /// /_sim/mutations what really changed in CRM and finance. POST /_sim/edit with {"system", "stream",
    /// "key", "fields"} does there what people do (without a key something is added, with "delete":true
    /// it is deleted); POST /_sim/webhooks with {"url", "drop", "double", "delay_ms", "reorder"} says
    /// where the CRM sends its webhooks, and how badly, null that it sends none.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    faults: Option<PathBuf>,
    /// Ways in which the shop's base, CRM and finance behave worse than others, by name, with commas
    /// between.
    ///
    ///   plus_fails            a + in a query answers 500 instead of 400
    ///   plus_ignored          a + in a query makes the filter be ignored
    ///   filter_forbidden      filters are answered 403
    ///   filter_refused        filters are answered 500
    ///   typed_filter_refused  isof and cast in filters are answered 400
    ///   order_forbidden       orders are answered 403
    ///   order_refused         orders are answered 400
    ///   desc_ignored          descending orders ascend
    ///   unordered             rows move between requests that ask for no order
    ///   long_pages            long pages of registers break off
    ///   bom                   errors begin with a byte order mark
    ///   html_login            a wrong login is answered with a web page and 200
    ///   disguised_errors      errors come with 200
    ///   slow_first            the first answer after a rest takes ten seconds
    ///   quantity_text         quantities are strings
    ///   count_unlimits        $inlinecount disables $top
    ///   no_code               catalogs have no codes
    ///   no_balance            the table of balances is not published
    ///   business_error        registers answer with a business error
    ///
    ///   crm_unlicensed        a login is answered 402
    ///   crm_no_refresh        tokens are not renewed
    ///   crm_arabic_letters    answers have ي and ك whatever was written
    ///   crm_error_as_success  a get of what is not there is answered 200, with an error
    ///   crm_error_object      errors have another form
    ///   crm_no_modify_date    ModifyDate cannot be compared
    ///   crm_keeps_absent      an update leaves alone what it does not name
    ///   crm_unordered         rows of lists move between requests
    ///
    ///   finance_toward_flipped  TowardType is true for persons
    ///   finance_no_party        new contacts get no accounting party
    ///   finance_warns           saves come with a warning
    ///   finance_final_messages  what is said of a document stands in FinalMessages
    ///   finance_persian_digits  … with Persian digits throughout
    ///   finance_crash_after     the script of documents crashes after writing
    ///   finance_knows_suid      a document is not written twice under one _In_Suid
    ///   finance_net_differs     documents are dearer than their lines
    ///
    /// POST /_sim/traps takes, and replaces, them as a JSON list while it runs.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', verbatim_doc_comment)]
    traps: Vec<AnyTrap>,
    /// Other data, the same for the same number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many times the data.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    scale: u32,
}

/// Runs the command: prints a ready configuration and serves until it is stopped.
pub async fn simulate(common: &Common, args: &SimulateArgs) -> Result<End> {
    let faults: Vec<Fault> = match &args.faults {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not a list of faults", file.display()))?
        }
        None => Vec::new(),
    };
    let (shop_traps, office_traps) = AnyTrap::apart(args.traps.iter().copied());
    let options =
        Options { seed: args.seed, scale: args.scale, shop_traps, office_traps, ..Options::default() };
    let simulator =
        Simulator::start(options, args.port).await.map_err(|error| port_taken(error, args.port))?;
    if let (Some(why), Some(file)) = (simulator.never(&faults), &args.faults) {
        simulator.stop().await;
        let message = Message::new("cli-bad-fault").with("file", file.display()).with("detail", why);
        return Err(usage(&message));
    }
    simulator.set_faults(faults);
    if common.json {
        super::print_json(
            &serde_json::json!({ "url": simulator.url(), "config": whole_config(&simulator.url()) }),
        )?;
    } else {
        println!("# {}", simulator.url());
        println!("{}", whole_config(&simulator.url()));
    }
    super::serve::stopped().await;
    simulator.stop().await;
    Ok(End::Fine)
}

/// What to do about a port that another program has.
fn port_taken(error: anyhow::Error, port: Option<u16>) -> anyhow::Error {
    let in_use = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::AddrInUse);
    match port {
        Some(port) if in_use => {
            anyhow::anyhow!(text().with("cli-port-taken", &[("port", &port.to_string())]))
        }
        _ => error,
    }
}
