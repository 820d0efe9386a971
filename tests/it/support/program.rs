//! The real program as a process: started, waited for, killed.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{PATIENCE, World, until};

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// The exit code; a signal as a negative number.
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

/// A command under way. Killed when dropped.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    what: String,
    since: Instant,
    ended: Option<ExitStatus>,
}

impl World {
    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Output {
        self.start(args).end().await
    }

    /// Runs a command with variables in its environment.
    pub async fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        self.start_with(args, env).end().await
    }

    /// Runs a command with `--json` and checks how it ends.
    pub async fn json(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.run(&args).await;
        output.json(code)
    }

    /// Starts a command.
    pub fn start(&self, args: &[&str]) -> Running {
        self.start_with(args, &[])
    }

    /// Runs a command that is told something on standard input.
    pub async fn run_told(&self, args: &[&str], input: &str) -> Output {
        let file = self.folder.path().join("logs").join(format!("{:x}.in", fastrand::u64(..)));
        std::fs::write(&file, input).unwrap();
        self.start_from(args, &[], File::open(file).unwrap().into()).end().await
    }

    /// Starts a command with variables in its environment, which holds nothing else of ours.
    pub fn start_with(&self, args: &[&str], env: &[(&str, &str)]) -> Running {
        self.start_from(args, env, Stdio::null())
    }

    fn start_from(&self, args: &[&str], env: &[(&str, &str)], input: Stdio) -> Running {
        let number = fastrand::u64(..);
        let logs = self.folder.path().join("logs");
        let (out, err) = (logs.join(format!("{number:x}.out")), logs.join(format!("{number:x}.err")));
        let child = Command::new(env!("CARGO_BIN_EXE_concord"))
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("USER", "tester")
            .env("TZ", "Asia/Tehran")
            .envs(env.iter().copied())
            .current_dir(self.home())
            .stdin(input)
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        self.left.lock().unwrap().push(child.id());
        let what = format!("concord {}", args.join(" "));
        Running { child, out, err, what, since: Instant::now(), ended: None }
    }

    /// Starts `serve` and waits until it serves.
    pub async fn serve(&self) -> Running {
        self.serve_with(&[]).await
    }

    /// Starts `serve` with variables in its environment, and waits until it serves.
    pub async fn serve_with(&self, env: &[(&str, &str)]) -> Running {
        let serving = self.start_with(&["serve"], env);
        until("serve is ready", PATIENCE, async || serving.err().contains("Concord serves").then_some(()))
            .await;
        serving
    }
}

impl Output {
    /// The JSON document it printed, after a look at its exit code.
    #[track_caller]
    pub fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e} in stdout:\n{}\n{}", self.out, self.err))
    }
}

impl Running {
    /// What it has said on standard error so far.
    pub fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap()
    }

    /// Whether it has ended by itself.
    pub fn is_over(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        self.ended.is_some()
    }

    /// Waits for its end.
    pub async fn end(mut self) -> Output {
        let what = self.what.clone();
        until(&what, PATIENCE, async || self.is_over().then_some(())).await;
        self.output()
    }

    /// Kills it, as the kernel does when memory runs out.
    pub fn kill(mut self) -> Output {
        let _ = self.child.kill();
        self.ended = Some(self.child.wait().unwrap());
        self.output()
    }

    /// Asks it to end, as a service manager does, and waits.
    pub async fn terminate(self) -> Output {
        self.signal("-TERM");
        let asked = Instant::now();
        let output = self.end().await;
        Output { took: asked.elapsed(), ..output }
    }

    /// Presses Ctrl-C and waits.
    pub async fn interrupt(self) -> Output {
        self.signal("-INT");
        self.end().await
    }

    /// Freezes it where it is; [`Running::go_on`] lets it go on.
    pub async fn freeze(&self) {
        self.signal("-STOP");
        self.frozen().await;
    }

    /// Waits until it is frozen.
    pub async fn frozen(&self) {
        let stat = format!("/proc/{}/stat", self.child.id());
        until("it is frozen", PATIENCE, async || {
            let state = std::fs::read_to_string(&stat).unwrap();
            state.rsplit(") ").next().unwrap_or_default().starts_with('T').then_some(())
        })
        .await;
    }

    /// Lets it go on after it was frozen.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    fn output(&self) -> Output {
        let status = self.ended.unwrap();
        Output {
            code: status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)),
            out: std::fs::read_to_string(&self.out).unwrap(),
            err: self.err(),
            took: self.since.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
