//! The process of one module: orders go in, answers come out, and it is ended when it takes too long.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use pki_tokens::wire::{MAX_LINE, Message, Order};
use rustix::process::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::Context;

/// How long a process may take to end once it was told to.
const PARTING: Duration = Duration::from_secs(5);
/// How often it is looked whether the run was ended.
const LOOK: Duration = Duration::from_millis(500);

/// The process of a module.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// When the module has to be done with.
    deadline: Instant,
    /// How long it may say nothing.
    silence: Duration,
    /// Octets it has said.
    pub(super) octets: u64,
    /// The group of processes that it leads.
    group: Option<Pid>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Why nothing more comes from a process.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It could not be started.
    #[error("the process for it could not be started: {0}")]
    NotStarted(io::Error),
    /// It ended by itself.
    #[error("its process ended early ({0}): the library crashed or ended the program")]
    Ended(String),
    /// It said nothing for too long.
    #[error("it did not answer within {} s; `call_timeout_secs` sets this", .0.as_secs())]
    Silent(Duration),
    /// All of it took too long.
    #[error("it was not done within {0} s; `deadline_secs` sets this")]
    Late(u64),
    /// What it said is no answer.
    #[error("what came from its process is no answer: {0}")]
    Garbage(String),
    /// The run was ended.
    #[error("the run was ended while it was read")]
    Cancelled,
}

impl Process {
    /// Starts one. It ends when this is dropped.
    pub(super) fn start(cx: &Context, deadline: Instant) -> Result<Self, Broken> {
        let mut words = cx.module_command.iter();
        let none = || Broken::NotStarted(io::Error::other("no program is named for it"));
        let program: &OsString = words.next().ok_or_else(none)?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own: an interrupt at the terminal is the agent's to handle, and what the library
        // starts ends with it.
        command.process_group(0).kill_on_drop(true);
        for name in cx.secret_variables.iter() {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(Broken::NotStarted)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(none)?;
        let silence = Duration::from_secs(cx.pkcs11.call_timeout_secs);
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self {
            group,
            child,
            input,
            output: BufReader::with_capacity(64 * 1024, output),
            deadline,
            silence,
            octets: 0,
        })
    }

    /// Gives it until then.
    pub(super) fn has_until(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Gives an order. The line is wiped: it may hold a PIN.
    pub(super) async fn order(&mut self, order: &Order) -> Result<(), Broken> {
        // All the room at once: a buffer that grows leaves copies behind.
        let mut line = Zeroizing::new(Vec::with_capacity(64 * 1024));
        let written = serde_json::to_writer(&mut *line, order);
        written.map_err(|error| Broken::NotStarted(error.into()))?;
        line.push(b'\n');
        let until = self.deadline.min(Instant::now() + self.silence);
        let Some(input) = &mut self.input else { return Err(self.ended().await) };
        let write = async {
            input.write_all(&line).await?;
            input.flush().await
        };
        match timeout_at(until, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.ended().await),
            Err(_) => Err(Broken::Silent(self.silence)),
        }
    }

    /// The next answer.
    pub(super) async fn answer(&mut self, cx: &Context) -> Result<Message, Broken> {
        let mut line = Vec::new();
        let (deadline, silence) = (self.deadline, self.silence);
        let until = deadline.min(Instant::now() + silence);
        let read = {
            let output = &mut self.output;
            let read = async {
                let mut limited = output.take(MAX_LINE as u64 + 1);
                limited.read_until(b'\n', &mut line).await
            };
            tokio::pin!(read);
            loop {
                // A run that is ended does not wait for a module that hangs.
                let soon = until.min(Instant::now() + LOOK);
                match timeout_at(soon, &mut read).await {
                    Ok(read) => break read,
                    Err(_) if cx.is_cancelled() => return Err(Broken::Cancelled),
                    Err(_) if Instant::now() >= deadline => {
                        return Err(Broken::Late(cx.pkcs11.deadline_secs));
                    }
                    Err(_) if Instant::now() >= until => return Err(Broken::Silent(silence)),
                    Err(_) => {}
                }
            }
        };
        self.octets += line.len() as u64;
        match read {
            Ok(0) => Err(self.ended().await),
            Ok(_) if line.last() != Some(&b'\n') && line.len() <= MAX_LINE => {
                Err(self.ended().await)
            }
            Ok(_) if line.len() > MAX_LINE => {
                Err(Broken::Garbage(format!("a line of more than {MAX_LINE} octets")))
            }
            Ok(_) => serde_json::from_slice(&line).map_err(|error| {
                let begin = &line[..line.len().min(60)];
                Broken::Garbage(format!("`{}` ({error})", begin.escape_ascii()))
            }),
            Err(error) => Err(Broken::Garbage(error.to_string())),
        }
    }

    /// Lets the process end, and ends it where it does not.
    pub(super) async fn part(mut self) {
        self.input = None;
        let _ = tokio::time::timeout(PARTING, self.child.wait()).await;
        self.kill().await;
    }

    /// Ends the process and all that it started, and waits a while until it is gone: one that a driver
    /// holds in the kernel goes when that lets it.
    pub(super) async fn kill(mut self) {
        self.input = None;
        self.kill_group();
        if tokio::time::timeout(PARTING, self.child.wait()).await.is_err() {
            tracing::warn!(process = self.child.id(), "A process of a module does not end.");
        }
    }

    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            // Only a group that is gone cannot be ended.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }

    /// How it ended.
    async fn ended(&mut self) -> Broken {
        self.input = None;
        match tokio::time::timeout(PARTING, self.child.wait()).await {
            Ok(Ok(status)) => Broken::Ended(status.to_string()),
            Ok(Err(error)) => Broken::Ended(error.to_string()),
            Err(_) => Broken::Ended("it closed its output".to_owned()),
        }
    }
}
