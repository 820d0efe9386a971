//! The command line: one call per command.

use clap::Parser;
use concord::cli::{self, Cli, Command};

/// Rows are made on one thread and freed on another, half a dozen allocations each, which the
/// allocator of glibc takes a good part of a first load for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    cli::log(&cli.common);
    let common = &cli.common;
    let done = match cli.command {
        Command::Demo(args) => cli::demo::demo(common, &args).await,
        Command::Init(args) => cli::init::init(common, &args),
        Command::Check(args) => cli::check::check(common, &args).await,
        Command::Sync(args) => cli::sync::sync(common, &args).await,
        Command::Import(args) => cli::import::import(common, &args).await,
        Command::Plan(args) => cli::plan::plan(common, &args).await,
        Command::Apply(args) => cli::plan::apply(common, &args).await,
        Command::Verify(args) => cli::verify::verify(common, &args).await,
        Command::Customers(args) => cli::customers::customers(common, &args).await,
        Command::Runs(args) => cli::runs::runs(common, args).await,
        Command::Cases(args) => cli::cases::cases(common, args).await,
        Command::Deliveries(args) => cli::deliveries::deliveries(common, args).await,
        Command::Overridden(args) => cli::overridden::overridden(common, args).await,
        Command::Links(args) => cli::links::links(common, args).await,
        Command::Flow(args) => cli::flow::flow(common, args).await,
        Command::Audit(args) => cli::audit::audit(common, args).await,
        Command::Pause(args) => cli::pause::pause(common, &args, true).await,
        Command::Unpause(args) => cli::pause::pause(common, &args, false).await,
        Command::Serve => cli::serve::serve(common).await,
        Command::Simulate(args) => cli::simulate::simulate(common, &args).await,
        Command::HashPassword(args) => cli::hash::hash(common, args),
        Command::User(args) => cli::people::user(common, args).await,
        Command::Token(args) => cli::people::token(common, args).await,
        Command::Db(args) => cli::db::db(common, args).await,
    };
    common.close().await;
    cli::exit(done)
}
